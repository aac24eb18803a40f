// The warm path of the ladder allocates nothing: every operator new of this thread is counted.
#include "keys/key_import.hpp"
#include "unit/verification/ladder_world.hpp"

#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <new>

namespace {

thread_local bool counting = false;
thread_local std::size_t allocations = 0;

void* counted(std::size_t size)
{
    if (counting)
        ++allocations;
    if (void* memory = std::malloc(size ? size : 1))
        return memory;
    throw std::bad_alloc{};
}

} // namespace

void* operator new(std::size_t size)
{
    return counted(size);
}
void* operator new[](std::size_t size)
{
    return counted(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
    return counted(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept
{
    return counted(size);
}
void operator delete(void* memory) noexcept
{
    std::free(memory);
}
void operator delete[](void* memory) noexcept
{
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept
{
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept
{
    std::free(memory);
}

using namespace gw;
using Ending = Verification::Outcome;

TEST_CASE("ladder: an answer from memory allocates nothing", "[verification][measured]")
{
    SharedWorld world;
    TestWorker worker{world};
    const IssuedKey issued = world.issue();
    REQUIRE(worker.outcome(issued.key.reveal()) == Ending::verified);
    const std::string right{issued.key.reveal()}, wrong = wrong_secret(issued.record.id), missing = random_key();
    const std::string malformed = "pc_live_0000";

    int verified = 0, unknown = 0, asks = 0, bad = 0;
    allocations = 0;
    counting = true;
    for (int i = 0; i < 1000; ++i) {
        verified += worker.from_memory(right) == Ending::verified ? 1 : 0;
        unknown += worker.from_memory(wrong) == Ending::unknown ? 1 : 0;
        asks += worker.from_memory(missing) == Ending::ask ? 1 : 0;
        bad += worker.from_memory(malformed) == Ending::malformed ? 1 : 0;
    }
    counting = false;
    CHECK(allocations == 0);
    CHECK(verified == 1000);
    CHECK(unknown == 1000);
    CHECK(asks == 1000);
    CHECK(bad == 1000);
}

TEST_CASE("ladder: an answer about an imported key from memory allocates nothing", "[verification][measured]")
{
    SharedWorld world;
    TestWorker worker{world};
    const std::string text = "a-key-of-another-gateway", stranger = "a-key-of-nobody-at-all";
    const KeyImport::Stores used{world.keys, world.vault, world.peppers, world.hashing, 1};
    KeyImport importing{test_rules(), used, operator_actor()};
    importing.clock = [&] { return world.now; };
    ForeignText plain;
    plain.key = text;
    std::vector<ImportRow> rows(1);
    rows[0].request = wanted_key();
    rows[0].key = *read_foreign_key(plain, "pc");
    REQUIRE(run(importing.prepare(false)));
    REQUIRE(run(importing.import(std::move(rows)))[0].key);
    REQUIRE(run(world.foreign.refresh(world.keys, world.vault)));
    REQUIRE(worker.outcome(text) == Ending::verified);

    int verified = 0, asks = 0;
    allocations = 0;
    counting = true;
    for (int i = 0; i < 1000; ++i) {
        verified += worker.from_memory(text) == Ending::verified ? 1 : 0;
        asks += worker.from_memory(stranger) == Ending::ask ? 1 : 0;
    }
    counting = false;
    CHECK(allocations == 0);
    CHECK(verified == 1000);
    CHECK(asks == 1000);
}
