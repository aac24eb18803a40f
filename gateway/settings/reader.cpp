// Typed reading: see the header.
#include "settings/reader.hpp"

#include "settings/known_keys.hpp"
#include "settings/references.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace gw {
namespace {

constexpr std::size_t k_max_shown = 60;

std::string shown(std::string_view raw)
{
    std::string text = "`";
    for (const char c : raw.substr(0, k_max_shown))
        text += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
    return text + (raw.size() > k_max_shown ? "...`" : "`");
}

std::string join(std::string_view path, std::string_view key)
{
    return path.empty() ? std::string{key} : std::string{path} + '.' + std::string{key};
}

bool expect(const Value& value, YamlNode::Kind kind)
{
    if (value.node->kind != kind)
        value.error("expected " + std::string{to_string(kind)} + ", found " +
                    std::string{to_string(value.node->kind)});
    return value.node->kind == kind;
}

} // namespace

void Loading::error(SourceMark mark, std::string path, std::string message)
{
    problems.push_back({Problem::Severity::error, mark, std::move(path), std::move(message)});
}

std::optional<Text> read_text(const Value& value)
{
    if (!expect(value, YamlNode::Kind::scalar))
        return std::nullopt;
    Expanded expanded = expand_references(value.node->text, value.loading->sources);
    value.loading->wants_vault |= expanded.wants_vault;
    for (std::string& problem : expanded.problems)
        value.error(std::move(problem));
    if (!expanded.problems.empty())
        return std::nullopt;
    return Text{std::move(expanded.text), shown(value.node->text), expanded.has_reference};
}

std::optional<Secret> read_secret(const Value& value)
{
    if (!expect(value, YamlNode::Kind::scalar))
        return std::nullopt;
    const std::string& raw = value.node->text;
    if (!raw.starts_with("${") || raw.find('}') != raw.size() - 1) {
        value.error("a secret must not stand in the file; write a reference, ${env:NAME}, ${file:PATH} or ${vault:PATH#FIELD}");
        return std::nullopt;
    }
    auto text = read_text(value);
    if (!text)
        return std::nullopt;
    Secret secret{std::move(text->value)};
    if (secret.empty()) {
        value.error(text->shown + " resolves to nothing");
        return std::nullopt;
    }
    return secret;
}

std::optional<std::vector<Value>> read_list(const Value& value)
{
    if (!expect(value, YamlNode::Kind::sequence))
        return std::nullopt;
    std::vector<Value> items;
    for (const YamlNode& item : value.node->items) {
        const std::string path = value.path + '[' + std::to_string(items.size()) + ']';
        value.loading->marks.emplace(path, item.mark);
        items.push_back({value.loading, &item, item.mark, path, value.place + "[]", item.mark});
    }
    return items;
}

std::optional<std::uint64_t> read_number(const Value& value, std::uint64_t least, std::uint64_t most)
{
    const auto text = read_text(value);
    if (!text)
        return std::nullopt;
    std::uint64_t number = 0;
    const char* const end = text->value.data() + text->value.size();
    const auto [rest, error] = std::from_chars(text->value.data(), end, number);
    const std::string range = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    if (error == std::errc{} && rest == end && number >= least && number <= most)
        return number;
    value.error(text->shown + " is not " + range);
    return std::nullopt;
}

std::optional<milliseconds> read_duration(const Value& value, milliseconds least, milliseconds most,
                                          milliseconds whole_in)
{
    const auto text = read_text(value);
    if (!text)
        return std::nullopt;
    const auto duration = parse_duration(text->value);
    if (!duration)
        value.error(
            text->shown +
            " is not a duration; write a whole number and its unit, such as 250ms, 30s, 5m, 2h or 90d");
    else if (*duration < least || *duration > most)
        value.error(text->shown + " is out of range: from " + format_duration(least) + " to " +
                    format_duration(most));
    else if (*duration % whole_in != milliseconds{0})
        value.error(text->shown + " is finer than this setting, which counts whole seconds");
    else
        return duration;
    return std::nullopt;
}

