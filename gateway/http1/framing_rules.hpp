// What the fields of a head say about its message: where the body ends, whether the connection stays, which
// fields Connection names. RFC 9112 sections 6 and 9, taken strictly: what two readers could understand
// differently is refused.
#pragma once

#include "http1/head_parser.hpp"

#include <cstdint>
#include <span>

namespace gw::http1 {

// The fields of a head, with a note of which known names occur.
struct FieldList {
    std::span<Field> fields;
    std::uint64_t seen = 0, repeated = 0; // bit i: FieldName i

    static constexpr std::uint64_t bit(FieldName id) noexcept
    {
        return std::uint64_t{1} << static_cast<unsigned>(id);
    }
    bool has(FieldName id) const noexcept { return (seen & bit(id)) != 0; }
    bool has_several(FieldName id) const noexcept { return (repeated & bit(id)) != 0; }
    // The first field of this name; there must be one.
    const Field& get(FieldName id) const noexcept;
};

struct Framing {
    bool chunked = false, has_length = false;
    std::uint64_t length = 0;
};
// Content-Length and Transfer-Encoding together.
ParseResult read_framing(const FieldList& list, int minor_version, Framing& framing) noexcept;

struct ConnectionOptions {
    bool close = false, keep_alive = false, upgrade = false;
};
// Reads Connection and marks the fields that it nominates.
ParseResult read_connection(const FieldList& list, ConnectionOptions& options) noexcept;

// Whether any field `id` has this member in its comma-separated list, parameters aside.
bool has_list_member(const FieldList& list, FieldName id, std::string_view member) noexcept;

} // namespace gw::http1
