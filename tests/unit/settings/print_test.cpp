// The configuration in effect: complete, readable again, and without secrets.
#include "settings/print.hpp"

#include "problems_of.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace gw;

TEST_CASE("print: what is printed loads into the same settings", "[settings]")
{
    const std::string name = GENERATE("gateway.example.yaml", "gateway.dev.yaml");
    std::ifstream in{std::string{GW_SOURCE_DIR} + "/config/" + name};
    std::ostringstream text;
    text << in.rdbuf();
    const std::string printed = print_settings(settings_of(text.str()));
    CHECK_THAT(printed, Catch::Contains("/v1/orders/**"));
    CHECK(print_settings(settings_of(printed)) == printed);
}

TEST_CASE("print: secrets are masked", "[settings]")
{
    ::setenv("GW_TEST_BOOTSTRAP", "a-bootstrap-key-of-thirty-two-characters", 1);
    ::setenv("GW_TEST_MASTER", std::string(64, 'c').c_str(), 1);
    const std::string printed = print_settings(
        settings_of("version: 1\n"
                    "admin: { bootstrap_key: \"${env:GW_TEST_BOOTSTRAP}\" }\n"
                    "stores: { secrets: { local: { path: s, master_key: \"${env:GW_TEST_MASTER}\" } } }\n"));
    CHECK_THAT(printed, !Catch::Contains("a-bootstrap-key") && !Catch::Contains(std::string(64, 'c')));
    CHECK_THAT(printed,
               Catch::Contains("bootstrap_key: \"********\"") && Catch::Contains("master_key: \"********\""));
    CHECK_FALSE(load_settings_text(printed, "x").ok());
}
