// See usage_recorder.hpp.
#include "request/usage_recorder.hpp"

#include "domain/principal.hpp"

#include <functional>

namespace gw {

namespace {
constexpr std::size_t k_first_cells = 512;
} // namespace

UsageRecorder::UsageRecorder(std::size_t max_rows) : max_rows_(max_rows)
{
    for (Table& table : tables_) {
        table.cells.resize(k_first_cells);
        table.filled.reserve(k_first_cells / 2);
    }
}

// The cell of this key, version, route and minute, or the free one where it belongs.
UsageRecorder::Cell* UsageRecorder::find(Table& table, const Principal* principal, std::uint32_t version,
                                         std::uint32_t route, WallTime minute) noexcept
{
    const std::size_t mask = table.cells.size() - 1;
    std::size_t at = principal != nullptr ? std::hash<KeyId>{}(principal->key.id) : 0;
    at ^= (route + 1) * 0x9E3779B97F4A7C15u ^ version * 0xC2B2AE3D27D4EB4Fu;
    at ^= at >> 29;
    for (;; ++at) {
        Cell& cell = table.cells[at & mask];
        if (!cell.used)
            return &cell;
        const bool same_key = principal != nullptr
                                  ? cell.principal != nullptr && cell.principal->key.id == principal->key.id
                                  : cell.principal == nullptr;
        if (same_key && cell.version == version && cell.route == route && cell.minute == minute)
            return &cell;
    }
}

void UsageRecorder::grow(Table& table)
{
    Table bigger;
    bigger.cells.resize(table.cells.size() * 2);
    bigger.filled.reserve(table.cells.size());
    for (const std::uint32_t index : table.filled) {
        Cell& old = table.cells[index];
        Cell* place = find(bigger, old.principal.get(), old.version, old.route, old.minute);
        *place = std::move(old);
        bigger.filled.push_back(static_cast<std::uint32_t>(place - bigger.cells.data()));
    }
    table = std::move(bigger);
}

void UsageRecorder::add(const std::shared_ptr<const Principal>& principal, std::uint32_t version, std::uint32_t route,
                        WallTime now, const Address& client, const UsageCounts& counts)
{
    Table& table = tables_[active_];
    const WallTime minute = std::chrono::floor<std::chrono::minutes>(now);
    Cell* cell = find(table, principal.get(), version, route, minute);
    if (!cell->used) {
        if (table.filled.size() >= max_rows_) {
            dropped_ += counts.requests;
            return;
        }
        if (table.filled.size() * 2 >= table.cells.size()) {
            grow(table);
            cell = find(table, principal.get(), version, route, minute);
        }
        cell->used = true;
        cell->principal = principal;
        cell->version = version;
        cell->route = route;
        cell->minute = minute;
        table.filled.push_back(static_cast<std::uint32_t>(cell - table.cells.data()));
    }
    cell->counts.add(counts);
    cell->last_used = now;
    cell->address = client;
}

bool UsageRecorder::swap() noexcept
{
    if (!other_is_free_)
        return false;
    active_ ^= 1;
    other_is_free_ = false;
    return true;
}

void UsageRecorder::take(const std::vector<std::string>& route_ids, std::vector<UsageRow>& rows,
                         std::vector<LastUse>& uses)
{
    Table& table = tables_[active_ ^ 1];
    for (const std::uint32_t index : table.filled) {
        Cell& cell = table.cells[index];
        UsageRow row;
        row.minute = cell.minute;
        if (cell.principal) {
            row.tenant = cell.principal->key.tenant.str();
            row.key = cell.principal->key.id;
            uses.push_back({cell.principal->key.id, cell.version, cell.last_used, cell.address});
        }
        row.version = cell.version;
        if (cell.route < route_ids.size())
            row.route = route_ids[cell.route];
        row.counts = cell.counts;
        rows.push_back(std::move(row));
        cell = Cell{};
    }
    table.filled.clear();
    other_is_free_ = true;
}

} // namespace gw
