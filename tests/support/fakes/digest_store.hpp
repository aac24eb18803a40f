// A DigestStore in memory that behaves like the contract.
#pragma once

#include "ports/digest_store.hpp"
#include "support/fakes/database.hpp"

namespace gw {

class FakeDigestStore final : public DigestStore {
public:
    FakeFaults faults;

    awaitable<result<std::optional<VerifiedDigests>>> find(const KeyId& id) override
    {
        co_await yield_once();
        if (faults.fails("find"))
            co_return make_error_code(errc::unavailable);
        co_return stored(id);
    }

    awaitable<result<void>> put(const KeyId& id, const VerifiedDigests& digests) override
    {
        co_await yield_once();
        if (faults.fails("put"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{mutex_};
        VerifiedDigests& entry = entries_[id];
        if (entry.record_version <= digests.record_version)
            entry = digests;
        co_return result<void>{};
    }

    awaitable<result<void>> erase(const KeyId& id) override
    {
        co_await yield_once();
        if (faults.fails("erase"))
            co_return make_error_code(errc::unavailable);
        const std::lock_guard lock{mutex_};
        entries_.erase(id);
        co_return result<void>{};
    }

    // Around the contract, for tests: what is stored, and what an intruder in the store could write.
    std::optional<VerifiedDigests> stored(const KeyId& id) const
    {
        const std::lock_guard lock{mutex_};
        const auto found = entries_.find(id);
        if (found == entries_.end())
            return std::nullopt;
        return found->second;
    }
    void forge(const KeyId& id, VerifiedDigests digests)
    {
        const std::lock_guard lock{mutex_};
        entries_[id] = std::move(digests);
    }

private:
    mutable std::mutex mutex_;
    std::map<KeyId, VerifiedDigests> entries_;
};

} // namespace gw
