// What the vault makes of what the server answers: entries that others deleted, namespaces, denials, TLS, broken
// connections, and many writers.
#include "contract/contexts.hpp"
#include "contract/vault_nodes.hpp"

#include <catch2/catch.hpp>

#include <atomic>

using namespace gw;

namespace {

VaultServer::With with_namespaces(std::string names)
{
    VaultServer::With with;
    with.namespaces = std::move(names);
    return with;
}

VaultServer::With with_certificate_for(std::string names)
{
    VaultServer::With with;
    with.tls = true;
    with.names = std::move(names);
    return with;
}

} // namespace

TEST_CASE("vault: an entry that an operator deleted reads as none and is not overwritten", "[contract]")
{
    VaultServer server;
    VaultNode node{server.with_root_token()};
    REQUIRE(node.write("keys/a", "first", 0));
    const std::string how = GENERATE("delete", "destroy");
    server.tell(R"({"alter": "keys/a", "how": ")" + how + "\"}");
    CHECK(node.read("keys/a").value() == "");
    CHECK(fault_of(node.write("keys/a", "second", 0)) == errc::conflict);
    if (how == "delete") {
        server.tell(R"({"alter": "keys/a", "how": "undelete"})");
        CHECK(node.read("keys/a").value() == "first");
    }
    CHECK_FALSE(node.destroy("keys/a"));
    CHECK(node.write("keys/a", "third", 0).value() == 1);
}

TEST_CASE("vault: destroying removes the metadata of every version", "[contract]")
{
    VaultServer server;
    VaultNode node{server.with_root_token()};
    REQUIRE(node.write("keys/a", "first", 0));
    REQUIRE(node.write("keys/a", "second", 1));
    CHECK(server.tell(R"({"entry": "keys/a"})").at("versions").as_object().size() == 2);
    CHECK_FALSE(node.destroy("keys/a"));
    CHECK(server.tell(R"({"entry": "keys/a"})").is_null());
}

TEST_CASE("vault: an entry of another author is corrupt as one of ours, and its fields can be read", "[contract]")
{
    VaultServer server;
    VaultNode node{server.with_root_token()};
    server.tell(R"({"put": "mail/smtp", "data": {"user": "gateway", "port": 25}})");
    CHECK(node.read_fault("mail/smtp") == errc::corrupt);
    auto field = [&](const char* path, const char* name) {
        const auto found = run(node.context, node.vault->read_field(path, name));
        REQUIRE(found.has_value());
        return *found ? std::string{(*found)->reveal()} : "(none)";
    };
    CHECK(field("mail/smtp", "user") == "gateway");
    CHECK(field("mail/smtp", "port") == "(none)"); // no text
    CHECK(field("mail/smtp", "password") == "(none)");
    CHECK(field("mail/imap", "user") == "(none)");
}

TEST_CASE("vault: namespaces are kept apart", "[contract]")
{
    VaultServer server{with_namespaces("team-a,team-b")};
    auto in_namespace = [&](const char* name) {
        hashicorp::VaultOptions options = server.with_root_token();
        options.name_space = name;
        return options;
    };
    VaultNode a{in_namespace("team-a")}, b{in_namespace("team-b")}, root{server.with_root_token()};
    REQUIRE(a.write("keys/x", "of a", 0));
    REQUIRE(b.write("keys/x", "of b", 0));
    CHECK(a.read("keys/x").value() == "of a");
    CHECK(b.read("keys/x").value() == "of b");
    CHECK(root.read("keys/x").value() == "");
    VaultNode nowhere{in_namespace("team-c")};
    CHECK(nowhere.read_fault("keys/x") == errc::unavailable); // and not "there is none"
}

TEST_CASE("vault: a mount that does not exist is unavailable, not an empty vault", "[contract]")
{
    VaultServer server;
    hashicorp::VaultOptions options = server.with_root_token();
    options.mount = "secrets";
    VaultNode node{std::move(options)};
    CHECK(node.read_fault("keys/a") == errc::unavailable);
    CHECK(fault_of(node.write("keys/a", "x", 0)) == errc::unavailable);
    CHECK(node.destroy("keys/a") == errc::unavailable);
}

TEST_CASE("vault: a key-value engine of version 1 is refused", "[contract]")
{
    VaultServer server;
    VaultNode node{server.with_root_token()};
    server.set("unversioned", "true");
    CHECK(fault_of(node.write("keys/a", "x", 0)) == errc::unavailable);
}

TEST_CASE("vault: a token that may only read reads, and its writes are refused without a login each", "[contract]")
{
    VaultServer server;
    VaultNode writer{server.with_root_token()};
    REQUIRE(writer.write("keys/a", "first", 0));
    server.tell(R"({"token": {"text": "hvs.read-only-0000000000000000", "read_only": true, "ttl": 600}})");
    hashicorp::VaultOptions options = server.options();
    options.token = Secret{std::string{"hvs.read-only-0000000000000000"}};
    VaultNode reader{std::move(options)};
    CHECK(reader.read("keys/a").value() == "first");
    for (int i = 0; i < 10; ++i)
        CHECK(fault_of(reader.write("keys/a", "second", 1)) == errc::unavailable);
    CHECK(reader.read("keys/a").value() == "first");
    CHECK(server.count("lookups") <= 5); // at the start of both, and one a second
}

TEST_CASE("vault: what is not consistent yet is asked for again", "[contract]")
{
    VaultServer server;
    VaultNode node{server.with_root_token()};
    REQUIRE(node.write("keys/a", "first", 0));
    server.set("not_yet", "3");
    CHECK(node.read("keys/a").value() == "first");
    server.set("not_yet", "100000");
    const auto took = time_of([&] { CHECK(node.read_fault("keys/a") == errc::unavailable); });
    CHECK(took < 3s);
}

