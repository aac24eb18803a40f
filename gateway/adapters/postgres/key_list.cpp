#include "adapters/postgres/key_list.hpp"

#include "adapters/postgres/key_rows.hpp"
#include "adapters/sql/cursor.hpp"
#include "adapters/sql/record_codec.hpp"

namespace gw::postgres {

using namespace sql;

namespace {

constexpr std::size_t k_largest_page = 100;

// The condition of a query, with what its $1, $2, ... stand for.
struct Where {
    std::string sql = " WHERE k.status <> 'pending'";
    Parameters values;

    template <class T>
    std::string value(const T& given)
    {
        values.add(given);
        return "$" + std::to_string(values.values().size());
    }
    template <class T>
    void add(std::string_view before, const T& given, std::string_view after = "")
    {
        sql.append(" AND ").append(before).append(value(given)).append(after);
    }
};

Where where_of(const KeyQuery& query, const std::optional<Cursor>& after)
{
    Where where;
    if (query.tenant)
        where.add("k.tenant = ", query.tenant->str());
    if (query.owner)
        where.add("k.owner_id = ", *query.owner);
    if (query.status)
        where.add("k.status = ", to_string(*query.status));
    if (query.environment)
        where.add("k.environment = ", to_string(*query.environment));
    if (!query.text.empty())
        where.add("strpos(k.search_text, ", to_lower_ascii(query.text), ") > 0");
    if (after) {
        const std::string compare = is_descending(query.sort) ? " < (" : " > (";
        if (sorts_by_name(query.sort))
            where.add("(k.name_key, k.key_id)" + compare, after->name_key);
        else
            where.add("(k.created_at, k.key_id)" + compare, after->created_at);
        where.sql += ", " + where.value(after->id.view()) + ")";
    }
    return where;
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

    Where where = where_of(query, after);
    const std::string limit = where.value(query.limit + 1); // one more tells whether there is a next page
    const auto rows = connection.run("SELECT " + std::string{k_key_columns} +
                                         " FROM keys AS k LEFT JOIN tenants AS t ON t.id = k.tenant" +
                                         where.sql + order_of(query.sort) + " LIMIT " + limit,
                                     where.values);
    for (int i = 0; i < rows.size(); ++i) {
        if (page.keys.size() == query.limit) {
            page.next_cursor = Cursor::after(page.keys.back(), query.sort).encode();
            break;
        }
        page.keys.push_back(read_key(rows[i]));
    }
    return page;
}

} // namespace gw::postgres
