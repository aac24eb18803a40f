// The files shipped in config/ against the loader: each key that it knows stands in the example and in the
// schema, and they have none that it does not know.
#include "settings/known_keys.hpp"
#include "settings/print.hpp"
#include "settings/yaml_tree.hpp"

#include "problems_of.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

using namespace gw;

namespace {

std::string content_of(const std::string& name)
{
    std::ifstream in{std::string{GW_SOURCE_DIR} + "/config/" + name};
    std::ostringstream text;
    text << in.rdbuf();
    INFO(name);
    REQUIRE_FALSE(text.str().empty());
    return text.str();
}

YamlNode tree_of(const std::string& name)
{
    std::vector<Problem> problems;
    YamlNode tree = parse_yaml(content_of(name), problems);
    REQUIRE(problems.empty());
    return tree;
}

const YamlNode* find(const YamlNode& node, std::string_view key)
{
    for (const YamlNode::Entry& entry : node.entries)
        if (entry.key == key)
            return &entry.value;
    return nullptr;
}

std::set<std::string> known_places()
{
    std::set<std::string> places;
    for (const KnownKey& key : known_keys())
        if (key.built)
            places.emplace(key.place);
    return places;
}

std::string below(const std::string& place, const std::string& key)
{
    return place.empty() ? key : place + '.' + key;
}

// The leaves of an example: `*` under the sections whose keys the author chooses.
void collect_example(const YamlNode& node, const std::string& place, std::set<std::string>& places)
{
    const bool free_keys = place == "scopes" || place == "plans" || place == "upstreams";
    const bool has_mappings = !node.items.empty() && node.items[0].kind == YamlNode::Kind::mapping;
    for (const YamlNode::Entry& entry : node.entries)
        collect_example(entry.value, below(place, free_keys ? "*" : entry.key), places);
    if (has_mappings)
        for (const YamlNode& item : node.items)
            collect_example(item, place + "[]", places);
    if (node.entries.empty() && !has_mappings)
        places.insert(place);
}

// The leaves of a JSON Schema.
class SchemaLeaves {
public:
    explicit SchemaLeaves(const YamlNode& root) : root_(root) { collect(root, ""); }
    std::set<std::string> places;

private:
    bool collect(const YamlNode& schema, const std::string& place)
    {
        bool has_parts = false;
        if (const YamlNode* reference = find(schema, "$ref"))
            has_parts |= collect(definition(reference->text), place);
        if (const YamlNode* choices = find(schema, "anyOf"))
            for (const YamlNode& choice : choices->items)
                has_parts |= parts_of(choice, place);
        has_parts |= parts_of(schema, place);
        if (!has_parts && find(schema, "$ref") == nullptr)
            places.insert(place);
        return true;
    }

    bool parts_of(const YamlNode& schema, const std::string& place)
    {
        bool has_parts = false;
        if (const YamlNode* properties = find(schema, "properties"))
            for (const YamlNode::Entry& entry : properties->entries)
                has_parts |= collect(entry.value, below(place, entry.key));
        if (const YamlNode* other = find(schema, "additionalProperties");
            other != nullptr && !other->entries.empty())
            has_parts |= collect(*other, below(place, "*"));
        if (const YamlNode* items = find(schema, "items");
            items != nullptr && find(*items, "properties") != nullptr)
            has_parts |= collect(*items, place + "[]");
        return has_parts;
    }

    const YamlNode& definition(const std::string& reference) const
    {
        const YamlNode* found = find(*find(root_, "$defs"), reference.substr(std::string{"#/$defs/"}.size()));
        REQUIRE(found != nullptr);
        return *found;
    }

    const YamlNode& root_;
};

std::vector<std::string> missing_from(const std::set<std::string>& all, const std::set<std::string>& some)
{
    std::vector<std::string> missing;
    std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::back_inserter(missing));
    return missing;
}

// Every property has a description, its own or of what it refers to.
void check_described(const YamlNode& schema, const std::string& place)
{
    if (const YamlNode* properties = find(schema, "properties"))
        for (const YamlNode::Entry& entry : properties->entries) {
            INFO(place << '.' << entry.key);
            CHECK(find(entry.value, "description") != nullptr);
        }
    for (const YamlNode::Entry& entry : schema.entries)
        check_described(entry.value, place + '/' + entry.key);
    for (const YamlNode& item : schema.items)
        check_described(item, place);
}

} // namespace

TEST_CASE("config files: the example has no problem and no warning", "[settings]")
{
    CHECK(all_problems(content_of("gateway.example.yaml")) == std::vector<std::string>{});
}

TEST_CASE("config files: the example's values are the defaults", "[settings]")
{
    Settings example = load_settings_text(content_of("gateway.example.yaml"), "x").settings;
    Settings defaults = default_settings();
    for (Settings* settings : {&example, &defaults}) {
        settings->scopes.clear();
        settings->plans.clear();
        settings->upstreams.resize(1);
        settings->upstreams[0].id = "orders";
        settings->upstreams[0].targets.clear();
        settings->routes.resize(1);
        RouteSettings& route = settings->routes[0];
        route.id = route.host = route.path = route.upstream = "";
        route.methods.clear();
        route.scopes.clear();
        route.limits.clear();
    }
    CHECK(print_settings(example) == print_settings(defaults));
}

TEST_CASE("config files: the development configuration has no error, and one open route", "[settings]")
{
    const Loaded loaded = validated(load_settings_text(content_of("gateway.dev.yaml"), "gateway.dev.yaml"));
    REQUIRE(loaded.ok());
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems[0].path == "routes[3].auth");
}

TEST_CASE("config files: the fleet's configuration has no error", "[settings]")
{
    ::setenv("PORTCULLIS_DB_PASSWORD", "of-the-database", 1);
    const Loaded loaded = validated(load_settings_text(content_of("gateway.fleet.yaml"), "gateway.fleet.yaml"));
    for (const Problem& problem : loaded.problems)
        CHECK_FALSE(problem.severity == Problem::Severity::error);
}

TEST_CASE("config files: every known key stands in the example or, of stores for a fleet, there, and no other",
          "[settings]")
{
    std::set<std::string> places;
    collect_example(tree_of("gateway.example.yaml"), "", places);
    collect_example(tree_of("gateway.fleet.yaml"), "", places);
    CHECK(missing_from(known_places(), places) == std::vector<std::string>{});
    CHECK(missing_from(places, known_places()) == std::vector<std::string>{});
}

TEST_CASE("config files: every known key stands in the schema, and no other", "[settings]")
{
    const YamlNode schema = tree_of("gateway.schema.json");
    const SchemaLeaves leaves{schema};
    CHECK(missing_from(known_places(), leaves.places) == std::vector<std::string>{});
    CHECK(missing_from(leaves.places, known_places()) == std::vector<std::string>{});
}

TEST_CASE("config files: every property of the schema is described", "[settings]")
{
    check_described(tree_of("gateway.schema.json"), "");
}
