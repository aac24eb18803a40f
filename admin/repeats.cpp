// Bookkeeping behind Idempotency-Key.
#include "admin/repeats.hpp"

namespace gw {

void Repeats::forget_old(WallTime now)
{
    while (!by_age_.empty()) {
        const auto& [begun, identity] = by_age_.front();
        if (begun + k_kept > now && entries_.size() < k_max_entries)
            return;
        const auto found = entries_.find(identity);
        if (found != entries_.end() && found->second.begun == begun)
            entries_.erase(found);
        by_age_.pop_front();
    }
}

Repeats::Found Repeats::begin(const std::string& identity, const Sha256& body, WallTime now)
{
    forget_old(now);
    Found found;
    const auto [entry, is_new] = entries_.try_emplace(identity);
    if (is_new) {
        entry->second.body = body;
        entry->second.begun = now;
        by_age_.emplace_back(now, identity);
        return found;
    }
    if (entry->second.body != body)
        found.status = Status::other_body;
    else if (!entry->second.done)
        found.status = Status::in_progress;
    else
        found.status = Status::finished;
    found.object = entry->second.object;
    return found;
}

void Repeats::finished(const std::string& identity, std::string object)
{
    const auto found = entries_.find(identity);
    if (found == entries_.end())
        return; // pushed out by newer ones
    found->second.done = true;
    found->second.object = std::move(object);
}

void Repeats::failed(const std::string& identity)
{
    entries_.erase(identity);
}

} // namespace gw
