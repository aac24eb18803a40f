// Typed reading of the YAML tree. Every reader takes a key and a variable that holds its default: the
// variable is set if the key is there and right, and a problem is noted, at the place of the value, if it is
// there and wrong. So one run finds every mistake, and what comes after a mistake sees a value that is in
// range.
#pragma once

#include "settings/references.hpp"
#include "settings/settings.hpp"
#include "settings/suggest.hpp"
#include "settings/units.hpp"
#include "settings/yaml_tree.hpp"

#include <array>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gw {

// What one load gathers.
struct Loading {
    ReferenceSources sources;
    bool wants_vault = false; // something refers to the Vault, which could not be asked yet
    std::vector<Problem> problems;
    std::map<std::string, SourceMark, std::less<>> marks;

    void error(SourceMark mark, std::string path, std::string message);
};

// A node and where it is: in the file, in the configuration, and in the table of known keys.
struct Value {
    Loading* loading = nullptr;
    const YamlNode* node = nullptr;
    SourceMark mark;
    std::string path;    // "routes[2].limits[0]"
    std::string place;   // "routes[].limits[]"
    SourceMark key_mark; // where its key stood; of a list's item its own place

    void error(std::string message) const { loading->error(mark, path, std::move(message)); }
    void error_at_key(std::string message) const { loading->error(key_mark, path, std::move(message)); }
};

// The text of a value, its references resolved.
struct Text {
    std::string value;
    std::string shown; // for messages: as written, quoted and shortened; a reference stays a reference
    bool has_reference = false;
};

// Empty, with the problem noted, unless `value` is a scalar whose references resolve.
std::optional<Text> read_text(const Value& value);
// The same for a value that must be a reference; messages never show what stands there instead.
std::optional<Secret> read_secret(const Value& value);
// The items of a list; empty with a problem noted if it is none.
std::optional<std::vector<Value>> read_list(const Value& value);

template <class Enum, std::size_t N>
using Choices = std::array<std::pair<std::string_view, Enum>, N>;

template <class Enum, std::size_t N>
std::optional<Enum> read_choice(const Value& value, const Choices<Enum, N>& choices)
{
    const auto text = read_text(value);
    if (!text)
        return std::nullopt;
    std::array<std::string_view, N> names;
    std::string all;
    for (std::size_t i = 0; i < N; ++i) {
        if (text->value == choices[i].first)
            return choices[i].second;
        names[i] = choices[i].first;
        all += (i == 0 ? "" : i + 1 == N ? " or " : ", ") + std::string{names[i]};
    }
    value.error(text->shown + " is not one of " + all + did_you_mean(text->value, names));
    return std::nullopt;
}

// A mapping being read. Made from anything: of what is no mapping the problem is noted, and it reads as
// empty.
class Mapping {
public:
    // Unknown keys, keys of later versions and keys that stand twice are noted here.
    explicit Mapping(Value value);

    bool is_present() const noexcept { return value_.node != nullptr; }
    const Value& value() const noexcept { return value_; }

    // A nullable key may have no value, which is as if it were not there; any other is then wrong.
    enum class Null : bool { refused, as_absent };
    std::optional<Value> find(std::string_view key, Null null = Null::refused) const;
    std::optional<Value> require(std::string_view key, std::string_view example) const;
    // The keys that the author chose, each once.
    std::vector<std::pair<std::string, Value>> entries() const;

    Mapping mapping(std::string_view key) const;
    void flag(std::string_view key, bool& out) const;
    void text(std::string_view key, std::string& out, Null null = Null::refused) const; // not empty
    void size(std::string_view key, std::uint64_t& out, std::uint64_t least, std::uint64_t most) const;
    // `out` counts milliseconds or seconds, and the value must be whole in it.
    template <class Rep, class Period>
    void duration(std::string_view key, std::chrono::duration<Rep, Period>& out, milliseconds least,
                  milliseconds most) const;
    template <std::integral Int>
    void number(std::string_view key, Int& out, std::uint64_t least, std::uint64_t most) const;
    template <class Enum, std::size_t N>
    void choice(std::string_view key, Enum& out, const Choices<Enum, N>& choices) const;

private:
    const YamlNode::Entry* entry(std::string_view key) const;
    Value below(const YamlNode::Entry& entry) const;
    void note_keys() const;

    Value value_;
};

std::optional<std::uint64_t> read_number(const Value& value, std::uint64_t least, std::uint64_t most);
std::optional<milliseconds> read_duration(const Value& value, milliseconds least, milliseconds most,
                                          milliseconds whole_in);
std::optional<std::uint64_t> read_size(const Value& value, std::uint64_t least, std::uint64_t most);

template <class Rep, class Period>
void Mapping::duration(std::string_view key, std::chrono::duration<Rep, Period>& out, milliseconds least,
                       milliseconds most) const
{
    using Unit = std::chrono::duration<Rep, Period>;
    if (const auto found = find(key))
        if (const auto read = read_duration(*found, least, most, Unit{1}))
            out = std::chrono::duration_cast<Unit>(*read);
}

template <std::integral Int>
void Mapping::number(std::string_view key, Int& out, std::uint64_t least, std::uint64_t most) const
{
    if (const auto found = find(key))
        if (const auto read = read_number(*found, least, most))
            out = static_cast<Int>(*read);
}

template <class Enum, std::size_t N>
void Mapping::choice(std::string_view key, Enum& out, const Choices<Enum, N>& choices) const
{
    if (const auto found = find(key))
        if (const auto read = read_choice(*found, choices))
            out = *read;
}

} // namespace gw
