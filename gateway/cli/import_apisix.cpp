// APISIX's consumers as its admin API answers them: GET /apisix/admin/consumers (also of version 2, with "node"), one
// consumer, or a consumer's credentials (version 3.11), each wrapped as {"key", "value"} or bare, alone or as an array.
#include "cli/commands.hpp"
#include "cli/import_file.hpp"

#include <boost/json.hpp>

namespace gw::cli {

namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name)
{
    const json::value* value = object.if_contains({name.data(), name.size()});
    const json::string* text = value ? value->if_string() : nullptr;
    return text ? std::string{*text} : std::string{};
}

const json::object* object_of(const json::object& object, std::string_view name)
{
    const json::value* value = object.if_contains({name.data(), name.size()});
    return value ? value->if_object() : nullptr;
}

const json::array* array_of(const json::object& object, std::string_view name)
{
    const json::value* value = object.if_contains({name.data(), name.size()});
    return value ? value->if_array() : nullptr;
}

// "/apisix/consumers/jack/credentials/cred-1": jack.
std::string username_in(std::string_view path)
{
    constexpr std::string_view folder = "/consumers/";
    const std::size_t at = path.find(folder);
    if (at == std::string_view::npos)
        return {};
    const std::string_view rest = path.substr(at + folder.size());
    return std::string{rest.substr(0, rest.find('/'))};
}

std::string metadata_of(const std::string& username, const json::object& consumer)
{
    json::object apisix{{"consumer", username}};
    if (const std::string group = text_of(consumer, "group_id"); !group.empty())
        apisix["group_id"] = group;
    if (const json::object* labels = object_of(consumer, "labels"); labels && !labels->empty())
        apisix["labels"] = *labels;
    return json::serialize(json::object{{"apisix", std::move(apisix)}});
}

class Import {
public:
    explicit Import(const ImportDefaults& defaults) : defaults_(defaults) { file_.place_name = "entry"; }

    // A list, or one entry.
    void take(const json::value& value)
    {
        if (const json::array* list = value.if_array())
            return take_all(*list);
        const json::object* object = value.if_object();
        if (!object)
            return end(Status::refused, "", "is no consumer: not an object");
        const json::object* node = object_of(*object, "node");
        if (const json::array* list = array_of(*object, "list"))
            return take_all(*list);
        if (const json::array* list = node ? array_of(*node, "nodes") : nullptr)
            return take_all(*list);
        take_entry(node ? *node : *object);
    }

    ImportFile result() { return std::move(file_); }

private:
    using Status = ImportOutcome::Status;

    void take_all(const json::array& list)
    {
        for (const json::value& item : list) {
            const json::object* object = item.if_object();
            if (object)
                take_entry(*object);
            else
                end(Status::refused, "", "is no consumer: not an object");
        }
    }

    void take_entry(const json::object& entry)
    {
        ++place_;
        const json::object* wrapped = object_of(entry, "value");
        const json::object& consumer = wrapped ? *wrapped : entry;
        std::string username = text_of(consumer, "username");
        if (username.empty())
            username = username_in(text_of(entry, "key"));
        const json::object* plugins = object_of(consumer, "plugins");
        const json::object* plugin = plugins ? object_of(*plugins, "key-auth") : nullptr;
        if (!plugin)
            return note(Status::skipped, username, "has no key-auth plugin, so no key to import");
        const json::object* meta = object_of(*plugin, "_meta");
        const json::value* disable = meta ? meta->if_contains("disable") : nullptr;
        if (disable && disable->is_bool() && disable->get_bool())
            return note(Status::refused, username, "its key-auth plugin is switched off");
        add(username, consumer, *plugin);
    }

    void add(const std::string& username, const json::object& consumer, const json::object& plugin)
    {
        ForeignText key;
        key.key = text_of(plugin, "key");
        if (key.key.starts_with("$secret://") || key.key.starts_with("$ENV://") || key.key.starts_with("$env://"))
            return note(Status::refused, username, "the key is a reference to a secret, not the key itself");
        CreateKey request;
        request.tenant = defaults_.tenant;
        request.environment = defaults_.environment;
        request.name = username;
        if (!choose_owner(request, {username}, defaults_))
            return note(Status::refused, username, "has no username that can be an owner's id: give one with --owner");
        if (const std::string text = text_of(consumer, "desc"); !text.empty())
            request.description = text;
        std::vector<std::string> groups{text_of(consumer, "group_id")};
        if (const json::object* labels = object_of(consumer, "labels"))
            for (const auto& [name, value] : *labels)
                if (value.is_string())
                    groups.emplace_back(value.get_string());
        apply_groups(request, groups, defaults_);
        request.metadata = metadata_of(username, consumer);
        add_row(file_, place_, std::move(request), key, defaults_);
    }

    void end(Status status, std::string name, std::string reason)
    {
        ++place_;
        note(status, std::move(name), std::move(reason));
    }
    void note(Status status, std::string name, std::string reason)
    {
        add_outcome(file_, place_, status, std::move(name), std::move(reason));
    }

    const ImportDefaults& defaults_;
    std::size_t place_ = 0; // of the entry under hand, from 1
    ImportFile file_;
};

} // namespace

ImportFile read_apisix(const std::string& text, const ImportDefaults& defaults)
{
    boost::system::error_code ec;
    const json::value root = json::parse(text, ec);
    if (ec)
        throw CommandFailed{"the file is not JSON: " + ec.message()};
    if (!root.is_object() && !root.is_array())
        throw CommandFailed{"the file is no answer of APISIX: neither an object nor a list"};
    Import import{defaults};
    import.take(root);
    return import.result();
}

} // namespace gw::cli
