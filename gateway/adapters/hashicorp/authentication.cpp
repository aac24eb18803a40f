// See authentication.hpp. Everything that talks to the server about tokens happens in keep(), one step at a time;
// the other members wait for what it finds.
#include "adapters/hashicorp/authentication.hpp"

#include "adapters/hashicorp/wiped_json.hpp"
#include "observe/log.hpp"

namespace gw::hashicorp {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds k_first_pause{250};
constexpr milliseconds k_longest_pause{10'000};
constexpr seconds k_trust_check{1}; // a token found good is not looked up again for so long

milliseconds back_off(unsigned failures)
{
    return std::min(k_first_pause * (1 << std::min(failures, 8u)), k_longest_pause);
}

seconds seconds_in(const json::object& object, std::string_view name)
{
    return seconds{static_cast<std::int64_t>(number_in(object, name).value_or(0))};
}

// 400 to 499, but not the ones that only mean "not now".
bool is_denial(unsigned status)
{
    return status >= 400 && status < 500 && status != 408 && status != 412 && status != 429 && status != 472 && status != 473;
}

} // namespace

Authentication::Authentication(Executor executor, Server& server, const VaultOptions& options)
    : executor_(executor), server_(server), options_(options), pause_(executor)
{
}

awaitable<void> Authentication::keep()
{
    for (;;) {
        const MonoTime now = MonoTime::clock::now();
        if (now < retry_at_)
            co_await pause_until(retry_at_);
        else if (suspect_ != 0 && suspect_ == generation_)
            co_await check_suspect();
        else if (const auto due = is_usable(now) ? lease_->due(now) : TokenLease::Care::replace; due != TokenLease::Care::none)
            co_await care(due);
        else
            co_await pause_until(lease_->due_at());
    }
}

awaitable<void> Authentication::care(TokenLease::Care due)
{
    const MonoTime now = MonoTime::clock::now();
    fetching_ = !is_usable(now);
    Outcome outcome = Outcome::denied;
    if (due == TokenLease::Care::renew)
        outcome = co_await renew();
    if (outcome == Outcome::denied) // what cannot be renewed is replaced
        outcome = co_await obtain();
    fetching_ = false;
    failures_ = outcome == Outcome::done ? 0 : failures_ + 1;
    if (outcome != Outcome::done)
        retry_at_ = MonoTime::clock::now() + back_off(failures_ - 1);
    waiting_.wake_all();
}

awaitable<Authentication::Outcome> Authentication::obtain()
{
    if (options_.approle)
        co_return co_await log_in();
    std::optional<TokenLease> lease;
    const Outcome outcome = co_await look_up(options_.token->reveal(), lease);
    if (outcome != Outcome::done)
        co_return outcome;
    if (token_ && lease->expires())
        log(LogLevel::warn, "vault.token_ends", {{"ttl_seconds", std::to_string(lease->ttl().count())}});
    adopt(WipedString{options_.token->reveal()}, *lease);
    co_return Outcome::done;
}

awaitable<Authentication::Outcome> Authentication::log_in()
{
    const AppRole& role = *options_.approle;
    WipedString body{"{\"role_id\":"};
    append_quoted(body, role.role_id);
    body.append(",\"secret_id\":");
    append_quoted(body, role.secret_id.reveal());
    body.append("}");
    const std::string path = "auth/" + role.mount + "/login";
    const Answer answer = co_await server_.ask("POST", path, {}, body, step_deadline());
    if (answer.status != 200) {
        if (answer.status != 0)
            server_.complain("vault.login_refused", "auth/" + role.mount, answer);
        co_return is_denial(answer.status) ? Outcome::denied : Outcome::failed;
    }
    WipingMemory memory;
    const auto object = parse_object(answer.body, memory);
    const json::object* auth = object ? object_in(*object, "auth") : nullptr;
    const auto token = auth != nullptr ? text_in(*auth, "client_token") : std::nullopt;
    if (!token || token->empty()) {
        server_.complain("vault.login_unreadable", "auth/" + role.mount, answer);
        co_return Outcome::failed;
    }
    const seconds ttl = seconds_in(*auth, "lease_duration");
    adopt(WipedString{*token}, TokenLease{MonoTime::clock::now(), ttl, flag_in(*auth, "renewable")});
    log(LogLevel::info, "vault.logged_in", {{"ttl_seconds", std::to_string(ttl.count())}});
    co_return Outcome::done;
}

awaitable<Authentication::Outcome> Authentication::look_up(std::string_view token, std::optional<TokenLease>& lease)
{
    const WipedString nothing;
    const std::string path = "auth/token/lookup-self";
    const Answer answer = co_await server_.ask("GET", path, token, nothing, step_deadline());
    if (answer.status != 200)
        co_return is_denial(answer.status) ? Outcome::denied : Outcome::failed;
    WipingMemory memory;
    const auto object = parse_object(answer.body, memory);
    const json::object* data = object ? object_in(*object, "data") : nullptr;
    if (data == nullptr)
        co_return Outcome::failed;
    seconds ttl = seconds_in(*data, "ttl");
    if (ttl == seconds{0} && text_in(*data, "expire_time"))
        ttl = seconds{1}; // zero is for ever only if there is no time of expiry
    lease.emplace(MonoTime::clock::now(), ttl, flag_in(*data, "renewable"));
    co_return Outcome::done;
}

awaitable<Authentication::Outcome> Authentication::renew()
{
    const std::shared_ptr<const WipedString> token = token_;
    const WipedString body{"{}"};
    const std::string path = "auth/token/renew-self";
    const Answer answer = co_await server_.ask("POST", path, *token, body, step_deadline());
    if (answer.status != 200) {
        if (answer.status != 0)
            server_.complain("vault.renewal_refused", path, answer);
        co_return is_denial(answer.status) ? Outcome::denied : Outcome::failed;
    }
    WipingMemory memory;
    const auto object = parse_object(answer.body, memory);
    const json::object* auth = object ? object_in(*object, "auth") : nullptr;
    if (auth == nullptr)
        co_return Outcome::failed;
    // Something that expires is not for ever because less than a second is left of it.
    const seconds ttl = std::max(seconds_in(*auth, "lease_duration"), seconds{lease_->expires() ? 1 : 0});
    lease_->renewed(MonoTime::clock::now(), ttl, flag_in(*auth, "renewable"));
    log(LogLevel::debug, "vault.token_renewed", {{"ttl_seconds", std::to_string(lease_->ttl().count())}});
    // Its maximum life nears: a role gets a new one now, not at the last moment.
    co_return lease_->nears_maximum() && options_.approle ? Outcome::denied : Outcome::done;
}

awaitable<void> Authentication::check_suspect()
{
    std::optional<TokenLease> lease;
    const std::uint64_t generation = generation_;
    const std::shared_ptr<const WipedString> token = token_;
    Outcome outcome = co_await look_up(*token, lease);
    suspect_ = 0;
    if (outcome == Outcome::done) { // the token is good: its policies do not allow the request
        checked_ = generation;
        checked_at_ = MonoTime::clock::now();
    } else if (outcome == Outcome::denied) {
        token_.reset();
        lease_.reset();
        co_await care(TokenLease::Care::replace);
    }
    waiting_.wake_all();
}

void Authentication::adopt(WipedString token, TokenLease lease)
{
    const bool is_new = !token_ || *token_ != token;
    token_ = std::make_shared<const WipedString>(std::move(token));
    lease_ = lease;
    if (is_new)
        ++generation_;
}

awaitable<Authentication::Token> Authentication::token(Deadline deadline)
{
    while (!is_usable(MonoTime::clock::now()) && (fetching_ || suspect_ != 0)) {
        const bool woken = co_await waiting_.wait(executor_, deadline);
        if (!woken)
            break;
    }
    Token out;
    if (is_usable(MonoTime::clock::now())) {
        out.text = token_;
        out.generation = generation_;
    }
    co_return std::move(out);
}

awaitable<bool> Authentication::replaced(std::uint64_t generation, Deadline deadline)
{
    const auto settled = [&] {
        return generation_ != generation || (checked_ == generation && MonoTime::clock::now() < checked_at_ + k_trust_check);
    };
    while (!settled()) {
        if (token_) {
            suspect_ = generation;
            hurry();
        } else if (!fetching_) {
            co_return false; // a login was tried and failed; it is tried again later
        }
        const bool woken = co_await waiting_.wait(executor_, deadline);
        if (!woken)
            co_return false;
    }
    co_return generation_ != generation && is_usable(MonoTime::clock::now());
}

awaitable<void> Authentication::pause_until(MonoTime until)
{
    pause_.expires_at(until);
    (void)co_await pause_.async_wait(no_throw);
}

void Authentication::hurry() noexcept
{
    if (!is_usable(MonoTime::clock::now()))
        fetching_ = true; // keep() comes to it next
    failures_ = 0;
    retry_at_ = {};
    pause_.cancel();
}

} // namespace gw::hashicorp
