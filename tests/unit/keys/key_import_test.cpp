#include "keys/key_import.hpp"

#include "support/fakes/key_world.hpp"
#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using Status = ImportOutcome::Status;

namespace {

struct ImportWorld : KeyWorld {
    using KeyWorld::row;
    std::unique_ptr<KeyImport> importer()
    {
        const KeyImport::Stores stores{keys, vault, peppers, hashing, 1};
        auto one = std::make_unique<KeyImport>(test_rules(), stores, operator_actor());
        one->clock = [this] { return now; };
        return one;
    }
    std::vector<ImportOutcome> import(std::vector<ImportRow> rows, bool rehearsal = false)
    {
        const auto one = importer();
        if (!run(one->prepare(rehearsal)))
            throw std::logic_error("not prepared");
        auto outcomes = run(one->import(std::move(rows)));
        can_go_on = one->can_go_on();
        return outcomes;
    }
    static ImportRow row(std::size_t place, const std::string& key, CreateKey request = wanted_key())
    {
        ForeignText text;
        text.key = key;
        ImportRow out;
        out.place = place;
        out.request = std::move(request);
        out.key = *read_foreign_key(text, "pc");
        return out;
    }
    bool can_go_on = true;
};

} // namespace

TEST_CASE("key_import: a plain key becomes an active key with a Vault entry, a digest and an audit entry", "[keys]")
{
    ImportWorld world;
    const auto outcomes = world.import({ImportWorld::row(2, "0123456789abcdef")});
    REQUIRE(outcomes.size() == 1);
    REQUIRE(outcomes[0].status == Status::imported);
    CHECK(outcomes[0].place == 2);
    CHECK(outcomes[0].last4 == "cdef");

    const KeyRecord& record = world.row(*outcomes[0].key);
    CHECK(record.status == KeyStatus::active);
    CHECK(record.versions[0].last4 == "cdef");
    CHECK(record.created_by == "root");
    const auto entry = run(world.vault.read(vault_path(record.tenant, record.id))).value().value();
    const auto secrets = VaultRecord::from_json(entry.data).value();
    const Secret secret = foreign_secret(ForeignIndex::sha256, foreign_index_value(ForeignIndex::sha256, "0123456789abcdef"));
    CHECK(verify_api_key(secret.reveal(), secrets.versions[0].hash));
    CHECK(secrets.versions[0].digest ==
          api_key_digest(world.peppers.current().value.reveal(), record.tenant, record.id, 1, secret.reveal()));
    CHECK(world.database.imported.size() == 1);
    CHECK(world.database.audit.back().action == "key.import");
    CHECK(world.database.audit.back().details.find("0123456789abcdef") == std::string::npos);
    CHECK(entry.data.reveal().find("0123456789abcdef") == std::string_view::npos);
}

TEST_CASE("key_import: running it again says already there and changes nothing", "[keys]")
{
    ImportWorld world;
    const auto first = world.import({ImportWorld::row(2, "0123456789abcdef")});
    const auto changes = world.database.changes.size();
    const auto again = world.import({ImportWorld::row(2, "0123456789abcdef"), ImportWorld::row(3, "another-key-00")});
    CHECK(again[0].status == Status::already_there);
    CHECK(again[0].key == first[0].key);
    CHECK(again[1].status == Status::imported);
    CHECK(world.database.keys.size() == 2);
    CHECK(world.database.changes.size() == changes + 1);
}

TEST_CASE("key_import: a revoked key does not come back", "[keys]")
{
    ImportWorld world;
    const auto first = world.import({ImportWorld::row(2, "0123456789abcdef")});
    REQUIRE(run(world.service.revoke(*first[0].key, std::nullopt, std::nullopt, operator_actor())));
    const auto again = world.import({ImportWorld::row(2, "0123456789abcdef")});
    CHECK(again[0].status == Status::refused);
    CHECK(again[0].reason.find("revoked") != std::string::npos);
}

TEST_CASE("key_import: another tenant's key is refused without saying which", "[keys]")
{
    ImportWorld world;
    world.add_tenant("beta");
    const auto first = world.import({ImportWorld::row(2, "0123456789abcdef")});
    CreateKey elsewhere = wanted_key();
    elsewhere.tenant = tenant_id("beta");
    const auto again = world.import({ImportWorld::row(2, "0123456789abcdef", elsewhere)});
    CHECK(again[0].status == Status::refused);
    CHECK_FALSE(again[0].key);
}

