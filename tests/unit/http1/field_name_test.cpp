// Classification of field names, and the lists that say what Connection and trailers may name.
#include "http1/field_name.hpp"

#include <catch2/catch.hpp>

#include <cctype>
#include <string>

using namespace gw::http1;

TEST_CASE("field_name: known names are found in any case", "[http1]")
{
    const auto [name, id] = GENERATE(table<std::string, FieldName>({
        {"Host", FieldName::host},
        {"Connection", FieldName::connection},
        {"Content-Length", FieldName::content_length},
        {"Transfer-Encoding", FieldName::transfer_encoding},
        {"TE", FieldName::te},
        {"Trailer", FieldName::trailer},
        {"Upgrade", FieldName::upgrade},
        {"Keep-Alive", FieldName::keep_alive},
        {"Proxy-Connection", FieldName::proxy_connection},
        {"Proxy-Authenticate", FieldName::proxy_authenticate},
        {"Proxy-Authorization", FieldName::proxy_authorization},
        {"Expect", FieldName::expect},
        {"Authorization", FieldName::authorization},
        {"X-API-Key", FieldName::x_api_key},
        {"Cookie", FieldName::cookie},
        {"Content-Type", FieldName::content_type},
        {"Date", FieldName::date},
        {"Server", FieldName::server},
        {"Via", FieldName::via},
        {"Forwarded", FieldName::forwarded},
        {"X-Forwarded-For", FieldName::x_forwarded_for},
        {"X-Forwarded-Proto", FieldName::x_forwarded_proto},
        {"X-Forwarded-Host", FieldName::x_forwarded_host},
        {"X-Forwarded-Port", FieldName::x_forwarded_port},
        {"X-Real-IP", FieldName::x_real_ip},
        {"X-Request-Id", FieldName::x_request_id},
        {"traceparent", FieldName::traceparent},
        {"tracestate", FieldName::tracestate},
        {"RateLimit", FieldName::ratelimit},
        {"RateLimit-Policy", FieldName::ratelimit_policy},
        {"X-RateLimit-Limit", FieldName::x_ratelimit_limit},
        {"X-RateLimit-Remaining", FieldName::x_ratelimit_remaining},
        {"X-RateLimit-Reset", FieldName::x_ratelimit_reset},
        {"HTTP2-Settings", FieldName::http2_settings},
        {"User-Agent", FieldName::user_agent},
        {"Cache-Control", FieldName::cache_control},
        {"Retry-After", FieldName::retry_after},
    }));
    std::string lower = name, upper = name;
    for (char& c : lower)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (char& c : upper)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    INFO(name);
    CHECK(classify_field(name) == id);
    CHECK(classify_field(lower) == id);
    CHECK(classify_field(upper) == id);
    // Nothing that merely resembles it is it.
    CHECK(classify_field(name + "x") == FieldName::other);
    CHECK(classify_field(name.substr(1)) != id);
    for (std::size_t i = 0; i < name.size(); ++i) {
        std::string changed = name;
        changed[i] = changed[i] == '!' ? '~' : '!';
        CHECK(classify_field(changed) != id);
    }
}

TEST_CASE("field_name: what only the gateway may say is found in every spelling", "[http1]")
{
    const auto name = GENERATE(
        values<std::string>({"X-Gateway-Key-Id", "x-gateway-tenant", "X_Gateway_Owner", "x_GATEWAY-Scopes",
                             "X-Gateway_Key_Id", "X.Gateway.Tenant", "X-Gateway-", "X-Gateway-Anything",
                             "X_Forwarded_For", "x-forwarded_for", "X_Real_IP", "X_Request_Id"}));
    INFO(name);
    CHECK(classify_field(name) == FieldName::gateway_identity);
}

TEST_CASE("field_name: names that are nobody's stay other", "[http1]")
{
    const auto name = GENERATE(
        values<std::string>({"X-Gatewayed", "X-Gateways-A", "Accept", "X", "Xgateway-Key", "X_Custom_Name"}));
    INFO(name);
    CHECK(classify_field(name) == FieldName::other);
}

TEST_CASE("field_name: trailers that frame, route, authenticate or identify may not pass", "[http1]")
{
    const auto name =
        GENERATE(values<std::string>({"Content-Length", "transfer-encoding", "Host", "Authorization",
                                      "X-Gateway-Tenant", "x_gateway_tenant", "X-API-Key", "Set-Cookie",
                                      "Content-Encoding", "Connection", "TE", "Trailer", "If-Match"}));
    INFO(name);
    CHECK_FALSE(may_be_trailer(name));
}

TEST_CASE("field_name: other trailers may pass", "[http1]")
{
    CHECK(may_be_trailer("grpc-status"));
    CHECK(may_be_trailer("Server-Timing"));
    CHECK(may_be_trailer("ETag"));
}

TEST_CASE("field_name: a list is taken apart at its commas", "[http1]")
{
    std::string_view list = " a ,,\tb", member;
    REQUIRE(next_list_member(list, member));
    CHECK(member == "a");
    REQUIRE(next_list_member(list, member));
    CHECK(member.empty());
    REQUIRE(next_list_member(list, member));
    CHECK(member == "b");
    CHECK_FALSE(next_list_member(list, member));
}
