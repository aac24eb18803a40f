// See server.hpp.
#include "adapters/hashicorp/server.hpp"

#include "adapters/hashicorp/wiped_json.hpp"
#include "observe/log.hpp"

namespace gw::hashicorp {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t k_max_body_bytes = 4 * 1024 * 1024;
constexpr std::size_t k_max_words = 200;
constexpr std::chrono::seconds k_between_complaints{10};

HttpClientOptions client_options(const VaultOptions& options)
{
    HttpClientOptions out;
    out.host = options.host;
    out.port = options.port;
    if (options.tls)
        out.tls = make_tls_client_context(options.trust);
    out.connect = options.timeout;
    out.max_body_bytes = k_max_body_bytes;
    return out;
}

void add_field(HttpRequest& request, const char* name, std::string_view value)
{
    HttpField field;
    field.name = name;
    field.value.assign(value);
    request.fields.push_back(std::move(field));
}

// The statuses by which a server says that it does not serve now: sealed or in maintenance, a standby that does
// not forward, a replica.
bool is_out_of_service(unsigned status)
{
    return status == 502 || status == 503 || status == 504 || status == 472 || status == 473 || status == 501;
}

} // namespace

std::string errors_in(const Answer& answer)
{
    WipingMemory memory;
    const auto object = parse_object(answer.body, memory);
    const json::value* errors = object ? object->if_contains("errors") : nullptr;
    std::string words;
    if (errors != nullptr && errors->is_array())
        for (const json::value& error : errors->get_array())
            if (error.is_string())
                words.append(words.empty() ? "" : "; ").append(error.get_string().data(), error.get_string().size());
    if (words.size() > k_max_words)
        words.resize(k_max_words);
    return words;
}

Server::Server(Executor executor, const VaultOptions& options)
    : executor_(executor), options_(options), http_(executor, client_options(options)), pause_(executor)
{
    if (options_.up != nullptr)
        options_.up->set(1);
}

awaitable<Answer> Server::ask(std::string_view method, const std::string& path, std::string_view token, const WipedString& body,
                              Deadline deadline)
{
    HttpRequest request;
    request.method = method;
    request.target = "/v1/" + path;
    request.body = body;
    add_field(request, "X-Vault-Request", "true");
    if (!token.empty())
        add_field(request, "X-Vault-Token", token);
    if (!options_.name_space.empty())
        add_field(request, "X-Vault-Namespace", options_.name_space);
    if (!body.empty())
        add_field(request, "Content-Type", "application/json");
    HttpReply reply = co_await http_.send(request, deadline);
    judge(reply, false);
    Answer answer;
    if (reply.ec) {
        answer.in_doubt = reply.sent;
        answer.timed_out = reply.ec == asio::error::timed_out;
    } else {
        answer.status = reply.status;
        answer.body = std::move(reply.body);
    }
    co_return std::move(answer);
}

awaitable<void> Server::probe(Deadline deadline)
{
    // Not within a namespace: the health of the server is the root's affair.
    HttpRequest request;
    request.target = "/v1/sys/health?standbyok=true&perfstandbyok=true";
    add_field(request, "X-Vault-Request", "true");
    const HttpReply reply = co_await http_.send(request, deadline);
    judge(reply, true);
}

awaitable<void> Server::watch()
{
    for (;;) {
        const auto wait = circuit_.has_failed() ? circuit_.next_probe() : options_.idle_probe;
        pause_.expires_after(wait);
        watch_paused_ = true;
        (void)co_await pause_.async_wait(no_throw);
        watch_paused_ = false;
        if (circuit_.has_failed() || Clock::now() >= heard_from_ + options_.idle_probe)
            co_await probe(Clock::now() + options_.timeout);
    }
}

void Server::judge(const HttpReply& reply, bool is_probe)
{
    if (reply.ec)
        note_failure(reply.detail);
    else if (is_out_of_service(reply.status) || (is_probe && reply.status != 200))
        note_failure(reply.status == 503 ? "sealed, or out of service (status 503)" : "status " + std::to_string(reply.status));
    else
        note_success();
}

void Server::note_failure(std::string_view detail)
{
    const bool is_first = !circuit_.has_failed();
    if (circuit_.failed()) {
        http_.close_idle();
        if (options_.up != nullptr)
            options_.up->set(0);
        log(LogLevel::error, "vault.unreachable", {{"host", options_.host}, {"detail", detail}});
    }
    if (is_first && watch_paused_)
        pause_.cancel(); // the watch looks sooner from now on
}

void Server::note_success()
{
    heard_from_ = Clock::now();
    if (!circuit_.succeeded())
        return;
    if (options_.up != nullptr)
        options_.up->set(1);
    log(LogLevel::info, "vault.reachable", {{"host", options_.host}});
    if (on_return)
        on_return();
}

void Server::complain(std::string_view event, std::string_view what, const Answer& answer)
{
    const auto now = Clock::now();
    if (last_complaint_ == event && now < complained_at_ + k_between_complaints)
        return;
    last_complaint_ = event;
    complained_at_ = now;
    log(LogLevel::error, event, {{"what", what}, {"status", std::to_string(answer.status)}, {"errors", errors_in(answer)}});
}

} // namespace gw::hashicorp
