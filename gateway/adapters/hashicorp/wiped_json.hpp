// JSON in and out of the server's messages, in memory that is wiped when it is given back.
#pragma once

#include "net/wiped_string.hpp"

#include <boost/json.hpp>

#include <optional>
#include <string_view>

namespace gw::hashicorp {

namespace json = boost::json;

// Where parsed values live. Must outlive them. Not for several threads.
class WipingMemory final : public json::memory_resource {
    void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override;
    bool do_is_equal(const json::memory_resource& other) const noexcept override { return this == &other; }
};

// The object that `text` is; empty if it is none. Its values live in `memory`.
std::optional<json::object> parse_object(std::string_view text, WipingMemory& memory);

// Members that may not be there or be of another kind.
const json::object* object_in(const json::object& parent, std::string_view name);
std::optional<std::string_view> text_in(const json::object& parent, std::string_view name);
std::optional<std::uint64_t> number_in(const json::object& parent, std::string_view name);
bool flag_in(const json::object& parent, std::string_view name);

// Appends `text` as a JSON string, quoted.
void append_quoted(WipedString& out, std::string_view text);

} // namespace gw::hashicorp
