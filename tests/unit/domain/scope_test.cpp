// Scopes and grants.
#include "domain/scope.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace gw;

TEST_CASE("is_valid_scope: two words, three only under platform", "[domain]")
{
    const auto [text, valid] = GENERATE(table<std::string, bool>({
        {"orders:read", true},
        {"o:r", true},
        {"orders.v2_x-y:read.all", true},
        {"platform:keys", true},
        {"platform:keys:read", true},
        {"", false},
        {":", false},
        {"orders", false},
        {"orders:", false},
        {":read", false},
        {"Orders:read", false},
        {"1orders:read", false},
        {"orders:read:all", false},
        {"orders:*", false},
        {"*:read", false},
        {"*", false},
        {"orders: read", false},
        {"orders:read\r\n", false},
        {"platform:", false},
        {"platform:*", false},
        {"platform:keys:", false},
        {"platform:keys:read:more", false},
        {"platform:keys:*", false},
    }));
    INFO(text);
    CHECK(is_valid_scope(text) == valid);
    CHECK((!valid || is_valid_grant(text)));
}

TEST_CASE("is_valid_scope: a half has at most 32 characters", "[domain]")
{
    CHECK(is_valid_scope(std::string(32, 'a') + ":" + std::string(32, 'b')));
    CHECK_FALSE(is_valid_scope(std::string(33, 'a') + ":b"));
    CHECK_FALSE(is_valid_scope("a:" + std::string(33, 'b')));
}

TEST_CASE("is_valid_grant: a wildcard stands for a whole half, never under platform", "[domain]")
{
    const auto [text, valid] = GENERATE(table<std::string, bool>({
        {"*:*", true},
        {"orders:*", true},
        {"*:read", true},
        {"ord*:read", false},
        {"orders:re*", false},
        {"**:read", false},
        {"*", false},
        {"platform:*", false},
        {"platform:keys:*", false},
        {"platform:*:read", false},
    }));
    INFO(text);
    CHECK(is_valid_grant(text) == valid);
}

TEST_CASE("grants: each half must match or be a wildcard; platform is only ever named", "[domain]")
{
    const auto [grant, scope, expected] = GENERATE(table<std::string, std::string, bool>({
        {"orders:read", "orders:read", true},
        {"orders:read", "orders:write", false},
        {"orders:read", "order:read", false},
        {"orders:*", "orders:write", true},
        {"orders:*", "invoices:write", false},
        {"*:read", "orders:read", true},
        {"*:read", "orders:write", false},
        {"*:*", "orders:write", true},
        {"*:*", "platform:keys", false},
        {"*:keys", "platform:keys", false},
        {"platform:*", "platform:keys", false},
        {"platform:keys", "platform:keys", true},
        {"platform:keys", "platform:keys:read", true},
        {"platform:keys:read", "platform:keys", false},
        {"platform:keys", "platform:keysets", false},
        {"platform:keys:read", "platform:keys:readall", false},
        {"platform:keys", "platform:users", false},
        {"orders:*", "orders:*", false},
        {"*:*", "*:*", false},
        {"", "orders:read", false},
        {"orders:read", "", false},
    }));
    INFO(grant << " for " << scope);
    CHECK(grants(grant, scope) == expected);
}

TEST_CASE("any_grants: one of several is enough", "[domain]")
{
    const std::vector<std::string> held{"orders:read", "invoices:*"};
    CHECK(any_grants(held, "invoices:write"));
    CHECK_FALSE(any_grants(held, "orders:write"));
    CHECK_FALSE(any_grants({}, "orders:read"));
}

TEST_CASE("covers: nobody hands out more than one of their grants reaches", "[domain]")
{
    const auto [held, wanted, expected] = GENERATE(table<std::string, std::string, bool>({
        {"orders:*", "orders:read", true},
        {"orders:*", "orders:*", true},
        {"orders:read", "orders:*", false},
        {"*:read", "orders:read", true},
        {"*:read", "*:read", true},
        {"orders:read", "*:read", false},
        {"*:*", "*:*", true},
        {"*:*", "orders:*", true},
        {"orders:*", "*:*", false},
        {"*:read", "orders:*", false},
        {"*:*", "platform:keys", false},
        {"platform:keys", "platform:keys:read", true},
        {"platform:keys:read", "platform:keys", false},
        {"platform:keys", "*:*", false},
    }));
    INFO(held << " for " << wanted);
    CHECK(covers(std::vector<std::string>{held}, wanted) == expected);
}
