#include "keys/key_service.hpp"

#include "support/fakes/key_world.hpp"

#include <boost/json.hpp>
#include "support/fakes/result_text.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using namespace std::chrono_literals;

namespace {

struct Crash {};

// A process that ends at a named point: nothing after it runs.
void crash_at(KeyService& service, std::string_view point)
{
    service.at_point = [point](std::string_view passed) {
        if (passed == point)
            throw Crash{};
    };
}

std::optional<VaultRecord> vault_record(KeyWorld& world, const KeyId& id)
{
    auto entry = run(world.vault.read(vault_path(world.row(id).tenant, id)));
    if (!*entry)
        return std::nullopt;
    return *VaultRecord::from_json((*entry)->data);
}

} // namespace

TEST_CASE("create: the key is active, its hash and digest lie in the Vault, and its text parses", "[keys]")
{
    KeyWorld world;
    const IssuedKey issued = world.issue();

    const auto parsed = parse_api_key(issued.key.reveal(), "pc");
    REQUIRE(parsed);
    CHECK(parsed->id == issued.record.id);
    CHECK(issued.record.status == KeyStatus::active);
    CHECK(issued.record.owner.id.str() == "root");
    CHECK(issued.record.versions.at(0).last4 == issued.key.reveal().substr(issued.key.reveal().size() - 4));

    const auto secrets = vault_record(world, issued.record.id);
    REQUIRE(secrets);
    REQUIRE(secrets->find(1));
    CHECK(verify_api_key(parsed->secret, secrets->find(1)->hash));
    CHECK(secrets->find(1)->pepper_id == world.peppers.current().id);
    CHECK(secrets->find(1)->digest == api_key_digest(world.peppers.current().value.reveal(), issued.record.tenant,
                                                     issued.record.id, 1, parsed->secret));
}

TEST_CASE("create: the audit entry says who and what, without the secret", "[keys]")
{
    KeyWorld world;
    const IssuedKey issued = world.issue();
    const AuditEntry& entry = world.database.audit.back();
    CHECK(entry.action == "key.create");
    CHECK(entry.actor == "root");
    CHECK(entry.target == issued.record.id.str());
    CHECK(entry.tenant == "acme");
    CHECK(boost::json::parse(entry.details).at("after").at("name") == "billing");
    const auto parsed = parse_api_key(issued.key.reveal(), "pc");
    CHECK(entry.details.find(parsed->secret) == std::string::npos);
}

TEST_CASE("create: an unknown tenant is an invalid field", "[keys]")
{
    KeyWorld world;
    CreateKey request = wanted_key();
    request.tenant = tenant_id("nobody");
    const auto issued = run(world.service.create(std::move(request), operator_actor()));
    REQUIRE_FALSE(issued);
    CHECK(issued.error().kind == KeyProblem::Kind::invalid);
    CHECK(issued.error().fields.at(0).pointer == "/tenant");
}

TEST_CASE("create: a taken external_id is a conflict", "[keys]")
{
    KeyWorld world;
    CreateKey request = wanted_key();
    request.external_id = "x1";
    world.issue(request);
    const auto issued = run(world.service.create(request, operator_actor()));
    REQUIRE_FALSE(issued);
    CHECK(issued.error().kind == KeyProblem::Kind::conflict);
}

TEST_CASE("create: max_age fills the expiry", "[keys]")
{
    KeyRules rules = test_rules();
    rules.max_age = std::chrono::days{30};
    KeyWorld world{rules};
    CHECK(world.issue().record.expires_at == world.now + std::chrono::days{30});
}

TEST_CASE("create: a store out of reach is unavailable, and no key is left that callers could see", "[keys]")
{
    const auto call = GENERATE(as<std::string>{}, "tenant.find", "reserve", "activate", "vault");
    KeyWorld world;
    if (call == "vault")
        world.vault.faults.fail("write");
    else
        world.database.faults.fail(call);

    const auto issued = run(world.service.create(wanted_key(), operator_actor()));
    REQUIRE_FALSE(issued);
    CHECK(issued.error().kind == KeyProblem::Kind::unavailable);

    world.database.faults.heal();
    world.vault.faults.heal();
    CHECK(run(world.service.list(KeyQuery{}))->keys.empty());
    for (const auto& [id, record] : world.database.keys)
        CHECK(run(world.service.get(id, std::nullopt)).error().kind == KeyProblem::Kind::not_found);
    REQUIRE(run(world.service.sweep(world.now + 2h)));
    CHECK(world.database.keys.empty());
    CHECK(world.vault.size() == 1); // the peppers
}