TEST_CASE("key_import: faulty rows are refused with every reason, the others imported", "[keys]")
{
    ImportWorld world;
    CreateKey bad = wanted_key("");
    bad.scopes = {"orders:fly"};
    CreateKey twin = wanted_key(), other_twin = wanted_key();
    twin.external_id = other_twin.external_id = "ext-1";
    const auto outcomes =
        world.import({ImportWorld::row(2, "key-number-one", bad), ImportWorld::row(3, "key-number-two", twin),
                      ImportWorld::row(4, "key-number-three", other_twin), ImportWorld::row(5, "key-number-two")});
    CHECK(outcomes[0].status == Status::refused);
    CHECK(outcomes[0].reason.find("/name") != std::string::npos);
    CHECK(outcomes[0].reason.find("/scopes/0") != std::string::npos);
    CHECK(outcomes[1].status == Status::imported);
    CHECK(outcomes[2].status == Status::refused);
    CHECK(outcomes[2].reason.find("external_id") != std::string::npos);
    CHECK(outcomes[3].status == Status::refused);
    CHECK(outcomes[3].reason == "is the same key as that of 3");
    CHECK(world.database.keys.size() == 1);
    CHECK(world.can_go_on);
}

TEST_CASE("key_import: a rehearsal answers the same and writes nothing", "[keys]")
{
    ImportWorld world;
    CreateKey stranger = wanted_key();
    stranger.tenant = tenant_id("nobody");
    const auto entries = world.vault.size();
    const auto outcomes = world.import({ImportWorld::row(2, "0123456789abcdef"), ImportWorld::row(3, "key-number-two", stranger)}, true);
    CHECK(outcomes[0].status == Status::imported);
    CHECK_FALSE(outcomes[0].key);
    CHECK(outcomes[1].status == Status::refused);
    CHECK(world.database.keys.empty());
    CHECK(world.vault.size() == entries);

    const auto real = world.import({ImportWorld::row(2, "0123456789abcdef")});
    const auto rehearsed = world.import({ImportWorld::row(2, "0123456789abcdef")}, true);
    CHECK(rehearsed[0].status == Status::already_there);
    CHECK(rehearsed[0].key == real[0].key);
}

TEST_CASE("key_import: a vault out of reach leaves nothing, and the import stops", "[keys]")
{
    ImportWorld world;
    const auto import = world.importer();
    REQUIRE(run(import->prepare(false)));
    world.vault.faults.fail("write");
    const auto outcomes = run(import->import({ImportWorld::row(2, "0123456789abcdef")}));
    CHECK(outcomes[0].status == Status::refused);
    CHECK_FALSE(import->can_go_on());
    CHECK(world.database.keys.empty());
    world.vault.faults.heal();
    CHECK(world.import({ImportWorld::row(2, "0123456789abcdef")})[0].status == Status::imported);
}

TEST_CASE("key_import: what a lost activation left pending, the sweep clears", "[keys]")
{
    ImportWorld world;
    const auto import = world.importer();
    REQUIRE(run(import->prepare(false)));
    world.database.faults.fail("activate_all");
    const auto outcomes = run(import->import({ImportWorld::row(2, "0123456789abcdef")}));
    CHECK(outcomes[0].status == Status::refused);
    CHECK_FALSE(import->can_go_on());
    world.database.faults.heal();
    CHECK(world.database.keys.size() == 1);
    world.now += std::chrono::hours{2};
    CHECK(run(world.service.sweep(world.now)).value().cleared == 1);
    CHECK(world.database.keys.empty());
    CHECK(world.import({ImportWorld::row(2, "0123456789abcdef")})[0].status == Status::imported);
}

TEST_CASE("key_import: regenerating an imported key gives one of our shape, the old one for the overlap", "[keys]")
{
    ImportWorld world;
    const auto first = world.import({ImportWorld::row(2, "0123456789abcdef")});
    const auto issued = run(world.service.regenerate(*first[0].key, std::nullopt, std::chrono::hours{1}, operator_actor()));
    REQUIRE(issued);
    CHECK(parse_api_key(issued->key.reveal(), "pc")->id == *first[0].key);
    const auto entry = run(world.vault.read(vault_path(issued->record.tenant, issued->record.id))).value().value();
    CHECK(VaultRecord::from_json(entry.data)->versions.size() == 2);
}
