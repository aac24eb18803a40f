// How long a token lives, and when something must be done about it. Decisions only, no I/O.
//
// A token is renewed at two thirds of its time to live. One that cannot be renewed, or whose renewals have become
// short because its maximum life nears, is replaced instead; only a role can do that.
#pragma once

#include "domain/time.hpp"

#include <chrono>

namespace gw::hashicorp {

class TokenLease {
public:
    // `ttl` zero: the token never expires.
    TokenLease(MonoTime now, std::chrono::seconds ttl, bool renewable) noexcept : granted_(ttl), ttl_(ttl), from_(now), renewable_(renewable) {}

    bool is_expired(MonoTime now) const noexcept { return expires() && now >= from_ + ttl_; }
    bool expires() const noexcept { return ttl_.count() > 0; }

    enum class Care { none, renew, replace };
    // What is due now.
    Care due(MonoTime now) const noexcept
    {
        if (now < due_at())
            return Care::none;
        return renewable_ && !nears_maximum() ? Care::renew : Care::replace;
    }
    // When due() will first be something; MonoTime::max() if never.
    MonoTime due_at() const noexcept
    {
        if (!expires())
            return MonoTime::max();
        return from_ + std::chrono::duration_cast<MonoTime::duration>(ttl_) * 2 / 3;
    }

    void renewed(MonoTime now, std::chrono::seconds ttl, bool renewable) noexcept
    {
        from_ = now;
        ttl_ = ttl;
        renewable_ = renewable;
        granted_ = std::max(granted_, ttl);
    }
    // A renewal gave less than half of what was once granted.
    bool nears_maximum() const noexcept { return expires() && ttl_ * 2 < granted_; }
    std::chrono::seconds ttl() const noexcept { return ttl_; }

private:
    std::chrono::seconds granted_, ttl_;
    MonoTime from_;
    bool renewable_;
};

} // namespace gw::hashicorp
