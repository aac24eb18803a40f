// See secret_vault.hpp. The API is Vault's documented one: /v1/{mount}/data/{path} to read and write, DELETE on
// /v1/{mount}/metadata/{path} to remove an entry with all its versions.
#include "adapters/hashicorp/secret_vault.hpp"

#include "adapters/hashicorp/wiped_json.hpp"
#include "net/call_on.hpp"
#include "observe/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <pthread.h>

namespace gw::hashicorp {

namespace {

const std::string k_field = "entry";
constexpr std::chrono::milliseconds k_first_repeat{20}, k_slowest_repeat{250};
constexpr int k_write_attempts = 3;

bool is_path(std::string_view path)
{
    while (true) {
        const std::size_t slash = path.find('/');
        const std::string_view segment = path.substr(0, slash);
        const bool valid = !segment.empty() && segment != "." && segment != ".." &&
                           std::all_of(segment.begin(), segment.end(), [](char c) {
                               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                      std::string_view{"._@-"}.find(c) != std::string_view::npos;
                           });
        if (!valid)
            return false;
        if (slash == std::string_view::npos)
            return true;
        path.remove_prefix(slash + 1);
    }
}

} // namespace

// What lies at a path.
struct SecretVault::Found {
    std::optional<Secret> text;    // of the field, if the current version is there and has it
    std::uint64_t version = 0;     // the current one, deleted or not; 0: there is no entry
    bool is_deleted = false;
};

SecretVault::SecretVault(VaultOptions options)
    : options_(std::move(options)), guard_(context_.get_executor()), server_(context_.get_executor(), options_),
      authentication_(context_.get_executor(), server_, options_)
{
    server_.on_return = [this] { authentication_.hurry(); };
    start(authentication_.keep(), endings_[0]);
    start(server_.watch(), endings_[1]);
    thread_ = std::thread{[this] {
        ::pthread_setname_np(::pthread_self(), "gw-vault");
        context_.run();
    }};
}

SecretVault::~SecretVault()
{
    asio::post(context_, [this] {
        for (asio::cancellation_signal& ending : endings_)
            ending.emit(asio::cancellation_type::terminal);
        guard_.reset();
    });
    thread_.join();
}

void SecretVault::start(awaitable<void> work, asio::cancellation_signal& ending)
{
    auto ended = [](std::exception_ptr error) {
        try {
            if (error)
                std::rethrow_exception(error);
        } catch (const boost::system::system_error& failure) {
            if (failure.code() != asio::error::operation_aborted) // the way it is meant to end
                log(LogLevel::error, "vault.background_ended", {{"what", failure.what()}});
        }
    };
    asio::co_spawn(context_, std::move(work), asio::bind_cancellation_slot(ending.slot(), ended));
}

awaitable<result<std::optional<VaultEntry>>> SecretVault::read(const std::string& path)
{
    if (!is_path(path))
        co_return make_error_code(errc::invalid);
    awaitable<result<Found>> fetching = call_on(context_, fetch(path, k_field, deadline()));
    result<Found> found = co_await std::move(fetching);
    if (!found)
        co_return found.error();
    if (found->version == 0 || found->is_deleted)
        co_return std::optional<VaultEntry>{};
    if (!found->text) {
        log(LogLevel::error, "vault.entry_unreadable", {{"path", path}, {"what", "it has no text in the field `entry`"}});
        co_return make_error_code(errc::corrupt);
    }
    VaultEntry entry;
    entry.data = std::move(*found->text);
    entry.version = found->version;
    co_return std::optional<VaultEntry>{std::move(entry)};
}

awaitable<result<std::uint64_t>> SecretVault::write(const std::string& path, const Secret& data, std::uint64_t expected)
{
    if (!is_path(path))
        co_return make_error_code(errc::invalid);
    awaitable<result<std::uint64_t>> storing = call_on(context_, store(path, data.clone(), expected));
    co_return co_await std::move(storing);
}

awaitable<result<void>> SecretVault::destroy(const std::string& path)
{
    if (!is_path(path))
        co_return make_error_code(errc::invalid);
    awaitable<result<void>> removing = call_on(context_, remove(path));
    co_return co_await std::move(removing);
}

awaitable<result<std::optional<Secret>>> SecretVault::read_field(std::string path, std::string field)
{
    if (!is_path(path))
        co_return make_error_code(errc::invalid);
    awaitable<result<Found>> fetching = call_on(context_, fetch(std::move(path), std::move(field), deadline()));
    result<Found> found = co_await std::move(fetching);
    if (!found)
        co_return found.error();
    co_return std::move(found->text);
}

awaitable<result<SecretVault::Found>> SecretVault::fetch(std::string path, std::string field, Deadline deadline)
{
    const WipedString nothing;
    const std::string target = options_.mount + "/data/" + path;
    const Answer answer = co_await call("GET", target, nothing, deadline);
    if (answer.status != 200 && answer.status != 404) {
        if (answer.status != 0)
            server_.complain("vault.read_refused", path, answer);
        co_return make_error_code(errc::unavailable);
    }
    Found found;
    WipingMemory memory;
    const auto object = parse_object(answer.body, memory);
    const json::object* data = object ? object_in(*object, "data") : nullptr;
    const json::object* about = data != nullptr ? object_in(*data, "metadata") : nullptr;
    if (about == nullptr) {
        // Nothing there is an empty list of errors; a wrong mount or namespace has something to say.
        if (answer.status == 404 && object && errors_in(answer).empty())
            co_return std::move(found);
        server_.complain("vault.read_refused", path, answer);
        co_return make_error_code(errc::unavailable);
    }
    found.version = number_in(*about, "version").value_or(0);
    const json::object* fields = object_in(*data, "data");
    found.is_deleted = fields == nullptr;
    if (fields != nullptr)
        if (const auto text = text_in(*fields, field))
            found.text = Secret{std::string{*text}};
    co_return std::move(found);
}

awaitable<result<std::uint64_t>> SecretVault::store(std::string path, Secret data, std::uint64_t expected)
{
    const Deadline until = deadline();
    bool in_doubt = false; // an attempt before may have been carried out
    result<std::uint64_t> written{errc::unavailable};
    for (int attempt = 0; attempt < k_write_attempts; ++attempt) {
        const bool was_in_doubt = in_doubt;
        written = co_await store_once(path, data, expected, in_doubt, until);
        const bool may_be_ours = was_in_doubt && !written && written.error() == errc::conflict;
        if (!in_doubt && !may_be_ours)
            break;
        // The connection broke before the answer, or the entry has moved on: is what lies there ours?
        const result<Found> found = co_await fetch(path, k_field, until);
        if (!found)
            co_return found.error();
        if (found->version == expected + 1 && found->text && equal_constant_time(found->text->reveal(), data.reveal()))
            co_return found->version;
        if (found->version != expected)
            co_return make_error_code(errc::conflict);
    }
    co_return written;
}

awaitable<result<std::uint64_t>> SecretVault::store_once(const std::string& path, const Secret& data, std::uint64_t expected,
                                                         bool& in_doubt, Deadline deadline)
{
    WipedString body{"{\"data\":{\"entry\":"};
    append_quoted(body, data.reveal());
    body.append("},\"options\":{\"cas\":").append(std::to_string(expected)).append("}}");
    const std::string target = options_.mount + "/data/" + path;
    const Answer answer = co_await call("POST", target, body, deadline);
    in_doubt = answer.in_doubt && !answer.timed_out;
    if (answer.status == 200) {
        WipingMemory memory;
        const auto object = parse_object(answer.body, memory);
        const json::object* about = object ? object_in(*object, "data") : nullptr;
        if (const auto version = about != nullptr ? number_in(*about, "version") : std::nullopt)
            co_return *version;
    }
    if (answer.status == 400 && errors_in(answer).find("check-and-set parameter did not match") != std::string::npos)
        co_return make_error_code(errc::conflict);
    if (answer.status != 0)
        server_.complain(answer.status == 204 ? "vault.not_kv_version_2" : "vault.write_refused", path, answer);
    co_return make_error_code(errc::unavailable);
}

awaitable<result<void>> SecretVault::remove(std::string path)
{
    const WipedString nothing;
    const std::string target = options_.mount + "/metadata/" + path;
    const Answer answer = co_await call("DELETE", target, nothing, deadline());
    const bool is_absent = answer.status == 404 && errors_in(answer).empty();
    if (answer.status == 204 || answer.status == 200 || is_absent)
        co_return result<void>{};
    if (answer.status != 0)
        server_.complain("vault.destroy_refused", path, answer);
    co_return make_error_code(errc::unavailable);
}

awaitable<Answer> SecretVault::call(std::string_view method, const std::string& path, const WipedString& body, Deadline deadline)
{
    // 412: this node has not yet seen what another has written.
    auto pause = k_first_repeat;
    for (;;) {
        Answer answer = co_await call_once(method, path, body, deadline);
        if (answer.status != 412 || MonoTime::clock::now() + pause >= deadline)
            co_return std::move(answer);
        Timer timer{context_.get_executor(), pause};
        (void)co_await timer.async_wait(no_throw);
        pause = std::min(2 * pause, k_slowest_repeat);
    }
}

awaitable<Answer> SecretVault::call_once(std::string_view method, const std::string& path, const WipedString& body,
                                         Deadline deadline)
{
    Answer answer;
    if (server_.is_known_dead())
        co_return std::move(answer);
    for (int attempt = 0; attempt < 2; ++attempt) {
        const Authentication::Token token = co_await authentication_.token(deadline);
        if (!token.text)
            break;
        answer = co_await server_.ask(method, path, *token.text, body, deadline);
        if (answer.status != 403)
            break;
        const bool replaced = co_await authentication_.replaced(token.generation, deadline);
        if (!replaced)
            break;
    }
    co_return std::move(answer);
}

} // namespace gw::hashicorp
