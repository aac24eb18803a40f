// `stores.metadata.postgres`: one store only, no secret in the file, none in a message or in what is printed.
#include "settings/load_postgres.hpp"

#include "settings/print.hpp"

#include "problems_of.hpp"

#include <cstdlib>

using namespace gw;
using Catch::Contains;

namespace {

std::string with(const std::string& postgres)
{
    return "version: 1\nstores: { metadata: { postgres: " + postgres + " } }\n";
}

Settings loaded(const std::string& postgres)
{
    Loaded result = load_settings_text(with(postgres), "x");
    for (const Problem& problem : result.problems)
        FAIL_CHECK(problem.str("x"));
    return std::move(result.settings);
}

std::string problem_of(const std::string& postgres)
{
    const Loaded result = load_settings_text(with(postgres), "x");
    REQUIRE(result.problems.size() == 1);
    return result.problems[0].path + ": " + result.problems[0].message;
}

} // namespace

TEST_CASE("load postgres: the url and the rest, with their defaults", "[settings]")
{
    const Settings settings = loaded("{ url: \"postgresql://u@db:5432/p?sslmode=verify-full\" }");
    REQUIRE(settings.stores.postgres.has_value());
    const PostgresSettings& postgres = *settings.stores.postgres;
    CHECK(postgres.url.reveal() == "postgresql://u@db:5432/p?sslmode=verify-full");
    CHECK_FALSE(postgres.password.has_value());
    CHECK(postgres.pool == 8);
    CHECK(postgres.deadline == seconds{2});

    ::setenv("GW_TEST_PASSWORD", "p:ss@w/rd", 1);
    const Settings all = loaded(
        "{ url: \"postgres://u@/p\", password: \"${env:GW_TEST_PASSWORD}\", pool: 3, deadline: 250ms }");
    CHECK(all.stores.postgres->password->reveal() == "p:ss@w/rd");
    CHECK(all.stores.postgres->pool == 3);
    CHECK(all.stores.postgres->deadline == milliseconds{250});
}

TEST_CASE("load postgres: a password by reference may stand in the url, or the whole url be one",
          "[settings]")
{
    ::setenv("GW_TEST_PASSWORD", "hunter2", 1);
    ::setenv("GW_TEST_URL", "postgresql://u:hunter2@db/p", 1);
    for (const char* url : {"postgresql://u:${env:GW_TEST_PASSWORD}@db/p", "${env:GW_TEST_URL}"}) {
        const Settings settings = loaded("{ url: \"" + std::string{url} + "\" }");
        CHECK(settings.stores.postgres->url.reveal() == "postgresql://u:hunter2@db/p");
        CHECK_THAT(print_settings(settings), !Contains("hunter2") && Contains("url: \"********\""));
    }
    CHECK_THAT(print_settings(loaded("{ url: postgresql://u@db/p, password: \"${env:GW_TEST_PASSWORD}\" }")),
               !Contains("hunter2") && Contains("postgresql://u@db/p") &&
                   Contains("password: \"********\"") && !Contains("sqlite"));
}

TEST_CASE("load postgres: a password in the file is refused, and not repeated", "[settings]")
{
    const char* url =
        GENERATE("postgresql://u:hunter2@db/p", "postgres://u:hunter2@db:1,other:2/p",
                 "postgresql://u@db/p?password=hunter2", "postgresql://u@db/p?a=b&pass%77ord=hunter2",
                 "postgresql://u@db/p?sslpassword=hunter2&a=b", "postgresql://u:hun@ter2@db/p");
    const std::string problem = problem_of("{ url: \"" + std::string{url} + "\" }");
    CHECK_THAT(problem,
               Catch::StartsWith("stores.metadata.postgres.url: a password must not stand in the file") &&
                   Contains("password: ${env:NAME}") && !Contains("hunter2"));
    CHECK_THAT(problem_of("{ url: postgresql://u@db/p, password: hunter2 }"),
               Catch::StartsWith("stores.metadata.postgres.password: a secret must not") &&
                   !Contains("hunter2"));
}

TEST_CASE("load postgres: a port or an address is no password", "[settings]")
{
    const char* url = GENERATE("postgresql://db:5432/p", "postgresql://u@db:5432/p?options=-c%20a=b",
                               "postgresql://u@[::1]:5432/p", "postgresql:///p?host=/run/postgresql",
                               "postgresql://u@db/p?application_name=a:b@c");
    CHECK(loaded("{ url: \"" + std::string{url} + "\" }").stores.postgres->url.reveal() == url);
}

TEST_CASE("load postgres: what is wrong is named with what would be right", "[settings]")
{
    CHECK_THAT(problem_of("{ url: \"host=db password=hunter2\" }"),
               Contains("write postgresql://USER@HOST:5432/DATABASE") && !Contains("hunter2"));
    CHECK_THAT(problem_of("{ url: mysql://db/p }"), Contains("is not the address of a PostgreSQL database"));
    CHECK_THAT(problem_of("{ pool: 3 }"), Contains("url"));
    CHECK_THAT(problem_of("{ url: postgresql://db/p, pool: 0 }"), Contains("from 1 to 200"));
    CHECK_THAT(problem_of("{ url: postgresql://db/p, deadline: 10ms }"), Contains("100ms"));
    CHECK_THAT(problem_of("{ url: postgresql://db/p, pol: 3 }"), Contains("unknown key") && Contains("pool"));
}

TEST_CASE("load postgres: two stores for the metadata are one too many", "[settings]")
{
    const Loaded result = load_settings_text(
        "version: 1\nstores:\n  metadata:\n    sqlite: a.db\n    postgres: { url: postgresql://db/p }\n",
        "x");
    REQUIRE(result.problems.size() == 1);
    CHECK_THAT(result.problems[0].str("x"),
               Catch::StartsWith("x:5:5: stores.metadata.postgres: stands beside sqlite") &&
                   Contains("remove one"));
}
