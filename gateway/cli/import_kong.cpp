// Kong's declarative configuration (decK, `kong config db_export`): consumers with their keyauth_credentials inside
// them, or both as lists of their own. Groups of ACLs, consumer groups and tags give scopes and plans where they bear
// such a name or are mapped; all of them are kept in the key's metadata.
#include "cli/commands.hpp"
#include "cli/import_file.hpp"
#include "settings/yaml_tree.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

namespace gw::cli {

namespace {

constexpr std::size_t k_max_nodes = 20'000'000; // a million consumers; the file is the operator's own

const YamlNode* find(const YamlNode& node, std::string_view key)
{
    for (const YamlNode::Entry& entry : node.entries)
        if (entry.key == key)
            return &entry.value;
    return nullptr;
}

std::string text_of(const YamlNode& node, std::string_view key)
{
    const YamlNode* value = find(node, key);
    return value && value->kind == YamlNode::Kind::scalar ? value->text : std::string{};
}

const std::vector<YamlNode>& items_of(const YamlNode& node, std::string_view key)
{
    const YamlNode* value = find(node, key);
    static const std::vector<YamlNode> none;
    return value && value->kind == YamlNode::Kind::sequence ? value->items : none;
}

std::vector<std::string> texts_of(const YamlNode& node, std::string_view key, std::string_view member = {})
{
    std::vector<std::string> texts;
    for (const YamlNode& item : items_of(node, key)) {
        const std::string text = item.kind == YamlNode::Kind::scalar ? item.text : text_of(item, member);
        if (!text.empty())
            texts.push_back(text);
    }
    return texts;
}

std::optional<std::int64_t> number_of(const YamlNode& node, std::string_view key)
{
    const std::string text = text_of(node, key);
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

struct Consumer {
    std::string username, custom_id, id;
    std::vector<std::string> groups, tags;
};

Consumer read_consumer(const YamlNode& node)
{
    Consumer consumer;
    consumer.username = text_of(node, "username");
    consumer.custom_id = text_of(node, "custom_id");
    consumer.id = text_of(node, "id");
    consumer.groups = texts_of(node, "acls", "group");
    for (const std::string& group : texts_of(node, "groups", "name"))
        consumer.groups.push_back(group);
    consumer.tags = texts_of(node, "tags");
    return consumer;
}

// The name in a reference to a consumer: a text, or {username: ...} or {id: ...}.
std::string name_in(const YamlNode* reference)
{
    if (!reference)
        return {};
    std::string name = reference->text;
    for (const std::string_view member : {"username", "id"})
        if (name.empty())
            name = text_of(*reference, member);
    return name;
}

std::string metadata_of(const Consumer& consumer, const std::vector<std::string>& tags)
{
    boost::json::object kong;
    const auto add_text = [&](const char* name, const std::string& text) {
        if (!text.empty())
            kong[name] = text;
    };
    const auto add_list = [&](const char* name, const std::vector<std::string>& texts) {
        if (!texts.empty())
            kong[name] = boost::json::array(texts.begin(), texts.end());
    };
    add_text("consumer", consumer.username);
    add_text("custom_id", consumer.custom_id);
    add_list("groups", consumer.groups);
    add_list("tags", tags);
    return boost::json::serialize(boost::json::object{{"kong", std::move(kong)}});
}

class Import {
public:
    Import(const YamlNode& root, const ImportDefaults& defaults) : root_(root), defaults_(defaults) {}

    ImportFile run()
    {
        const std::vector<YamlNode>& nodes = items_of(root_, "consumers");
        for (const YamlNode& node : nodes) {
            consumers_.push_back(read_consumer(node));
            const Consumer& consumer = consumers_.back();
            for (const std::string& name : {consumer.username, consumer.id, consumer.custom_id})
                if (!name.empty())
                    by_name_.try_emplace(name, consumers_.size() - 1);
        }
        for (const YamlNode& acl : items_of(root_, "acls"))
            if (Consumer* consumer = find_consumer(acl))
                consumer->groups.push_back(text_of(acl, "group"));
        for (std::size_t i = 0; i < nodes.size(); ++i)
            for (const YamlNode& credential : items_of(nodes[i], "keyauth_credentials"))
                add(consumers_[i], credential);
        for (const YamlNode& credential : items_of(root_, "keyauth_credentials")) {
            if (const Consumer* consumer = find_consumer(credential))
                add(*consumer, credential);
            else
                refuse(credential, "", "names no consumer of this file");
        }
        return std::move(file_);
    }

private:
    Consumer* find_consumer(const YamlNode& node)
    {
        const auto found = by_name_.find(name_in(find(node, "consumer")));
        return found == by_name_.end() ? nullptr : &consumers_[found->second];
    }

    void refuse(const YamlNode& node, const std::string& name, std::string reason)
    {
        add_outcome(file_, line_of(node), ImportOutcome::Status::refused, name, std::move(reason));
    }

    static std::size_t line_of(const YamlNode& node) { return static_cast<std::size_t>(std::max(node.mark.line, 0)); }

    void add(const Consumer& consumer, const YamlNode& credential)
    {
        CreateKey request;
        request.tenant = defaults_.tenant;
        request.environment = defaults_.environment;
        request.name = consumer.username.empty() ? consumer.custom_id : consumer.username;
        if (!choose_owner(request, {consumer.username, consumer.custom_id, consumer.id}, defaults_))
            return refuse(credential, request.name, "neither username, custom_id nor id can be an owner's id (A-Z a-z 0-9 . _ @ -, at "
                                                    "most 64): give one with --owner");
        std::vector<std::string> tags = consumer.tags, groups = consumer.groups;
        for (const std::string& tag : texts_of(credential, "tags"))
            tags.push_back(tag);
        groups.insert(groups.end(), tags.begin(), tags.end());
        apply_groups(request, groups, defaults_);
        request.metadata = metadata_of(consumer, tags);
        if (const std::string id = text_of(credential, "id"); !id.empty())
            request.external_id = id;
        if (!read_expiry(credential, request))
            return refuse(credential, request.name, "its ttl is over");

        ForeignText key;
        key.key = text_of(credential, "key");
        if (key.key.starts_with("{vault://"))
            return refuse(credential, request.name, "the key is a reference into a vault, not the key itself");
        add_row(file_, line_of(credential), std::move(request), key, defaults_);
    }

    // `ttl` counts in seconds from `created_at`, or, in a file that does not say when that was, from now.
    bool read_expiry(const YamlNode& credential, CreateKey& request) const
    {
        const auto ttl = number_of(credential, "ttl");
        if (!ttl || *ttl <= 0)
            return true;
        WallTime from = defaults_.now;
        if (const auto created = number_of(credential, "created_at"))
            from = WallTime{std::chrono::seconds{*created}};
        request.expires_at = from + std::chrono::seconds{*ttl};
        return *request.expires_at > defaults_.now;
    }

    const YamlNode& root_;
    const ImportDefaults& defaults_;
    std::vector<Consumer> consumers_;
    std::map<std::string, std::size_t> by_name_; // username, id and custom_id
    ImportFile file_;
};

} // namespace

ImportFile read_kong(const std::string& text, const ImportDefaults& defaults)
{
    std::vector<Problem> problems;
    const YamlNode root = parse_yaml(text, problems, k_max_nodes);
    if (!problems.empty())
        throw CommandFailed{"line " + std::to_string(problems.front().mark.line) + ": " + problems.front().message};
    if (root.kind != YamlNode::Kind::mapping || !find(root, "_format_version"))
        throw CommandFailed{"the file is no declarative configuration of Kong: it has no _format_version"};
    return Import{root, defaults}.run();
}

} // namespace gw::cli
