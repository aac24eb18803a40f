// What every DigestStore must do. Worlds are as in secret_vault_contract.hpp, with `open(context)` giving a
// std::unique_ptr<DigestStore>.
#pragma once

#include "contract/fault_of.hpp"
#include "ports/digest_store.hpp"
#include "support/run_awaitable.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace gw {

namespace detail {

inline VerifiedDigests digests_of(std::uint64_t record_version, std::vector<std::uint32_t> numbers)
{
    VerifiedDigests digests;
    digests.record_version = record_version;
    digests.pepper_id = "pepper01";
    for (const std::uint32_t number : numbers) {
        VerifiedDigests::Version version;
        version.number = number;
        version.digest = sha256("secret of version " + std::to_string(number));
        digests.versions.push_back(version);
    }
    return digests;
}

inline std::optional<VerifiedDigests> digests_at(asio::io_context& context, DigestStore& store,
                                                 const KeyId& id)
{
    auto found = run(context, store.find(id));
    REQUIRE(found.has_value());
    return std::move(*found);
}

} // namespace detail

template <class MakeWorld>
void digest_store_contract(MakeWorld make_world)
{
    using detail::digests_at;
    using detail::digests_of;
    auto world = make_world();
    asio::io_context& context = world.context();
    const auto store = world.open(context);
    const KeyId id = *KeyId::parse("4fQz0c9XkT2mB7aP"), neighbour = *KeyId::parse("4fQz0c9XkT2mB7aQ");

    SECTION("what was never put is not found")
    {
        CHECK_FALSE(digests_at(context, *store, id));
    }

    SECTION("what was put is found, under its own id only")
    {
        const VerifiedDigests digests =
            GENERATE(values<VerifiedDigests>({digests_of(1, {1}), digests_of(UINT64_MAX, {1, 2, UINT32_MAX}),
                                              digests_of(0, {}), VerifiedDigests{}}));
        REQUIRE(run(context, store->put(id, digests)));
        CHECK(digests_at(context, *store, id) == digests);
        CHECK_FALSE(digests_at(context, *store, neighbour));
    }

    SECTION("a put of the same or a newer record version replaces the entry")
    {
        const std::uint64_t version = GENERATE(7u, 8u);
        REQUIRE(run(context, store->put(id, digests_of(7, {1}))));
        REQUIRE(run(context, store->put(id, digests_of(version, {1, 2}))));
        CHECK(digests_at(context, *store, id) == digests_of(version, {1, 2}));
    }

    SECTION("a put of an older record version succeeds and writes nothing")
    {
        REQUIRE(run(context, store->put(id, digests_of(7, {1, 2}))));
        CHECK(run(context, store->put(id, digests_of(6, {1}))));
        CHECK(digests_at(context, *store, id) == digests_of(7, {1, 2}));
    }

    SECTION("record versions are compared as numbers")
    {
        REQUIRE(run(context, store->put(id, digests_of(10, {1}))));
        CHECK(run(context, store->put(id, digests_of(9, {2}))));
        CHECK(digests_at(context, *store, id) == digests_of(10, {1}));
        constexpr std::uint64_t beyond_a_double = 9'007'199'254'740'993;
        REQUIRE(run(context, store->put(id, digests_of(beyond_a_double, {1}))));
        CHECK(run(context, store->put(id, digests_of(beyond_a_double - 1, {2}))));
        CHECK(digests_at(context, *store, id) == digests_of(beyond_a_double, {1}));
    }

    SECTION("an erased entry is gone, and erasing what is not there is no error")
    {
        REQUIRE(run(context, store->put(id, digests_of(7, {1}))));
        REQUIRE(run(context, store->put(neighbour, digests_of(7, {3}))));
        CHECK(run(context, store->erase(id)));
        CHECK_FALSE(digests_at(context, *store, id));
        CHECK(digests_at(context, *store, neighbour) == digests_of(7, {3}));
        CHECK(run(context, store->erase(id)));
        REQUIRE(run(context, store->put(id, digests_of(1, {2}))));
        CHECK(digests_at(context, *store, id) == digests_of(1, {2}));
    }

    SECTION("another node sees every change at once")
    {
        asio::io_context& other_context = world.context();
        const auto other = world.open(other_context);
        REQUIRE(run(context, store->put(id, digests_of(7, {1}))));
        CHECK(digests_at(other_context, *other, id) == digests_of(7, {1}));
        REQUIRE(run(other_context, other->erase(id)));
        CHECK_FALSE(digests_at(context, *store, id));
    }

    SECTION("of puts from many nodes at once, the newest record version stays")
    {
        constexpr std::uint32_t nodes = 6;
        std::atomic<std::uint32_t> waiting{nodes};
        std::atomic<int> failed{0};
        std::vector<std::thread> threads;
        for (std::uint32_t node = 0; node < nodes; ++node)
            threads.emplace_back([&, node] {
                asio::io_context& own_context = world.context();
                const auto own = world.open(own_context);
                for (--waiting; waiting.load() > 0;)
                    std::this_thread::yield();
                for (std::uint32_t round = 0; round < 20; ++round)
                    if (!run(own_context, own->put(id, digests_of(round * nodes + node, {node}))))
                        ++failed;
            });
        for (auto& thread : threads)
            thread.join();
        CHECK(failed == 0);
        CHECK(digests_at(context, *store, id) == digests_of(20 * nodes - 1, {nodes - 1}));
    }
}

} // namespace gw
