// See cluster_client.hpp.
#include "adapters/redis/cluster_client.hpp"

namespace gw::redis {
namespace {

constexpr std::chrono::milliseconds k_try_again{3};

} // namespace

ClusterClient::ClusterClient(Executor executor, const Options& options)
    : options_(options), tls_(tls_context_of(options)),
      table_(new SlotTable{executor, options, tls_.get(), figures_}), retry_timer_(executor)
{
    SlotTable::start(table_);
}

ClusterClient::~ClusterClient()
{
    table_->close();
    for (Pending* pending : std::exchange(again_, {})) {
        pending->waits_in_ = nullptr;
        pending->answered(make_error_code(errc::unavailable));
    }
}

bool ClusterClient::start(Pending& pending)
{
    pending.filter_ = this;
    pending.deadline_ = std::chrono::steady_clock::now() + options_.command_timeout;
    if (submit(pending))
        return true;
    ++figures_.refused;
    return false;
}

bool ClusterClient::submit(Pending& pending)
{
    if (pending.command_.key.empty())
        return table_->any().submit(pending);
    Connection* const owner = table_->owner_of(slot_of(pending.command_.key));
    return owner != nullptr && owner->submit(pending);
}

// Where the server said that it did nothing, the command goes elsewhere or once more.
void ClusterClient::settle(Pending& pending, result<Reply> answer)
{
    if (!answer || !answer->is_error()) {
        pending.answered(std::move(answer));
        return;
    }
    const std::string_view error = answer->error_code();
    if (error == "MOVED" || error == "ASK") {
        if (send_on(pending, *answer))
            return;
        answer = make_error_code(errc::unavailable);
    } else if (error == "TRYAGAIN") {
        ++figures_.redirected;
        retry_later(pending);
        return;
    } else if (error == "NOSCRIPT" && pending.command_.script != nullptr && !pending.in_full_) {
        pending.in_full_ = true;
        ++figures_.in_full;
        if (submit(pending))
            return;
        answer = make_error_code(errc::unavailable);
    } else if (error == "CLUSTERDOWN" || error == "LOADING" || error == "MASTERDOWN" || error == "READONLY" ||
               error == "NOREPLICAS") {
        table_->refresh_soon();
        answer = make_error_code(errc::unavailable);
    }
    pending.answered(std::move(answer));
}

bool ClusterClient::send_on(Pending& pending, const Reply& error)
{
    ++figures_.redirected;
    const std::uint16_t slot = slot_of(pending.command_.key);
    const auto redirection = redirection_in(error.text, table_->server_of(slot));
    if (!redirection || ++pending.redirects_ > k_max_redirections) {
        table_->refresh_soon();
        return false;
    }
    if (redirection->kind == Redirection::Kind::ask)
        return table_->connection_to(redirection->to).submit_asking(pending);
    table_->assign(redirection->slot, redirection->to);
    return table_->connection_to(redirection->to).submit(pending);
}

// Some of its keys have moved already and some have not: soon all will have.
void ClusterClient::retry_later(Pending& pending)
{
    again_.push_back(&pending);
    pending.waits_in_ = this;
    if (again_.size() > 1)
        return;
    retry_timer_.expires_after(k_try_again);
    // The table outlives this object there, and tells when it has gone.
    retry_timer_.async_wait([this, table = table_](const boost::system::error_code& ec) {
        if (!ec && !table->is_closed())
            retry();
    });
}

void ClusterClient::retry()
{
    const auto now = std::chrono::steady_clock::now();
    for (std::size_t left = again_.size(); left > 0 && !again_.empty(); --left) {
        Pending& pending = *again_.front();
        again_.erase(again_.begin());
        pending.waits_in_ = nullptr;
        if (pending.deadline_ <= now || !submit(pending))
            pending.answered(make_error_code(errc::unavailable));
    }
}

} // namespace gw::redis
