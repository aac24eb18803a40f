// The exchanges of one worker that a key has opened and that have not ended: long responses, long uploads,
// requests on their way. When the key ends (revoked, disabled, expired, its version over, its tenant
// suspended), they are cut, in the middle of whatever they do. A narrower grant (scopes, addresses, plan)
// counts from the next request on.
//
// A change says only whose record has changed. So the exchanges concerned are doubted first, and stay so
// until the record has been read (exchange_review.hpp); where that takes too long they are cut unheard.
//
// One thread. Entering, leaving and being looked for allocate nothing.
#pragma once

#include "domain/time.hpp"
#include "net/stream.hpp"
#include "net/upstream_pool.hpp"
#include "request/exchange.hpp"

#include <array>
#include <chrono>
#include <optional>

namespace gw {

class OpenExchanges {
public:
    // A doubted exchange is cut after this time: less than the five seconds of DESIGN.md section 5.
    static constexpr std::chrono::seconds k_patience{4};

    explicit OpenExchanges(WorkerMetrics& metrics) noexcept : metrics_(metrics) {}
    OpenExchanges(const OpenExchanges&) = delete;
    OpenExchanges& operator=(const OpenExchanges&) = delete;

    // An exchange's place here. Neither may move; `x` and `client` must outlive the entry.
    class Entry {
    public:
        Entry(Exchange& x, Stream& client) noexcept : x_(x), client_(client) {}
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        ~Entry() { leave(); }

        // From now on a change of x.caller's key reaches the exchange: to be called in the same turn in which
        // the key was found good. Does nothing for a request without a key.
        void enter(OpenExchanges& list) noexcept;
        void leave() noexcept;
        // What is read from and written to besides the client; null while there is none. Must stay where it
        // is.
        void set_upstream(UpstreamLease* lease) noexcept { upstream_ = lease; }

    private:
        friend class OpenExchanges;
        const KeyRecord& key() const noexcept { return x_.principal()->key; }
        void cut(Refusal why) noexcept;

        Exchange& x_;
        Stream& client_;
        UpstreamLease* upstream_ = nullptr;
        OpenExchanges* list_ = nullptr;
        Entry* next_ = nullptr;
        Entry** place_ = nullptr;            // what points to this
        WallTime ends_at_ = WallTime::max(); // when the caller's right to it runs out by itself,
        Refusal ends_as_ = Refusal::none;    // and what that is then called
        std::uint64_t doubt_ = 0;            // number of the change that is to be looked into; 0: none
        MonoTime doubted_at_{};
    };

    // From the change feed. True if an exchange is doubted now.
    bool apply(const Change& change, MonoTime now) noexcept;

    struct Doubt {
        KeyId key;
        std::uint64_t number = 0; // of the newest change of the subject
    };
    std::optional<Doubt> any_doubt() const noexcept;
    // The key's record, read after `doubt` was returned (null: there is no such key): cuts or clears the
    // exchanges that were doubted for nothing newer.
    void settle(const Doubt& doubt, const KeyRecord* record, WallTime wall) noexcept;
    // Cuts what has expired, and what has been doubted for too long. Called on each sweep.
    void sweep(MonoTime now, WallTime wall) noexcept;

    std::size_t size() const noexcept { return size_; }

private:
    static constexpr std::size_t k_buckets = 1024;

    static std::size_t bucket_of(const KeyId& id) noexcept { return std::hash<KeyId>{}(id) >> 54; }
    void doubt(Entry& entry, MonoTime now) noexcept;
    void clear(Entry& entry) noexcept;
    void expect_end(Entry& entry, const KeyRecord& key) noexcept;
    void cut(Entry& entry, Refusal why) noexcept;
    template <class F>
    void for_each(F f) noexcept;

    WorkerMetrics& metrics_;
    std::array<Entry*, k_buckets> buckets_{}; // by key_id
    std::size_t size_ = 0, doubted_ = 0;
    std::uint64_t changes_ = 0;            // that doubted anything
    WallTime first_end_ = WallTime::max(); // no exchange ends by itself before
};

} // namespace gw
