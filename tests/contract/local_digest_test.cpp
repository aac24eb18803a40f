// The local digest store: the contract, and what happens to its files behind its back.
#include "adapters/local/digest_store.hpp"
#include "adapters/local/secret_vault.hpp"

#include "contract/digest_store_contract.hpp"
#include "contract/local_world.hpp"

#include <catch2/catch.hpp>

using namespace gw;

namespace {

using LocalDigestWorld = LocalWorld<local::DigestStore>;

const KeyId id = *KeyId::parse("4fQz0c9XkT2mB7aP");

} // namespace

TEST_CASE("local digests: keep the contract", "[contract]")
{
    digest_store_contract([] { return LocalDigestWorld{}; });
}

TEST_CASE("local digests: survive a restart, so that nothing is hashed again", "[contract]")
{
    LocalDigestWorld world;
    asio::io_context& context = world.context();
    const auto digests = detail::digests_of(3, {1, 2});
    REQUIRE(run(context, world.open(context)->put(id, digests)));
    CHECK(detail::digests_at(context, *world.open(context), id) == digests);
}

TEST_CASE("local digests: a spoiled entry is corrupt until the next put replaces it", "[contract]")
{
    LocalDigestWorld world;
    asio::io_context& context = world.context();
    const auto store = world.open(context);
    const auto digests = detail::digests_of(3, {1});
    REQUIRE(run(context, store->put(id, digests)));
    const std::string damage = GENERATE(as<std::string>{}, "", "garbage", std::string(200, '\0'));
    put_bytes(file_named(world.folder(), id.str()), damage);

    const auto found = run(context, store->find(id));
    CHECK(fault_of(found) == errc::corrupt);
    CHECK(run(context, store->put(id, detail::digests_of(1, {2}))));
    CHECK(detail::digests_at(context, *store, id) == detail::digests_of(1, {2}));
}

TEST_CASE("local digests: an entry under another key's name is corrupt", "[contract]")
{
    LocalDigestWorld world;
    asio::io_context& context = world.context();
    const auto store = world.open(context);
    const KeyId other = *KeyId::parse("9zQz0c9XkT2mB7aP");
    REQUIRE(run(context, store->put(id, detail::digests_of(3, {1}))));
    REQUIRE(run(context, store->put(other, detail::digests_of(3, {1}))));
    put_bytes(file_named(world.folder(), other.str()), bytes_of(file_named(world.folder(), id.str())));

    const auto found = run(context, store->find(other));
    CHECK(fault_of(found) == errc::corrupt);
}

TEST_CASE("local digests: share folder and master key with the vault, and nothing else", "[contract]")
{
    LocalDigestWorld world;
    asio::io_context& context = world.context();
    const auto store = world.open(context);
    local::SecretVault vault{world.folder(), std::nullopt, world.pool()};
    REQUIRE(run(context, store->put(id, detail::digests_of(3, {1}))));
    const std::string path = "4f/" + id.str();
    REQUIRE(run(context, vault.write(path, Secret{std::string{"a secret"}}, 0)));

    // The same path and version, under the same master key: still no entry of the other store.
    const auto digest_file = file_named(world.folder() / "digests", id.str());
    const auto entry_file = file_named(world.folder() / "entries", id.str());
    put_bytes(entry_file, bytes_of(digest_file));
    const auto found = run(context, vault.read(path));
    CHECK(fault_of(found) == errc::corrupt);
}

TEST_CASE("local digests: a lost key file is noticed by either store, whichever starts first", "[contract]")
{
    LocalDigestWorld world;
    asio::io_context& context = world.context();
    {
        const local::SecretVault vault{world.folder(), std::nullopt, world.pool()};
    }
    std::filesystem::remove(world.key_file());
    CHECK_THROWS_WITH(world.open(context), Catch::Contains("is missing"));
    CHECK_FALSE(std::filesystem::exists(world.key_file()));
}
