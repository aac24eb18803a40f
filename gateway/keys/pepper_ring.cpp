#include "keys/pepper_ring.hpp"

#include "domain/api_key.hpp"
#include "observe/log.hpp"
#include "ports/secret_vault.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace gw {

namespace {

namespace json = boost::json;

constexpr int k_looks_a_second = 10;

std::optional<Pepper> to_pepper(const json::value& value)
{
    const json::object* object = value.if_object();
    if (!object)
        return std::nullopt;
    const json::value* id = object->if_contains("id");
    const json::value* secret = object->if_contains("value");
    const json::value* since = object->if_contains("since");
    if (!id || !id->is_string() || id->get_string().empty() || !secret || !secret->is_string() ||
        secret->get_string().size() != 64 || (since && !since->is_int64()))
        return std::nullopt;
    Pepper pepper;
    pepper.id = std::string{id->get_string()};
    pepper.value = Secret{std::string{secret->get_string()}};
    pepper.since = WallTime{std::chrono::milliseconds{since ? since->get_int64() : 0}};
    return pepper;
}

} // namespace

std::vector<Pepper> parse_peppers(const Secret& text)
{
    std::array<unsigned char, 4096> memory; // the parsed copy lives here only, and is wiped
    std::vector<Pepper> peppers;
    {
        json::monotonic_resource resource{memory.data(), memory.size()};
        boost::system::error_code ec;
        const json::value root = json::parse({text.reveal().data(), text.reveal().size()}, ec, &resource);
        const json::value* list = !ec && root.is_object() ? root.get_object().if_contains("peppers") : nullptr;
        if (list && list->is_array())
            for (const json::value& item : list->get_array()) {
                auto pepper = to_pepper(item);
                if (!pepper || peppers.size() == PepperRing::k_generations) {
                    peppers.clear();
                    break;
                }
                peppers.push_back(std::move(*pepper));
            }
    }
    wipe(memory.data(), memory.size());
    return peppers;
}

Secret peppers_to_json(const std::vector<Pepper>& peppers)
{
    std::string text;
    text.reserve(64 + peppers.size() * 160); // at once: growing would leave copies behind
    text += R"({"format":1,"peppers":[)";
    for (const Pepper& pepper : peppers) {
        text.append(&pepper == peppers.data() ? "" : ",").append(R"({"id":")").append(pepper.id);
        text.append(R"(","value":")").append(pepper.value.reveal()).append(R"(","since":)");
        text.append(std::to_string(pepper.since.time_since_epoch().count())).append("}");
    }
    text += "]}";
    return Secret{std::move(text)};
}

Pepper fresh_pepper(WallTime since)
{
    std::array<unsigned char, 32> bytes{};
    random_bytes(bytes);
    Pepper pepper;
    pepper.id = random_base62(8);
    pepper.value = Secret{to_hex(bytes)};
    pepper.since = since;
    wipe(bytes.data(), bytes.size());
    return pepper;
}

awaitable<result<void>> PepperRing::load(SecretVault& vault, bool may_create)
{
    // A second node may create the entry between our read and our write: then its entry is the one.
    for (int attempt = 0; attempt < 3; ++attempt) {
        auto refreshed = co_await refresh(vault);
        if (!refreshed || !empty())
            co_return refreshed;
        if (!may_create)
            co_return make_error_code(errc::not_found);
        std::vector<Pepper> peppers;
        peppers.push_back(fresh_pepper(WallTime{}));
        const Secret fresh = peppers_to_json(peppers);
        const auto written = co_await vault.write(path_, fresh, 0);
        if (!written && written.error() != errc::conflict)
            co_return written.error();
    }
    co_return make_error_code(errc::conflict);
}

awaitable<result<void>> PepperRing::refresh(SecretVault& vault)
{
    auto entry = co_await vault.read(path_);
    if (!entry)
        co_return entry.error();
    if (!*entry)
        co_return result<void>{};
    std::vector<Pepper> peppers = parse_peppers((*entry)->data);
    if (peppers.empty())
        co_return make_error_code(errc::corrupt);
    install(std::move(peppers));
    co_return result<void>{};
}

awaitable<void> PepperRing::look_again(SecretVault& vault)
{
    const auto second = std::chrono::steady_clock::now().time_since_epoch() / std::chrono::seconds{1};
    if (looks_second_.exchange(second, std::memory_order_relaxed) != second)
        looks_.store(0, std::memory_order_relaxed);
    if (looks_.fetch_add(1, std::memory_order_relaxed) >= k_looks_a_second)
        co_return;
    const auto refreshed = co_await refresh(vault);
    if (!refreshed)
        log(LogLevel::warn, "peppers.refresh_failed", {{"reason", refreshed.error().message()}});
}

// Peppers are told apart by their ids: those that are known stay where readers have them.
void PepperRing::install(std::vector<Pepper> peppers)
{
    const std::lock_guard lock{mutex_};
    Live live{};
    for (std::size_t i = 0; i < peppers.size(); ++i) {
        const auto known = std::find_if(peppers_.begin(), peppers_.end(), [&](const Pepper& p) { return p.id == peppers[i].id; });
        live[i] = known != peppers_.end() ? &*known : &peppers_.emplace_back(std::move(peppers[i]));
    }
    const Live* before = live_.load(std::memory_order_acquire);
    if (before && *before == live)
        return;
    live_.store(&lives_.emplace_back(live), std::memory_order_release);
    if (before)
        log(LogLevel::info, "peppers.rotated", {{"current", live[0]->id}});
}

const Pepper& PepperRing::current(WallTime now) const noexcept
{
    const Live& live = *live_.load(std::memory_order_acquire);
    return live[1] && now < live[0]->since ? *live[1] : *live[0];
}

const Pepper* PepperRing::find(std::string_view id) const noexcept
{
    const Live* live = live_.load(std::memory_order_acquire);
    if (live)
        for (const Pepper* pepper : *live)
            if (pepper && pepper->id == id)
                return pepper;
    return nullptr;
}

} // namespace gw