std::optional<std::uint64_t> read_size(const Value& value, std::uint64_t least, std::uint64_t most)
{
    const auto text = read_text(value);
    if (!text)
        return std::nullopt;
    const auto bytes = parse_size(text->value);
    if (!bytes)
        value.error(text->shown +
                    " is not a size; write a whole number and its unit, such as 512B, 16KiB, 100MiB or 2GiB");
    else if (*bytes < least || *bytes > most)
        value.error(text->shown + " is out of range: from " + format_size(least) + " to " +
                    format_size(most));
    else
        return bytes;
    return std::nullopt;
}

Mapping::Mapping(Value value) : value_(std::move(value))
{
    if (value_.node == nullptr)
        return;
    if (!expect(value_, YamlNode::Kind::mapping)) {
        value_.node = nullptr;
        return;
    }
    note_keys();
}

void Mapping::note_keys() const
{
    std::map<std::string_view, SourceMark> seen;
    for (const YamlNode::Entry& entry : value_.node->entries) {
        const std::string path = join(value_.path, entry.key);
        Loading& loading = *value_.loading;
        const auto [first, is_new] = seen.emplace(entry.key, entry.mark);
        if (!is_new) {
            loading.error(entry.mark, path,
                          "stands twice; first on line " + std::to_string(first->second.line));
            continue;
        }
        const KeyStatus status = status_of_key(value_.place, entry.key);
        if (status == KeyStatus::not_built)
            loading.error(entry.mark, path, "not built yet in this version");
        else if (status == KeyStatus::unknown)
            loading.error(entry.mark, path, "unknown key" + did_you_mean(entry.key, keys_of(value_.place)));
        else
            loading.marks.emplace(path, entry.value.mark);
    }
}

const YamlNode::Entry* Mapping::entry(std::string_view key) const
{
    if (value_.node == nullptr)
        return nullptr;
    const auto found = std::find_if(value_.node->entries.begin(), value_.node->entries.end(),
                                    [key](const YamlNode::Entry& e) { return e.key == key; });
    return found == value_.node->entries.end() ? nullptr : &*found;
}

Value Mapping::below(const YamlNode::Entry& entry) const
{
    return {value_.loading,
            &entry.value,
            entry.value.mark,
            join(value_.path, entry.key),
            join(value_.place, entry.key),
            entry.mark};
}

std::optional<Value> Mapping::find(std::string_view key, Null null) const
{
    const YamlNode::Entry* const found = entry(key);
    if (found == nullptr)
        return std::nullopt;
    Value value = below(*found);
    if (found->value.kind != YamlNode::Kind::null)
        return value;
    if (null == Null::refused)
        value.error("has no value");
    return std::nullopt;
}

std::optional<Value> Mapping::require(std::string_view key, std::string_view example) const
{
    if (value_.node != nullptr && entry(key) == nullptr)
        value_.loading->error(value_.mark, join(value_.path, key),
                              "missing; write `" + std::string{example} + '`');
    return find(key);
}

std::vector<std::pair<std::string, Value>> Mapping::entries() const
{
    std::vector<std::pair<std::string, Value>> all;
    std::set<std::string_view> seen;
    if (value_.node != nullptr)
        for (const YamlNode::Entry& entry : value_.node->entries)
            if (seen.insert(entry.key).second) {
                all.emplace_back(entry.key, below(entry));
                all.back().second.place = join(value_.place, "*");
            }
    return all;
}

Mapping Mapping::mapping(std::string_view key) const
{
    return Mapping{find(key).value_or(Value{})};
}

void Mapping::flag(std::string_view key, bool& out) const
{
    const auto found = find(key);
    const auto text = found ? read_text(*found) : std::nullopt;
    if (!text)
        return;
    if (text->value == "true" || text->value == "false")
        out = text->value == "true";
    else
        found->error(text->shown + " is neither true nor false");
}

void Mapping::text(std::string_view key, std::string& out, Null null) const
{
    const auto found = find(key, null);
    auto read = found ? read_text(*found) : std::nullopt;
    if (!read)
        return;
    if (read->value.empty() || read->value.find('\0') != std::string::npos)
        found->error("must not be empty");
    else
        out = std::move(read->value);
}

void Mapping::size(std::string_view key, std::uint64_t& out, std::uint64_t least, std::uint64_t most) const
{
    if (const auto found = find(key))
        if (const auto read = read_size(*found, least, most))
            out = *read;
}

} // namespace gw
