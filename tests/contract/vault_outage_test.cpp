// The vault while its server is sealed, paused, gone and back: deadlines hold, a dead server is not waited for, and
// nobody has to restart anything. Decisions about the circuit come first, without a server.
#include "contract/vault_nodes.hpp"

#include <catch2/catch.hpp>

using namespace gw;

TEST_CASE("circuit: opens at the third failure in a row and closes at a success", "[contract]")
{
    hashicorp::Circuit circuit;
    CHECK_FALSE(circuit.failed());
    CHECK_FALSE(circuit.failed());
    CHECK_FALSE(circuit.succeeded());
    CHECK_FALSE(circuit.failed());
    CHECK_FALSE(circuit.failed());
    CHECK_FALSE(circuit.is_open());
    CHECK(circuit.failed());
    CHECK(circuit.is_open());
    CHECK_FALSE(circuit.failed()); // told once
    CHECK(circuit.succeeded());
    CHECK_FALSE(circuit.is_open());
}

TEST_CASE("circuit: probes come less often up to one a second", "[contract]")
{
    hashicorp::Circuit circuit;
    CHECK(circuit.next_probe() == 100ms);
    CHECK(circuit.next_probe() == 200ms);
    for (int i = 0; i < 10; ++i)
        circuit.next_probe();
    CHECK(circuit.next_probe() == 1s);
    circuit.succeeded();
    CHECK(circuit.next_probe() == 100ms);
}

namespace {

constexpr auto k_timeout = 300ms;

hashicorp::VaultOptions impatient(hashicorp::VaultOptions options)
{
    options.timeout = k_timeout;
    return options;
}

// Calls until the circuit is open; each of them must end by its deadline.
void exhaust(VaultNode& node, std::chrono::milliseconds slack)
{
    for (int i = 0; i < 20 && node.up.value() == 1; ++i) {
        const auto took = time_of([&] { CHECK(node.read_fault("keys/a") == errc::unavailable); });
        CHECK(took < k_timeout + slack);
    }
    REQUIRE(node.up.value() == 0);
}

void check_refuses_at_once(VaultNode& node)
{
    const auto took = time_of([&] {
        for (int i = 0; i < 20; ++i) {
            CHECK(node.read_fault("keys/a") == errc::unavailable);
            CHECK(fault_of(node.write("keys/a", "x", 1)) == errc::unavailable);
            CHECK(node.destroy("keys/a") == errc::unavailable);
        }
    });
    CHECK(took < 200ms); // sixty calls
}

} // namespace

TEST_CASE("vault: while the server is paused calls end by their deadline, then at once, and work again after it", "[contract]")
{
    VaultServer::With with;
    with.tls = GENERATE(false, true);
    VaultServer server{with};
    VaultNode node{impatient(server.with_approle())};
    REQUIRE(node.write("keys/a", "first", 0));
    server.pause();
    exhaust(node, 150ms);
    check_refuses_at_once(node);
    server.resume();
    CHECK(becomes_true([&] { return node.read("keys/a") == "first"; }, 5s));
    CHECK(node.up.value() == 1);
}

TEST_CASE("vault: while the server is gone calls end at once, and work again after its restart", "[contract]")
{
    VaultServer::With with;
    with.keeps_state = true;
    VaultServer server{with};
    VaultNode node{impatient(server.with_approle())};
    REQUIRE(node.write("keys/a", "first", 0));
    server.kill();
    exhaust(node, 150ms);
    check_refuses_at_once(node);
    server.start_again();
    CHECK(becomes_true([&] { return node.read("keys/a") == "first"; }, 5s));
    CHECK(server.count("logins") == 0); // the token still was good
}

TEST_CASE("vault: a server that came back without its tokens is logged in to again", "[contract]")
{
    VaultServer server; // keeps nothing
    VaultNode node{impatient(server.with_approle())};
    REQUIRE(node.write("keys/a", "first", 0));
    server.kill();
    server.start_again();
    CHECK(becomes_true([&] { return node.read("keys/a") == ""; }, 5s));
    CHECK(server.count("logins") == 1);
}

TEST_CASE("vault: a sealed server is unavailable until it is unsealed", "[contract]")
{
    VaultServer server;
    VaultNode node{impatient(server.with_approle())};
    REQUIRE(node.write("keys/a", "first", 0));
    server.set("sealed", "true");
    exhaust(node, 150ms);
    check_refuses_at_once(node);
    server.set("sealed", "false");
    CHECK(becomes_true([&] { return node.read("keys/a") == "first"; }, 5s));
}

TEST_CASE("vault: an idle vault notices that its server is gone", "[contract]")
{
    VaultServer server;
    hashicorp::VaultOptions options = impatient(server.with_root_token());
    options.idle_probe = 100ms;
    VaultNode node{std::move(options)};
    REQUIRE(node.read("keys/a"));
    server.kill();
    CHECK(becomes_true([&] { return node.up.value() == 0; }, 5s));
    server.start_again();
    CHECK(becomes_true([&] { return node.up.value() == 1; }, 5s));
}

TEST_CASE("vault: a slow server is waited for up to the deadline", "[contract]")
{
    VaultServer server;
    VaultNode node{impatient(server.with_root_token())};
    REQUIRE(node.write("keys/a", "first", 0));
    server.set("latency", "0.1");
    CHECK(node.read("keys/a").value() == "first");
    server.set("latency", "2");
    const auto took = time_of([&] { CHECK(node.read_fault("keys/a") == errc::unavailable); });
    CHECK(took >= k_timeout);
    CHECK(took < k_timeout + 150ms);
}

TEST_CASE("vault: it can be opened, and closed, while the server does not answer", "[contract]")
{
    VaultServer server;
    server.pause();
    const auto took = time_of([&] {
        VaultNode node{impatient(server.with_approle())};
        CHECK(node.read_fault("keys/a") == errc::unavailable);
    });
    CHECK(took < 2 * k_timeout + 300ms);
    server.resume();
}

TEST_CASE("vault: a name that does not resolve is unavailable", "[contract]")
{
    hashicorp::VaultOptions options;
    options.host = "vault.invalid";
    options.tls = false;
    options.token = Secret{std::string{"t"}};
    VaultNode node{impatient(std::move(options))};
    CHECK(node.read_fault("keys/a") == errc::unavailable);
}