TEST_CASE("vault: statuses that mean 'not now' are unavailable and pass by themselves", "[contract]")
{
    VaultServer server;
    VaultNode node{server.with_root_token()};
    REQUIRE(node.write("keys/a", "first", 0));
    const std::string status = GENERATE("429", "473", "472", "500", "502");
    server.set("answer", status);
    CHECK(node.read_fault("keys/a") == errc::unavailable);
    CHECK(fault_of(node.write("keys/a", "second", 1)) == errc::unavailable);
    CHECK(node.destroy("keys/a") == errc::unavailable);
    server.set("answer", "null");
    CHECK(becomes_true([&] { return node.read("keys/a") == "first"; }));
}

TEST_CASE("vault: a write whose answer was lost is not done twice and not reported as lost", "[contract]")
{
    VaultServer server;
    VaultNode node{server.with_root_token()};
    server.set("drop_after_write", "1");
    CHECK(node.write("keys/a", "first", 0).value() == 1);
    CHECK(node.read("keys/a").value() == "first");
    server.set("drop_after_write", "1");
    CHECK(node.write("keys/a", "second", 1).value() == 2);
    CHECK(server.tell(R"({"entry": "keys/a"})").at("current").to_number<int>() == 2);
}

TEST_CASE("vault: connections that the server closed meanwhile cost nothing", "[contract]")
{
    VaultServer::With with;
    with.tls = GENERATE(true, false);
    VaultServer server{with};
    VaultNode node{server.with_approle()};
    REQUIRE(node.write("keys/a", "0", 0));
    for (int round = 1; round <= 5; ++round) {
        server.tell(R"({"drop_connections": true})");
        std::this_thread::sleep_for(20ms);
        CHECK(node.read("keys/a"));
        CHECK(node.write("keys/a", std::to_string(round), static_cast<std::uint64_t>(round)));
    }
}

TEST_CASE("vault: a server whose authority is not trusted is never asked", "[contract]")
{
    VaultServer server{with_certificate_for("127.0.0.1")}, other{with_certificate_for("127.0.0.1")};
    hashicorp::VaultOptions options = server.with_root_token();
    options.trust.ca_file = GENERATE_REF(other.options().trust.ca_file, std::string{});
    VaultNode node{std::move(options)};
    CHECK(node.read_fault("keys/a") == errc::unavailable);
    CHECK(server.count("requests") == 0);
}

TEST_CASE("vault: a server with another's name is never asked", "[contract]")
{
    const std::string names = GENERATE("vault.example.com", "127.0.0.2", "localhost");
    VaultServer server{with_certificate_for(names)};
    VaultNode node{server.with_root_token()}; // as 127.0.0.1
    CHECK(node.read_fault("keys/a") == errc::unavailable);
    CHECK(server.count("requests") == 0);
    hashicorp::VaultOptions options = server.with_root_token();
    options.host = "localhost";
    VaultNode by_name{std::move(options)};
    CHECK(by_name.read("keys/a").has_value() == (names == "localhost"));
}

TEST_CASE("vault: a file of authorities that cannot be used is told at the start", "[contract]")
{
    hashicorp::VaultOptions options;
    options.host = "127.0.0.1";
    options.token = Secret{std::string{"t"}};
    options.trust.ca_file = "/nonexistent/ca.pem";
    CHECK_THROWS_WITH(hashicorp::SecretVault{std::move(options)}, Catch::Contains("/nonexistent/ca.pem"));
}

TEST_CASE("vault: of eight nodes that write at once, one wins each round", "[contract]")
{
    constexpr int nodes = 8, rounds = 10;
    VaultServer server;
    std::array<std::array<std::atomic<bool>, rounds>, nodes> won{};
    std::atomic<int> conflicts{0}, others{0};
    std::array<std::atomic<int>, rounds> arrived{};
    std::vector<std::thread> threads;
    for (int n = 0; n < nodes; ++n)
        threads.emplace_back([&, n] {
            VaultNode node{server.with_approle()};
            for (int round = 0; round < rounds; ++round) {
                const auto at = static_cast<std::size_t>(round);
                for (++arrived[at]; arrived[at].load() < nodes;)
                    std::this_thread::yield();
                const auto written = node.write("keys/contended", std::to_string(n), at);
                if (written)
                    won[static_cast<std::size_t>(n)][at] = true;
                else
                    ++(written.error() == errc::conflict ? conflicts : others);
            }
        });
    for (auto& thread : threads)
        thread.join();
    for (std::size_t round = 0; round < rounds; ++round) {
        int winners = 0;
        for (const auto& node : won)
            winners += node[round];
        CHECK(winners == 1);
    }
    CHECK(conflicts == (nodes - 1) * rounds);
    CHECK(others == 0);
}

TEST_CASE("vault: calls of many executors share it", "[contract]")
{
    VaultServer server;
    Contexts contexts;
    hashicorp::SecretVault vault{server.with_approle()};
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int n = 0; n < 4; ++n)
        threads.emplace_back([&, n] {
            asio::io_context& context = contexts.fresh();
            std::vector<std::string> paths;
            for (int i = 0; i < 20; ++i)
                paths.push_back("keys/" + std::to_string(n) + "/" + std::to_string(i));
            const Secret text{std::string{"text"}};
            int left = 20;
            for (const std::string& path : paths)
                asio::co_spawn(context, vault.write(path, text, 0), [&](std::exception_ptr error, result<std::uint64_t> written) {
                    good += !error && written;
                    --left;
                });
            while (left > 0) {
                context.restart();
                context.run();
            }
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(good == 80);
    CHECK(server.count("logins") == 1);
}
