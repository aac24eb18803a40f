// The opaque cursor of a list: where the next page begins, as base64url text.
#pragma once

#include "domain/key_record.hpp"
#include "ports/key_store.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gw::sql {

// The place behind one key, in one order.
struct Cursor {
    KeyQuery::Sort sort = KeyQuery::Sort::created_desc;
    KeyId id;                    // breaks ties
    std::string name_key;        // for orders by name
    std::int64_t created_at = 0; // for orders by creation, milliseconds

    static Cursor after(const KeyRecord& record, KeyQuery::Sort sort);
    std::string encode() const;
    // Empty if `text` is not a cursor, or one of another order.
    static std::optional<Cursor> decode(std::string_view text, KeyQuery::Sort sort);
};

bool sorts_by_name(KeyQuery::Sort sort) noexcept;
bool is_descending(KeyQuery::Sort sort) noexcept;

} // namespace gw::sql
