// What every SecretVault must do. An adapter's test calls it with a function that makes a world:
//
//   TEST_CASE("local vault: keeps the contract", "[contract]")
//   {
//       secret_vault_contract([] { return LocalVaultWorld{}; });
//   }
//
// A world is an empty vault somewhere. `world.open(context)` gives a std::unique_ptr<SecretVault> onto it,
// whose I/O runs on that context; each is what another node would hold. A world outlives what it opened.
#pragma once

#include "contract/fault_of.hpp"
#include "ports/secret_vault.hpp"
#include "support/run_awaitable.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace gw {

namespace detail {

inline Secret secret_text(std::string text)
{
    return Secret{std::move(text)};
}

// Reads on a context; the entry's text, or empty if there is none.
inline std::optional<std::string> text_at(asio::io_context& context, SecretVault& vault,
                                          const std::string& path)
{
    const auto found = run(context, vault.read(path));
    REQUIRE(found.has_value());
    if (!*found)
        return std::nullopt;
    return std::string{(*found)->data.reveal()};
}

// Several nodes, one thread each, write the same entry at once expecting `expected`. How many succeeded, and
// how many were told of a conflict.
struct RaceOutcome {
    int written = 0, conflicts = 0, others = 0;
    std::string winner;
};

template <class World>
RaceOutcome race_writes(World& world, const std::string& path, std::uint64_t expected, int nodes)
{
    std::atomic<int> waiting{nodes};
    std::vector<result<std::uint64_t>> results(static_cast<std::size_t>(nodes),
                                               result<std::uint64_t>{errc::busy});
    std::vector<std::thread> threads;
    for (int node = 0; node < nodes; ++node)
        threads.emplace_back([&, node] {
            asio::io_context& context = world.context();
            const auto vault = world.open(context);
            const Secret mine = secret_text("node " + std::to_string(node));
            for (--waiting; waiting.load() > 0;)
                std::this_thread::yield();
            results[static_cast<std::size_t>(node)] = run(context, vault->write(path, mine, expected));
        });
    for (auto& thread : threads)
        thread.join();

    RaceOutcome outcome;
    for (std::size_t node = 0; node < results.size(); ++node) {
        if (results[node]) {
            ++outcome.written;
            outcome.winner = "node " + std::to_string(node);
        } else
            ++(results[node].error() == errc::conflict ? outcome.conflicts : outcome.others);
    }
    return outcome;
}

} // namespace detail

