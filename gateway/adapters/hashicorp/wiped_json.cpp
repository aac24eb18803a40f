// See wiped_json.hpp.
#include "adapters/hashicorp/wiped_json.hpp"

#include "domain/secret.hpp"

#include <array>
#include <new>

namespace gw::hashicorp {

void* WipingMemory::do_allocate(std::size_t bytes, std::size_t alignment)
{
    return ::operator new(bytes, std::align_val_t{alignment});
}

void WipingMemory::do_deallocate(void* memory, std::size_t bytes, std::size_t alignment)
{
    wipe(memory, bytes);
    ::operator delete(memory, std::align_val_t{alignment});
}

std::optional<json::object> parse_object(std::string_view text, WipingMemory& memory)
{
    json::parser parser{json::storage_ptr{&memory}};
    parser.reset(json::storage_ptr{&memory});
    boost::system::error_code ec;
    parser.write(text.data(), text.size(), ec);
    if (ec)
        return std::nullopt;
    json::value value = parser.release();
    if (!value.is_object())
        return std::nullopt;
    return std::move(value.get_object());
}

const json::object* object_in(const json::object& parent, std::string_view name)
{
    const json::value* found = parent.if_contains({name.data(), name.size()});
    return found != nullptr ? found->if_object() : nullptr;
}

std::optional<std::string_view> text_in(const json::object& parent, std::string_view name)
{
    const json::value* found = parent.if_contains({name.data(), name.size()});
    if (found == nullptr || !found->is_string())
        return std::nullopt;
    return std::string_view{found->get_string().data(), found->get_string().size()};
}

std::optional<std::uint64_t> number_in(const json::object& parent, std::string_view name)
{
    const json::value* found = parent.if_contains({name.data(), name.size()});
    if (found == nullptr || !found->is_int64() || found->get_int64() < 0)
        return std::nullopt;
    return static_cast<std::uint64_t>(found->get_int64());
}

bool flag_in(const json::object& parent, std::string_view name)
{
    const json::value* found = parent.if_contains({name.data(), name.size()});
    return found != nullptr && found->is_bool() && found->get_bool();
}

void append_quoted(WipedString& out, std::string_view text)
{
    json::serializer serializer;
    serializer.reset(json::string_view{text.data(), text.size()});
    std::array<char, 1024> piece;
    while (!serializer.done()) {
        const json::string_view written = serializer.read(piece.data(), piece.size());
        out.append(written.data(), written.size());
    }
    wipe(piece.data(), piece.size());
}

} // namespace gw::hashicorp
