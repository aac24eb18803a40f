// See single_client.hpp.
#include "adapters/redis/single_client.hpp"

namespace gw::redis {
namespace {

// The server did nothing, and another one, or this one a little later, would: a primary that became a
// replica, one that still loads, one that has lost its replicas.
bool serves_nobody(std::string_view error)
{
    return error == "READONLY" || error == "LOADING" || error == "MASTERDOWN" || error == "NOREPLICAS";
}

awaitable<result<Server>> always(Server server)
{
    co_return server;
}

} // namespace

SingleClient::SingleClient(Executor executor, const Options& options)
    : options_(options), tls_(tls_context_of(options))
{
    Dialing dialing;
    dialing.user = options.user;
    dialing.password = &options.password;
    dialing.database = options.database;
    dialing.command_timeout = options.command_timeout;
    dialing.connect_timeout = options.connect_timeout;
    dialing.max_reply_bytes = options.max_reply_bytes;
    dialing.tls = tls_.get();
    if (options.sentinel) {
        sentinels_ = new Sentinels{executor, options, tls_.get(), figures_};
        dialing.must_be_primary = true;
        dialing.where = [sentinels = sentinels_] { return Sentinels::primary(sentinels); };
    } else {
        dialing.where = [server = options.server] { return always(server); };
    }
    connection_ = new Connection{executor, std::move(dialing), figures_};
    Connection::start(connection_);
    if (sentinels_)
        Sentinels::watch(sentinels_, connection_);
}

SingleClient::~SingleClient()
{
    connection_->close();
    if (sentinels_)
        sentinels_->close();
}

bool SingleClient::start(Pending& pending)
{
    pending.filter_ = this;
    pending.deadline_ = std::chrono::steady_clock::now() + options_.command_timeout;
    if (connection_->submit(pending))
        return true;
    ++figures_.refused;
    return false;
}

void SingleClient::settle(Pending& pending, result<Reply> answer)
{
    if (!answer || !answer->is_error()) {
        pending.answered(std::move(answer));
        return;
    }
    const std::string_view error = answer->error_code();
    if (error == "NOSCRIPT" && pending.command_.script != nullptr && !pending.in_full_) {
        pending.in_full_ = true;
        ++figures_.in_full;
        if (connection_->submit(pending))
            return;
        answer = make_error_code(errc::unavailable);
    } else if (serves_nobody(error)) {
        connection_->drop("the server answers " + std::string{error});
        answer = make_error_code(errc::unavailable);
    }
    pending.answered(std::move(answer));
}

} // namespace gw::redis
