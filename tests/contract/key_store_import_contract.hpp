// What every KeyStore does with keys of other gateways: both halves for many at once, and the index.
#pragma once

#include "contract/stores_under_test.hpp"

namespace gw::contract {

inline ForeignDigest digest_of(const std::string& key, ForeignIndex index = ForeignIndex::sha256)
{
    return foreign_digest("pepper", index, foreign_index_value(index, key));
}

inline std::optional<KeyStore::ImportedKey> imported_as(KeyStore& keys, const ForeignDigest& digest)
{
    return run(keys.find_imported({&digest, 1})).value();
}

inline void key_import_contract(const MakeStores& make)
{
    const auto stores = make();
    auto& keys = stores->keys();
    stores->add_tenant("acme");
    const KeyId first = key_id(numbered_id(1)), second = key_id(numbered_id(2));
    const auto activation = [&](const KeyId& id, const ForeignDigest& digest) {
        return KeyStore::Activation{id, digest, stores->why("key.import", id.str())};
    };
    const auto reserve = [&](std::initializer_list<int> numbers) {
        std::vector<KeyRecord> pending;
        for (const int number : numbers)
            pending.push_back(stores->pending_key(numbered_id(number)));
        const auto codes = run(keys.reserve_all(pending, true)).value();
        for (const auto& code : codes)
            CHECK_FALSE(code);
    };

    SECTION("imported_indexes: empty until something is imported, then those in use")
    {
        CHECK(run(keys.imported_indexes()).value().empty());
        reserve({1, 2});
        CHECK(run(keys.imported_indexes()).value().empty());
        run(keys.activate_all({activation(first, digest_of("first key")),
                               activation(second, digest_of("second.key", ForeignIndex::dot_prefix))}))
            .value();
        ForeignIndexes expected;
        expected.insert(ForeignIndex::sha256);
        expected.insert(ForeignIndex::dot_prefix);
        CHECK(run(keys.imported_indexes()).value() == expected);
    }
    SECTION("reserve_all, activate_all, find_imported: the key is active, found by its digest and by no other")
    {
        reserve({1, 2});
        CHECK(run(keys.find(first)).value()->status == KeyStatus::pending);
        const ForeignDigest digest = digest_of("first key");
        CHECK_FALSE(imported_as(keys, digest));
        const auto before = run(keys.last_change()).value();
        const auto codes = run(keys.activate_all({activation(first, digest), activation(second, digest_of("second key"))})).value();
        REQUIRE(codes.size() == 2);
        CHECK_FALSE(codes[0]);
        CHECK_FALSE(codes[1]);

        const auto record = run(keys.find(first)).value().value();
        CHECK(record.status == KeyStatus::active);
        CHECK(record.versions[0].is_live(stores->now()));
        const auto found = imported_as(keys, digest);
        REQUIRE(found);
        CHECK(found->key == first);
        CHECK(found->index == ForeignIndex::sha256);
        ForeignDigest other_index = digest;
        other_index.index = ForeignIndex::sha1;
        CHECK_FALSE(imported_as(keys, other_index));
        CHECK_FALSE(imported_as(keys, digest_of("third key")));

        CHECK(run(keys.changes_after(before, 10)).value().size() == 2);
        AuditQuery query;
        query.target = first.str();
        const auto audit = run(stores->audit().list(query)).value();
        REQUIRE(audit.size() == 1);
        CHECK(audit[0].action == "key.import");
    }
    SECTION("find_imported: of several digests the one that is there, with its index")
    {
        reserve({1});
        run(keys.activate_all({activation(first, digest_of("a key", ForeignIndex::md5))})).value();
        const std::vector<ForeignDigest> asked{digest_of("a key"), digest_of("a key", ForeignIndex::md5)};
        const auto found = run(keys.find_imported(asked)).value();
        REQUIRE(found);
        CHECK(found->key == first);
        CHECK(found->index == ForeignIndex::md5);
        CHECK_FALSE(run(keys.find_imported({})).value());
    }
    SECTION("reserve_all: a code for each; faulty ones keep nothing back from the others")
    {
        KeyRecord fine = stores->pending_key(numbered_id(1)), stranger = stores->pending_key(numbered_id(2), "x", "nobody");
        KeyRecord twin = stores->pending_key(numbered_id(3)), other = stores->pending_key(numbered_id(4));
        fine.external_id = twin.external_id = "ext-1";
        const auto codes = run(keys.reserve_all({fine, stranger, twin, other}, true)).value();
        REQUIRE(codes.size() == 4);
        CHECK_FALSE(codes[0]);
        CHECK(codes[1] == errc::not_found);
        CHECK(codes[2] == errc::conflict);
        CHECK_FALSE(codes[3]);
        CHECK(run(keys.find(fine.id)).value());
        CHECK_FALSE(run(keys.find(twin.id)).value());
        CHECK(run(keys.find(other.id)).value());
    }
    SECTION("reserve_all: a rehearsal answers the same and keeps nothing")
    {
        stores->add_key(numbered_id(1));
        const auto changes = run(keys.last_change()).value();
        const auto codes =
            run(keys.reserve_all({stores->pending_key(numbered_id(1)), stores->pending_key(numbered_id(2))}, false)).value();
        REQUIRE(codes.size() == 2);
        CHECK(codes[0] == errc::conflict);
        CHECK_FALSE(codes[1]);
        CHECK_FALSE(run(keys.find(second)).value());
        CHECK(run(keys.last_change()).value() == changes);
        CHECK(run(keys.reserve(stores->pending_key(numbered_id(2)))).has_value());
    }
    SECTION("activate_all: a taken digest is a conflict and leaves its key pending; so is a key that is not")
    {
        reserve({1, 2});
        stores->add_key(numbered_id(3));
        const auto codes = run(keys.activate_all({activation(first, digest_of("a key")), activation(second, digest_of("a key")),
                                                  activation(key_id(numbered_id(3)), digest_of("b key")),
                                                  activation(key_id(numbered_id(9)), digest_of("c key"))}))
                               .value();
        REQUIRE(codes.size() == 4);
        CHECK_FALSE(codes[0]);
        CHECK(codes[1] == errc::conflict);
        CHECK(codes[2] == errc::conflict);
        CHECK(codes[3] == errc::not_found);
        CHECK(run(keys.find(second)).value()->status == KeyStatus::pending);
        CHECK_FALSE(imported_as(keys, digest_of("b key")));
        CHECK(imported_as(keys, digest_of("a key"))->key == first);
    }
    SECTION("find_imported: a revoked key is still found, and its digest stays taken")
    {
        reserve({1, 2});
        run(keys.activate_all({activation(first, digest_of("a key"))})).value();
        run(keys.revoke(first, std::nullopt, stores->why("key.revoke", first.str()))).value();
        CHECK(imported_as(keys, digest_of("a key"))->key == first);
        CHECK(run(keys.activate_all({activation(second, digest_of("a key"))})).value()[0] == errc::conflict);
    }
    SECTION("activate_all: of eight at once for one digest, one succeeds")
    {
        reserve({1, 2, 3, 4, 5, 6, 7, 8});
        std::atomic<int> succeeded{0}, conflicts{0};
        in_parallel(8, [&](int i) {
            const auto codes = run(keys.activate_all({activation(key_id(numbered_id(i + 1)), digest_of("a key"))}));
            succeeded += codes.has_value() && !(*codes)[0];
            conflicts += codes.has_value() && (*codes)[0] == errc::conflict;
        });
        CHECK(succeeded == 1);
        CHECK(conflicts == 7);
    }
}

} // namespace gw::contract
