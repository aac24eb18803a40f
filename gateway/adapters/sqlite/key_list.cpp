#include "adapters/sqlite/key_list.hpp"

#include "adapters/sql/cursor.hpp"
#include "adapters/sql/record_codec.hpp"
#include "adapters/sqlite/key_rows.hpp"

#include <variant>

namespace gw::sqlite {

using namespace sql;

namespace {

constexpr std::size_t k_largest_page = 100;

// The condition of a query, with what is bound to it, from left to right.
struct Where {
    std::string sql = " WHERE k.status <> 'pending'";
    std::vector<std::variant<std::int64_t, std::string>> values;

    void add(std::string_view condition, std::variant<std::int64_t, std::string> value)
    {
        sql.append(" AND ").append(condition);
        values.push_back(std::move(value));
    }
};

Where where_of(const KeyQuery& query, const std::optional<Cursor>& after)
{
    Where where;
    if (query.tenant)
        where.add("k.tenant = ?", query.tenant->str());
    if (query.owner)
        where.add("k.owner_id = ?", *query.owner);
    if (query.status)
        where.add("k.status = ?", std::string{to_string(*query.status)});
    if (query.environment)
        where.add("k.environment = ?", std::string{to_string(*query.environment)});
    if (!query.text.empty())
        where.add("instr(k.search_text, ?) > 0", to_lower_ascii(query.text));
    if (after) {
        const std::string compare = is_descending(query.sort) ? " < " : " > ";
        if (sorts_by_name(query.sort))
            where.add("(k.name_key, k.key_id)" + compare + "(?, ?)", after->name_key);
        else
            where.add("(k.created_at, k.key_id)" + compare + "(?, ?)", after->created_at);
        where.values.emplace_back(after->id.str());
    }
    return where;
}

// Named, not left to the planner: it has no statistics and would at times walk a million rows of the table.
std::string_view index_for(const KeyQuery& query)
{
    if (query.owner)
        return "keys_by_owner";
    if (query.tenant)
        return sorts_by_name(query.sort) ? "keys_by_tenant_name" : "keys_by_tenant_created";
    return sorts_by_name(query.sort) ? "keys_by_name" : "keys_by_created";
}

std::string order_of(KeyQuery::Sort sort)
{
    const std::string direction = is_descending(sort) ? " DESC" : " ASC";
    return std::string{" ORDER BY k."} + (sorts_by_name(sort) ? "name_key" : "created_at") + direction +
           ", k.key_id" + direction;
}

} // namespace

result<KeyPage> list_keys(Connection& connection, const KeyQuery& query)
{
    if (query.limit == 0 || query.limit > k_largest_page)
        return errc::invalid;
    std::optional<Cursor> after;
    if (!query.cursor.empty() && !(after = Cursor::decode(query.cursor, query.sort)))
        return errc::invalid;
    KeyPage page;
    if (query.text.find('\n') != std::string::npos) // would match across the lines of search_text
        return page;

    const Where where = where_of(query, after);
    auto rows =
        connection.prepare("SELECT " + std::string{k_key_columns} + " FROM keys AS k INDEXED BY " +
                           std::string{index_for(query)} + " LEFT JOIN tenants AS t ON t.id = k.tenant" +
                           where.sql + order_of(query.sort) + " LIMIT ?");
    for (const auto& value : where.values)
        std::visit([&](const auto& v) { rows.bind(v); }, value);
    rows.bind(query.limit + 1); // one more tells whether there is a next page
    while (rows.step()) {
        if (page.keys.size() == query.limit) {
            page.next_cursor = Cursor::after(page.keys.back(), query.sort).encode();
            break;
        }
        page.keys.push_back(read_key(rows));
    }
    for (auto& key : page.keys)
        read_versions(connection, key);
    return page;
}

} // namespace gw::sqlite
