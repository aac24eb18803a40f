// What a database holds, in memory, for FakeKeyStore and FakeTenantStore: the two share tenants, the change sequence
// and the audit log as the real adapters do. Any thread. Faults are switched on by call name or for all calls.
#pragma once

#include "domain/errors.hpp"
#include "domain/key_record.hpp"
#include "net/asio.hpp"
#include "ports/key_store.hpp"

#include <boost/asio/post.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace gw {

// Lets other coroutines of the same worker run, as any real call of a store does.
inline awaitable<void> yield_once()
{
    co_await asio::post(co_await asio::this_coro::executor, may_throw);
}

// Counts calls by name and says which of them fail.
class FakeFaults {
public:
    void fail(const std::string& call)
    {
        const std::lock_guard lock{mutex_};
        failing_.insert(call);
    }
    void fail_all(bool down = true) { down_ = down; }
    void heal()
    {
        const std::lock_guard lock{mutex_};
        failing_.clear();
        down_ = false;
    }
    std::size_t calls(const std::string& call) const
    {
        const std::lock_guard lock{mutex_};
        const auto found = calls_.find(call);
        return found == calls_.end() ? 0 : found->second;
    }
    std::size_t all_calls() const
    {
        const std::lock_guard lock{mutex_};
        std::size_t sum = 0;
        for (const auto& [name, count] : calls_)
            sum += count;
        return sum;
    }
    // To be asked once by every call.
    bool fails(const std::string& call)
    {
        const std::lock_guard lock{mutex_};
        ++calls_[call];
        return down_ || failing_.contains(call);
    }

private:
    mutable std::mutex mutex_;
    std::set<std::string> failing_;
    std::map<std::string, std::size_t> calls_;
    std::atomic<bool> down_{false};
};

struct FakeDatabase {
    std::mutex mutex;
    std::map<std::string, Tenant> tenants;
    std::map<KeyId, KeyRecord> keys;
    std::vector<Change> changes;
    std::vector<AuditEntry> audit;
    std::vector<KeyStore::Destruction> outbox;
    std::map<std::pair<ForeignIndex, Sha256>, KeyId> imported;
    std::function<WallTime()> clock = wall_now;
    FakeFaults faults;

    // The rest is for calls that hold the mutex.
    void write_audit(const AuditEntry& why)
    {
        audit.push_back(why);
        audit.back().sequence = audit.size();
    }
    void write_change(Change::Subject subject, std::string id, std::uint64_t record_version)
    {
        Change change;
        change.sequence = changes.size() + 1;
        change.subject = subject;
        change.id = std::move(id);
        change.record_version = record_version;
        change.at = clock();
        changes.push_back(std::move(change));
    }
    // The key as find returns it.
    KeyRecord shown(const KeyRecord& stored) const
    {
        KeyRecord record = stored;
        if (const auto tenant = tenants.find(record.tenant.str()); tenant != tenants.end()) {
            record.tenant_suspended = tenant->second.suspended;
            record.tenant_plan = tenant->second.plan;
        }
        return record;
    }
    KeyRecord commit(KeyRecord& record, const AuditEntry& why)
    {
        ++record.record_version;
        record.updated_at = clock();
        write_audit(why);
        write_change(Change::Subject::key, record.id.str(), record.record_version);
        return shown(record);
    }
    bool is_external_id_taken(const KeyRecord& record) const
    {
        for (const auto& [id, other] : keys)
            if (record.external_id && id != record.id && other.tenant == record.tenant &&
                other.external_id == record.external_id)
                return true;
        return false;
    }
};

} // namespace gw
