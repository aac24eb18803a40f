// Holds the token that requests carry: logs in with AppRole or starts from a given token, renews it in time, logs
// in again when it cannot be renewed or was refused, and backs off while that fails.
// One executor, that of the Server.
#pragma once

#include "adapters/hashicorp/server.hpp"
#include "adapters/hashicorp/token_lease.hpp"
#include "net/waiting_list.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace gw::hashicorp {

class Authentication {
public:
    // Both must outlive this.
    Authentication(Executor executor, Server& server, const VaultOptions& options);

    // Keeps the token alive. Ends by cancellation.
    awaitable<void> keep();

    struct Token {
        std::shared_ptr<const WipedString> text; // empty: there is none, and none can be had now
        std::uint64_t generation = 0;
    };
    // The current token. Waits for one only while it is being fetched.
    awaitable<Token> token(Deadline deadline);
    // The server refused a request that carried the token of `generation`. True if there is a newer one to try:
    // either already, or because the server does not know the old one any more and a new one was to be had.
    awaitable<bool> replaced(std::uint64_t generation, Deadline deadline);

    // Something may work now that did not before: ends the pause of the back-off.
    void hurry() noexcept;

private:
    enum class Outcome { done, denied, failed };
    awaitable<Outcome> obtain();
    awaitable<Outcome> log_in();
    awaitable<Outcome> look_up(std::string_view token, std::optional<TokenLease>& lease);
    awaitable<Outcome> renew();
    awaitable<void> check_suspect();
    awaitable<void> care(TokenLease::Care due);
    awaitable<void> pause_until(MonoTime until);
    void adopt(WipedString token, TokenLease lease);
    bool is_usable(MonoTime now) const noexcept { return token_ && lease_ && !lease_->is_expired(now); }
    Deadline step_deadline() const noexcept { return MonoTime::clock::now() + options_.timeout; }

    Executor executor_;
    Server& server_;
    const VaultOptions& options_;
    std::shared_ptr<const WipedString> token_;
    std::optional<TokenLease> lease_;
    std::uint64_t generation_ = 0;
    bool fetching_ = true;        // until the first attempt has ended, and during each later one without a token
    std::uint64_t suspect_ = 0;   // the generation that was refused and is to be looked up
    std::uint64_t checked_ = 0;   // the generation that was looked up last and found good, at `checked_at_`
    MonoTime checked_at_{};
    unsigned failures_ = 0;
    MonoTime retry_at_{};
    Timer pause_;
    WaitingList waiting_;
};

} // namespace gw::hashicorp
