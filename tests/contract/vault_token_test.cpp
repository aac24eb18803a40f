// The life of the vault's token: renewed in time, replaced when it cannot be, and never outlived. Decisions about it
// come first, without a server.
#include "contract/vault_nodes.hpp"

#include <catch2/catch.hpp>

using namespace gw;
using hashicorp::TokenLease;
using Care = TokenLease::Care;

namespace {

MonoTime at(std::chrono::milliseconds since)
{
    return MonoTime{} + 1h + since;
}

VaultServer::With with_ttl(double ttl, double max_ttl = 0)
{
    VaultServer::With with;
    with.token_ttl = ttl;
    with.token_max_ttl = max_ttl;
    return with;
}

// Reads for a while; every read must succeed.
void read_for(VaultNode& node, std::chrono::milliseconds time)
{
    const auto until = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < until) {
        CHECK_FALSE(node.read_fault("keys/a"));
        std::this_thread::sleep_for(50ms);
    }
}

} // namespace

TEST_CASE("token lease: is renewed at two thirds of its time", "[contract]")
{
    TokenLease lease{at(0s), 30s, true};
    CHECK(lease.due(at(19'999ms)) == Care::none);
    CHECK(lease.due(at(20s)) == Care::renew);
    CHECK_FALSE(lease.is_expired(at(29'999ms)));
    CHECK(lease.is_expired(at(30s)));
    lease.renewed(at(20s), 30s, true);
    CHECK(lease.due(at(39s)) == Care::none);
    CHECK(lease.due(at(40s)) == Care::renew);
}

TEST_CASE("token lease: what cannot be renewed, or is renewed for less and less, is replaced", "[contract]")
{
    CHECK(TokenLease{at(0s), 30s, false}.due(at(20s)) == Care::replace);
    TokenLease lease{at(0s), 30s, true};
    lease.renewed(at(20s), 14s, true);
    CHECK(lease.nears_maximum());
    CHECK(lease.due(at(34s)) == Care::replace);
}

TEST_CASE("token lease: a token without an end needs nothing", "[contract]")
{
    const TokenLease lease{at(0s), 0s, false};
    CHECK(lease.due(at(1000h)) == Care::none);
    CHECK(lease.due_at() == MonoTime::max());
    CHECK_FALSE(lease.is_expired(at(1000h)));
}

TEST_CASE("vault: a role's token is renewed and never logged in for again", "[contract]")
{
    VaultServer server{with_ttl(2)};
    VaultNode node{server.with_approle()};
    read_for(node, 5s);
    CHECK(server.count("renewals") >= 2);
    CHECK(server.count("logins") == 1);
}

TEST_CASE("vault: a token that nears its maximum life is replaced before it ends", "[contract]")
{
    VaultServer server{with_ttl(3, 5)};
    VaultNode node{server.with_approle()};
    read_for(node, 8s);
    CHECK(server.count("logins") >= 2);
    CHECK(server.count("logins") <= 4);
}

TEST_CASE("vault: batch tokens, which cannot be renewed, are replaced in time", "[contract]")
{
    VaultServer::With with = with_ttl(2);
    with.batch_tokens = true;
    VaultServer server{with};
    VaultNode node{server.with_approle()};
    read_for(node, 4s);
    CHECK(server.count("logins") >= 2);
    CHECK(server.count("renewals") == 0);
}

TEST_CASE("vault: a revoked token is replaced within the call that met it", "[contract]")
{
    VaultServer server;
    VaultNode node{server.with_approle()};
    REQUIRE(node.write("keys/a", "first", 0));
    for (std::uint64_t round = 1; round <= 3; ++round) {
        server.tell(R"({"revoke_tokens": true})");
        CHECK(node.read("keys/a"));
        CHECK(node.write("keys/a", "again", round));
    }
    CHECK(server.count("logins") == 4);
}

TEST_CASE("vault: a role that is refused is unavailable, is not tried with every call, and is tried again", "[contract]")
{
    VaultServer server;
    hashicorp::VaultOptions options = server.with_approle();
    options.approle->secret_id = Secret{std::string{"another-secret-id-entirely"}};
    VaultNode node{std::move(options)};
    const auto before = server.count("requests");
    for (int i = 0; i < 50; ++i)
        CHECK(node.read_fault("keys/a") == errc::unavailable);
    CHECK(server.count("requests") - before <= 3);
    CHECK(becomes_true([&] { return server.count("requests") - before >= 3; }, 5s));
}

TEST_CASE("vault: a given token is renewed", "[contract]")
{
    VaultServer server;
    server.tell(R"({"token": {"text": "hvs.given-000000000000000000", "ttl": 2, "renewable": true}})");
    hashicorp::VaultOptions options = server.options();
    options.token = Secret{std::string{"hvs.given-000000000000000000"}};
    VaultNode node{std::move(options)};
    read_for(node, 5s);
    CHECK(server.count("renewals") >= 2);
}

TEST_CASE("vault: a given token that ends is unavailable from then on", "[contract]")
{
    VaultServer server;
    server.tell(R"({"token": {"text": "hvs.short-000000000000000000", "ttl": 2}})");
    hashicorp::VaultOptions options = server.options();
    options.token = Secret{std::string{"hvs.short-000000000000000000"}};
    VaultNode node{std::move(options)};
    CHECK_FALSE(node.read_fault("keys/a"));
    CHECK(becomes_true([&] { return node.read_fault("keys/a") == errc::unavailable; }, 5s));
    // Somebody issues it anew: found without a restart.
    server.tell(R"({"token": {"text": "hvs.short-000000000000000000", "ttl": 600}})");
    CHECK(becomes_true([&] { return !node.read_fault("keys/a"); }, 15s));
}

TEST_CASE("vault: a token that the server never knew is unavailable", "[contract]")
{
    VaultServer server;
    hashicorp::VaultOptions options = server.options();
    options.token = Secret{std::string{"hvs.unknown-00000000000000000"}};
    VaultNode node{std::move(options)};
    CHECK(node.read_fault("keys/a") == errc::unavailable);
    CHECK(server.count("reads") == 0);
}
