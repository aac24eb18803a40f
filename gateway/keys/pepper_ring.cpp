// The pepper entry as JSON: {"format":1,"peppers":[{"id":"...","value":"<64 hex digits>"}]}, newest first.
#include "keys/pepper_ring.hpp"

#include "domain/api_key.hpp"
#include "ports/secret_vault.hpp"

#include <boost/json.hpp>

#include <array>

namespace gw {

namespace {

namespace json = boost::json;

const std::string k_path = "platform/pepper";
constexpr std::size_t k_generations = 2;

using Peppers = std::vector<std::unique_ptr<Pepper>>;

Secret fresh_entry()
{
    std::array<unsigned char, 32> bytes{};
    random_bytes(bytes);
    Secret hex{to_hex(bytes)};
    wipe(bytes.data(), bytes.size());
    std::string text = R"({"format":1,"peppers":[{"id":")" + random_base62(8) + R"(","value":")";
    text.reserve(text.size() + hex.reveal().size() + 4); // so that no copy is left behind by growing
    text.append(hex.reveal()).append("\"}]}");
    return Secret{std::move(text)};
}

std::unique_ptr<Pepper> to_pepper(const json::value& value)
{
    const json::object* object = value.if_object();
    if (!object)
        return nullptr;
    const json::value* id = object->if_contains("id");
    const json::value* secret = object->if_contains("value");
    if (!id || !id->is_string() || id->get_string().empty() || !secret || !secret->is_string() ||
        secret->get_string().size() != 64)
        return nullptr;
    auto pepper = std::make_unique<Pepper>();
    pepper->id = std::string{id->get_string()};
    pepper->value = Secret{std::string{secret->get_string()}};
    return pepper;
}

// Empty if the entry is not what fresh_entry writes.
Peppers parse_entry(const Secret& text)
{
    std::array<unsigned char, 4096> memory; // the parsed copy lives here only, and is wiped
    Peppers peppers;
    {
        json::monotonic_resource resource{memory.data(), memory.size()};
        boost::system::error_code ec;
        const json::value root = json::parse({text.reveal().data(), text.reveal().size()}, ec, &resource);
        const json::value* list = !ec && root.is_object() ? root.get_object().if_contains("peppers") : nullptr;
        if (list && list->is_array())
            for (const json::value& item : list->get_array()) {
                auto pepper = to_pepper(item);
                if (!pepper || peppers.size() == k_generations) {
                    peppers.clear();
                    break;
                }
                peppers.push_back(std::move(pepper));
            }
    }
    wipe(memory.data(), memory.size());
    return peppers;
}

} // namespace

awaitable<result<void>> PepperRing::load(SecretVault& vault, bool may_create)
{
    // A second node may create the entry between our read and our write: then its entry is the one.
    for (int attempt = 0; attempt < 3; ++attempt) {
        auto entry = co_await vault.read(k_path);
        if (!entry)
            co_return entry.error();
        if (*entry) {
            Peppers peppers = parse_entry((*entry)->data);
            if (peppers.empty())
                co_return make_error_code(errc::corrupt);
            peppers_ = std::move(peppers);
            co_return result<void>{};
        }
        if (!may_create)
            co_return make_error_code(errc::not_found);
        const Secret fresh = fresh_entry();
        auto written = co_await vault.write(k_path, fresh, 0);
        if (!written && written.error() != errc::conflict)
            co_return written.error();
    }
    co_return make_error_code(errc::conflict);
}

const Pepper* PepperRing::find(std::string_view id) const noexcept
{
    for (const auto& pepper : peppers_)
        if (pepper->id == id)
            return pepper.get();
    return nullptr;
}

} // namespace gw
