// The one script of the limiter, what it is asked about each counter, and what it answers. It charges counters of
// one hash tag all or none, lends tokens, takes back what was not spent and charges what was admitted during an
// outage: in one step, on Redis's own clock. In any window of length T at most burst + rate x T tokens leave a
// bucket, lent ones included, since it refills only to the burst less what is lent.
#pragma once

#include "adapters/redis/bucket_units.hpp"
#include "adapters/redis/client.hpp"
#include "domain/limit_policy.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gw::redis {

// A holder that has not renewed its slots for this long is taken for dead.
constexpr std::chrono::seconds k_slots_last{6};

struct CounterAsk {
    const LimitPolicy* policy = nullptr;
    // Tokens to charge now, or refuse. Of slots: how many this holder wants to have in all.
    std::uint64_t need = 0;
    // Tokens to charge beyond that for requests that wait already: as many as there are. Of slots: none.
    std::uint64_t more = 0;
    // Tokens to lend beyond that, if the counter can spare them. Of slots: 1 sets `need` without asking whether
    // there is room (fewer than before, or taken during an outage).
    std::uint64_t want = 0;
    std::uint64_t backlog = 0; // admitted during an outage: charged in any case; a bucket may fall to minus its burst
    // The lease held so far (of a quota: its window's start), which this call replaces: `keep` tokens of it go
    // on, `give` return. Nothing happens if it has ended there.
    std::string lease;
    std::uint64_t keep = 0, give = 0;
    // Names this call: the new lease, or the charge for `undo`. Of slots: the holder.
    std::string id;
    std::string undo;           // a bucket's charge to take back, if nobody has charged since
    std::uint64_t sequence = 0; // of slots: grows with each call; an older one is ignored
};

struct CounterReply {
    bool fits = false;                 // `need` was there
    std::int64_t level = 0;            // what is left, after this call and what it lent; negative: in debt
    std::chrono::microseconds wait{0}; // bucket: until `need` fits, or the next token; quota: until its window ends
    std::uint64_t lent = 0;
    std::int64_t extra = 0;            // bucket: 1 if the old lease was still known; quota: its window's start
    std::uint64_t more = 0;            // of those asked for
    unsigned holders = 0;              // bucket: leases that are out, this one's included
};

struct CallReply {
    bool admitted = false; // every enforced counter had its `need`; otherwise none was charged
    std::vector<CounterReply> counters;
};

const Script& limit_script();
void append_arguments(std::vector<std::string>& out, const CounterAsk& ask);
// Empty if it is not an answer of the script to so many counters.
std::optional<CallReply> parse_reply(const Reply& reply, std::size_t counters);

} // namespace gw::redis
