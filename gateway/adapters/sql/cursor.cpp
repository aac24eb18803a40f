#include "adapters/sql/cursor.hpp"

#include "adapters/sql/record_codec.hpp"

#include <charconv>

namespace gw::sql {

namespace {

constexpr std::string_view k_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
// First character of the decoded text: a later format would have another.
constexpr char k_format = '1';

std::string to_base64url(std::string_view bytes)
{
    std::string out;
    std::uint32_t bits = 0;
    int held = 0;
    for (const char byte : bytes) {
        bits = bits << 8 | static_cast<unsigned char>(byte);
        for (held += 8; held >= 6; held -= 6)
            out += k_alphabet[bits >> (held - 6) & 63];
    }
    if (held > 0)
        out += k_alphabet[bits << (6 - held) & 63];
    return out;
}

std::optional<std::string> from_base64url(std::string_view text)
{
    std::string out;
    std::uint32_t bits = 0;
    int held = 0;
    for (const char c : text) {
        const auto value = k_alphabet.find(c);
        if (value == std::string_view::npos)
            return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        held += 6;
        if (held >= 8) {
            held -= 8;
            out += static_cast<char>(bits >> held & 255);
        }
    }
    return out;
}

} // namespace

bool sorts_by_name(KeyQuery::Sort sort) noexcept
{
    return sort == KeyQuery::Sort::name_asc || sort == KeyQuery::Sort::name_desc;
}

bool is_descending(KeyQuery::Sort sort) noexcept
{
    return sort == KeyQuery::Sort::created_desc || sort == KeyQuery::Sort::name_desc;
}

Cursor Cursor::after(const KeyRecord& record, KeyQuery::Sort sort)
{
    Cursor cursor;
    cursor.sort = sort;
    cursor.id = record.id;
    if (sorts_by_name(sort))
        cursor.name_key = to_lower_ascii(record.name);
    else
        cursor.created_at = record.created_at.time_since_epoch().count();
    return cursor;
}

std::string Cursor::encode() const
{
    std::string text{k_format, static_cast<char>('0' + static_cast<int>(sort))};
    text += id.view();
    text += sorts_by_name(sort) ? name_key : std::to_string(created_at);
    return to_base64url(text);
}

std::optional<Cursor> Cursor::decode(std::string_view text, KeyQuery::Sort sort)
{
    const auto decoded = from_base64url(text);
    constexpr std::size_t k_head = 2 + KeyId::k_length;
    if (!decoded || decoded->size() < k_head || (*decoded)[0] != k_format ||
        (*decoded)[1] != static_cast<char>('0' + static_cast<int>(sort)))
        return std::nullopt;
    const auto id = KeyId::parse(std::string_view{*decoded}.substr(2, KeyId::k_length));
    if (!id)
        return std::nullopt;
    Cursor cursor;
    cursor.sort = sort;
    cursor.id = *id;
    const std::string_view value = std::string_view{*decoded}.substr(k_head);
    if (sorts_by_name(sort)) {
        cursor.name_key = value;
        return cursor;
    }
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), cursor.created_at);
    if (error != std::errc{} || end != value.data() + value.size())
        return std::nullopt;
    return cursor;
}

} // namespace gw::sql