TEST_CASE("create: a crash at any point leaves a key that works or a leftover that the sweep clears", "[keys]")
{
    const auto [point, exists] = GENERATE(table<const char*, bool>(
        {{"create.reserved", false}, {"create.vault_written", false}, {"create.activated", true}}));
    KeyWorld world;
    crash_at(world.service, point);
    CHECK_THROWS_AS(run(world.service.create(wanted_key(), operator_actor())), Crash);
    world.service.at_point = nullptr;
    REQUIRE(world.database.keys.size() == 1);
    const KeyId id = world.database.keys.begin()->first;
    CHECK(run(world.service.get(id, std::nullopt)).has_value() == exists);

    // Too young for the sweep: its create may still be under way.
    CHECK(run(world.service.sweep(world.now + 59min))->cleared == 0);
    CHECK(run(world.service.sweep(world.now + 61min))->cleared == (exists ? 0 : 1));
    CHECK(world.database.keys.size() == (exists ? 1 : 0));
    CHECK(world.vault.size() == (exists ? 2 : 1));
}

TEST_CASE("get: another tenant's key is not found", "[keys]")
{
    KeyWorld world;
    const IssuedKey issued = world.issue();
    CHECK(run(world.service.get(issued.record.id, tenant_id("acme"))));
    const auto other = run(world.service.get(issued.record.id, tenant_id("other")));
    REQUIRE_FALSE(other);
    CHECK(other.error().kind == KeyProblem::Kind::not_found);
}

TEST_CASE("list: a page size out of bounds and a foreign cursor are invalid fields", "[keys]")
{
    KeyWorld world;
    KeyQuery query;
    query.limit = 101;
    CHECK(run(world.service.list(query)).error().fields.at(0).pointer == "/limit");
    query.limit = 10;
    query.cursor = "nonsense";
    CHECK(run(world.service.list(query)).error().fields.at(0).pointer == "/cursor");
}

TEST_CASE("update: changes what is given, and the audit entry holds exactly the difference", "[keys]")
{
    KeyWorld world;
    const IssuedKey issued = world.issue();
    KeyChanges changes;
    changes.name = "renamed";
    changes.scopes = std::vector<std::string>{"orders:*"};
    const auto updated =
        run(world.service.update(issued.record.id, std::nullopt, changes, issued.record.record_version, operator_actor()));
    REQUIRE(updated);
    CHECK(updated->name == "renamed");
    CHECK(updated->record_version == issued.record.record_version + 1);
    CHECK(boost::json::parse(world.database.audit.back().details) ==
          boost::json::parse(R"({"before":{"name":"billing","scopes":["orders:read"]},
                                 "after":{"name":"renamed","scopes":["orders:*"]}})"));
}

TEST_CASE("update: another version than the named one is stale", "[keys]")
{
    KeyWorld world;
    const IssuedKey issued = world.issue();
    KeyChanges changes;
    changes.name = "renamed";
    const auto updated = run(world.service.update(issued.record.id, std::nullopt, changes, 99, operator_actor()));
    REQUIRE_FALSE(updated);
    CHECK(updated.error().kind == KeyProblem::Kind::stale);
}

TEST_CASE("update: a change that changes nothing writes nothing", "[keys]")
{
    KeyWorld world;
    const IssuedKey issued = world.issue();
    const auto entries = world.database.audit.size();
    KeyChanges changes;
    changes.name = "billing";
    REQUIRE(run(world.service.update(issued.record.id, std::nullopt, changes, std::nullopt, operator_actor())));
    CHECK(world.database.audit.size() == entries);
}

TEST_CASE("update: an external_id that another key has is a conflict, not a lost race", "[keys]")
{
    KeyWorld world;
    CreateKey first = wanted_key();
    first.external_id = "x1";
    world.issue(first);
    const IssuedKey second = world.issue();
    KeyChanges changes;
    changes.external_id.emplace("x1");
    const auto updated =
        run(world.service.update(second.record.id, std::nullopt, changes, std::nullopt, operator_actor()));
    REQUIRE_FALSE(updated);
    CHECK(updated.error().kind == KeyProblem::Kind::conflict);
}

TEST_CASE("disable and enable: change the status once, and tell the feed", "[keys]")
{
    KeyWorld world;
    const IssuedKey issued = world.issue();
    int told = 0;
    const auto tell = [](int& count) -> awaitable<void> {
        ++count;
        co_return;
    };
    world.service.on_change = [&] { return tell(told); };
    CHECK(run(world.service.disable(issued.record.id, std::nullopt, operator_actor()))->status == KeyStatus::disabled);
    CHECK(world.database.audit.back().action == "key.disable");
    CHECK(run(world.service.disable(issued.record.id, std::nullopt, operator_actor())));
    CHECK(told == 1);
    CHECK(run(world.service.enable(issued.record.id, std::nullopt, operator_actor()))->status == KeyStatus::active);
    CHECK(told == 2);
}

TEST_CASE("create: several at once share the hashing pool and all come out right", "[keys]")
{
    asio::io_context context{1}; // outlives the pool, whose thread may still be posting to it
    KeyWorld world;
    int issued = 0;
    for (int i = 0; i < 10; ++i)
        asio::co_spawn(context, world.service.create(wanted_key(), operator_actor()),
                       [&](std::exception_ptr error, key_result<IssuedKey> key) { issued += !error && key ? 1 : 0; });
    context.run();
    CHECK(issued == 10);
    CHECK(world.database.keys.size() == 10);
    CHECK(world.vault.size() == 11);
}
