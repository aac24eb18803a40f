// Counts usage of one worker without allocation or locks on its thread: an open-addressed table that is swapped
// for an empty one when the flush asks, and read by the flush while the worker fills the other.
#pragma once

#include "domain/ids.hpp"
#include "domain/network.hpp"
#include "domain/usage.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gw {

struct Principal;

class UsageRecorder {
public:
    // At most `max_rows` rows between two flushes; what goes beyond is counted in dropped().
    explicit UsageRecorder(std::size_t max_rows = 65536);

    // Worker's thread. `principal` may be empty; it is kept alive until the flush.
    void add(const std::shared_ptr<const Principal>& principal, std::uint32_t version, std::uint32_t route,
             WallTime now, const Address& client, const UsageCounts& counts);
    std::uint64_t dropped() const noexcept { return dropped_; }

    // Worker's thread: makes what was counted so far available to take(). False if the last part was not taken.
    bool swap() noexcept;
    // The flush's thread, after swap() returned true: the rows, which are then cleared and given back.
    // `route_ids` by route index; beyond them is "no route".
    void take(const std::vector<std::string>& route_ids, std::vector<UsageRow>& rows, std::vector<LastUse>& uses);

private:
    struct Cell {
        std::shared_ptr<const Principal> principal;
        std::uint32_t version = 0, route = 0;
        WallTime minute{}, last_used{};
        Address address;
        UsageCounts counts;
        bool used = false;
    };
    struct Table {
        std::vector<Cell> cells;           // a power of two of them
        std::vector<std::uint32_t> filled; // indices, in order of first use
    };
    static Cell* find(Table& table, const Principal* principal, std::uint32_t version, std::uint32_t route,
                      WallTime minute) noexcept;
    void grow(Table& table);

    std::size_t max_rows_;
    Table tables_[2];
    int active_ = 0;
    bool other_is_free_ = true; // handed over by the posts that order swap() and take()
    std::uint64_t dropped_ = 0;
};

} // namespace gw