template <class MakeWorld>
void secret_vault_contract(MakeWorld make_world)
{
    using detail::secret_text;
    using detail::text_at;
    auto world = make_world();
    asio::io_context& context = world.context();
    const auto vault = world.open(context);
    const std::string path = "api_keys/acme/4fQz0c9XkT2mB7aP";

    SECTION("what was never written reads as nothing")
    {
        CHECK_FALSE(text_at(context, *vault, path));
    }

    SECTION("what was written is read back, byte for byte, with its version")
    {
        const std::string text = GENERATE(as<std::string>{}, "{}", R"({"versions":[{"hash":"$2b$10$x"}]})",
                                          "{\"text\":\"gr\xc3\xbc\xc3\x9f\\n\"}",
                                          "{\"long\":\"" + std::string(100'000, 'x') + "\"}");
        const auto written = run(context, vault->write(path, secret_text(text), 0));
        REQUIRE(written);
        CHECK(*written == 1);
        const auto found = run(context, vault->read(path));
        REQUIRE((found && *found));
        CHECK((*found)->data.reveal() == text);
        CHECK((*found)->version == 1);
    }

    SECTION("each write that names the current version makes the next one")
    {
        for (std::uint64_t version = 0; version < 5; ++version) {
            const auto written =
                run(context, vault->write(path, secret_text(std::to_string(version)), version));
            REQUIRE(written);
            CHECK(*written == version + 1);
        }
        CHECK(text_at(context, *vault, path) == "4");
    }

    SECTION("a write that names another version is a conflict and changes nothing")
    {
        REQUIRE(run(context, vault->write(path, secret_text("first"), 0)));
        const std::uint64_t wrong = GENERATE(0u, 2u, 1000u);
        const auto written = run(context, vault->write(path, secret_text("second"), wrong));
        CHECK(fault_of(written) == errc::conflict);
        CHECK(text_at(context, *vault, path) == "first");
    }

    SECTION("a write that expects an entry where there is none is a conflict")
    {
        const auto written = run(context, vault->write(path, secret_text("first"), 1));
        CHECK(fault_of(written) == errc::conflict);
        CHECK_FALSE(text_at(context, *vault, path));
    }

    SECTION("a destroyed entry is gone, and its path can be written anew")
    {
        REQUIRE(run(context, vault->write(path, secret_text("first"), 0)));
        REQUIRE(run(context, vault->write(path, secret_text("second"), 1)));
        CHECK(run(context, vault->destroy(path)));
        CHECK_FALSE(text_at(context, *vault, path));
        const auto stale = run(context, vault->write(path, secret_text("stale"), 2));
        CHECK(fault_of(stale) == errc::conflict);
        CHECK(run(context, vault->write(path, secret_text("third"), 0)));
        CHECK(text_at(context, *vault, path) == "third");
    }

    SECTION("destroying what is not there is no error")
    {
        CHECK(run(context, vault->destroy(path)));
        REQUIRE(run(context, vault->write(path, secret_text("first"), 0)));
        CHECK(run(context, vault->destroy(path)));
        CHECK(run(context, vault->destroy(path)));
    }

    SECTION("paths are kept apart, also where one is a part of another")
    {
        const std::vector<std::string> paths{
            "a", "a/b", "a/b/c", "b", "A", "a.b", "a-b", "users/ada@example.com", "..a", ".lock"};
        for (const auto& each : paths)
            REQUIRE(run(context, vault->write(each, secret_text("at " + each), 0)));
        for (const auto& each : paths)
            CHECK(text_at(context, *vault, each) == "at " + each);
        CHECK(run(context, vault->destroy("a/b")));
        CHECK(text_at(context, *vault, "a") == "at a");
        CHECK_FALSE(text_at(context, *vault, "a/b"));
        CHECK(text_at(context, *vault, "a/b/c") == "at a/b/c");
    }

    SECTION("a path outside the rules is invalid for every operation")
    {
        const std::string bad =
            GENERATE(as<std::string>{}, "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a/..",
                     "a/./b", "a b", "a\nb", "a+b", "a\\b", "a%2fb", "a?b", "gr\xc3\xbc\xc3\x9f");
        INFO(bad);
        const auto found = run(context, vault->read(bad));
        CHECK(fault_of(found) == errc::invalid);
        const auto written = run(context, vault->write(bad, secret_text("x"), 0));
        CHECK(fault_of(written) == errc::invalid);
        const auto destroyed = run(context, vault->destroy(bad));
        CHECK(fault_of(destroyed) == errc::invalid);
    }

    SECTION("another node sees every change at once")
    {
        asio::io_context& other_context = world.context();
        const auto other = world.open(other_context);
        CHECK_FALSE(text_at(other_context, *other, path));
        REQUIRE(run(context, vault->write(path, secret_text("first"), 0)));
        CHECK(text_at(other_context, *other, path) == "first");
        REQUIRE(run(other_context, other->write(path, secret_text("second"), 1)));
        CHECK(text_at(context, *vault, path) == "second");
        const auto late = run(context, vault->write(path, secret_text("late"), 1));
        CHECK(fault_of(late) == errc::conflict);
        REQUIRE(run(other_context, other->destroy(path)));
        CHECK_FALSE(text_at(context, *vault, path));
    }

    SECTION("of many nodes that write at once, exactly one wins")
    {
        constexpr int nodes = 6;
        for (std::uint64_t round = 0; round < 5; ++round) {
            const auto outcome = detail::race_writes(world, path, round, nodes);
            CHECK(outcome.written == 1);
            CHECK(outcome.conflicts == nodes - 1);
            CHECK(outcome.others == 0);
            CHECK(text_at(context, *vault, path) == outcome.winner);
        }
    }
}

} // namespace gw
