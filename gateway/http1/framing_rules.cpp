#include "http1/framing_rules.hpp"

#include "http1/field_name.hpp"

namespace gw::http1 {
namespace {

using enum ParseResult::Status;

constexpr ParseResult k_fine{complete, HeadError::none, ""};

constexpr ParseResult ambiguous(const char* detail) noexcept
{
    return {refused, HeadError::ambiguous_framing, detail};
}

// What is above this overflows in servers with signed lengths.
constexpr std::uint64_t k_max_length = INT64_MAX;
// More options than this in Connection only cost time.
constexpr int k_max_connection_options = 32;

ParseResult read_length(std::string_view value, std::uint64_t& length) noexcept
{
    if (value.empty())
        return ambiguous("Content-Length is empty");
    std::uint64_t total = 0;
    for (const char c : value) {
        if (c < '0' || c > '9')
            return ambiguous("Content-Length is not one decimal number");
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (total > (k_max_length - digit) / 10)
            return ambiguous("Content-Length is too large");
        total = total * 10 + digit;
    }
    length = total;
    return k_fine;
}

// Exactly "chunked". Any other list either has no sure end (400) or asks for a coding that we lack (501).
ParseResult read_transfer_coding(std::string_view value) noexcept
{
    if (equals_without_case(value, "chunked"))
        return k_fine;
    std::string_view list = value, member;
    int chunked = 0;
    bool last_is_chunked = false;
    while (next_list_member(list, member)) {
        const std::string_view coding = trim(member.substr(0, member.find(';')));
        if (coding.empty())
            return ambiguous("Transfer-Encoding has an empty member");
        for (const char c : coding) {
            if (!is_in(c, k_token))
                return ambiguous("Transfer-Encoding is malformed");
        }
        last_is_chunked = equals_without_case(coding, "chunked");
        if (last_is_chunked && coding.size() != member.size())
            return ambiguous("chunked takes no parameters");
        chunked += last_is_chunked ? 1 : 0;
    }
    if (chunked > 1 || (chunked == 1 && !last_is_chunked))
        return ambiguous("Transfer-Encoding must end in chunked, once");
    return {refused, HeadError::unknown_transfer_coding, "only the transfer coding chunked is understood"};
}

void nominate(std::span<Field> fields, std::string_view name) noexcept
{
    for (Field& field : fields) {
        if (may_be_nominated(field.id) && equals_without_case(field.name, name))
            field.nominated = true;
    }
}

} // namespace

const Field& FieldList::get(FieldName id) const noexcept
{
    std::size_t i = 0;
    while (fields[i].id != id)
        ++i;
    return fields[i];
}

ParseResult read_framing(const FieldList& list, int minor_version, Framing& framing) noexcept
{
    framing = {};
    const bool coded = list.has(FieldName::transfer_encoding);
    framing.has_length = list.has(FieldName::content_length);
    if (coded && framing.has_length)
        return ambiguous("both Content-Length and Transfer-Encoding are given");
    if (coded) {
        if (minor_version == 0)
            return ambiguous("HTTP/1.0 has no Transfer-Encoding");
        if (list.has_several(FieldName::transfer_encoding))
            return ambiguous("Transfer-Encoding is given more than once");
        framing.chunked = true;
        return read_transfer_coding(list.get(FieldName::transfer_encoding).value);
    }
    if (!framing.has_length)
        return k_fine;
    if (list.has_several(FieldName::content_length))
        return ambiguous("Content-Length is given more than once");
    return read_length(list.get(FieldName::content_length).value, framing.length);
}

ParseResult read_connection(const FieldList& list, ConnectionOptions& options) noexcept
{
    options = {};
    if (!list.has(FieldName::connection))
        return k_fine;
    if (!list.has_several(FieldName::connection) &&
        equals_without_case(list.get(FieldName::connection).value, "keep-alive")) {
        options.keep_alive = true; // nearly always all that it says
        return k_fine;
    }
    int count = 0;
    for (const Field& field : list.fields) {
        if (field.id != FieldName::connection)
            continue;
        std::string_view rest = field.value, member;
        while (next_list_member(rest, member)) {
            if (++count > k_max_connection_options)
                return {refused, HeadError::malformed, "Connection has too many options"};
            if (equals_without_case(member, "keep-alive"))
                options.keep_alive = true;
            else if (equals_without_case(member, "close"))
                options.close = true;
            else if (equals_without_case(member, "upgrade"))
                options.upgrade = true;
            else
                nominate(list.fields, member);
        }
    }
    return k_fine;
}

bool has_list_member(const FieldList& list, FieldName id, std::string_view member) noexcept
{
    for (const Field& field : list.fields) {
        if (field.id != id)
            continue;
        std::string_view rest = field.value, each;
        while (next_list_member(rest, each)) {
            if (equals_without_case(trim(each.substr(0, each.find(';'))), member))
                return true;
        }
    }
    return false;
}

} // namespace gw::http1
