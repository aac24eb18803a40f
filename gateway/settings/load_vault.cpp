// See load_vault.hpp.
#include "settings/load_vault.hpp"

#include "settings/load_fields.hpp"

#include <algorithm>

namespace gw {
namespace {

// Where an engine or a namespace is: names joined by slashes, as in "teams/api". A slash at the end is dropped.
void read_location(const Mapping& owner, std::string_view key, std::string& out)
{
    const auto value = owner.find(key, Mapping::Null::as_absent);
    const auto text = value ? read_text(*value) : std::nullopt;
    if (!text)
        return;
    std::string_view path = text->value;
    if (path.ends_with('/'))
        path.remove_suffix(1);
    const bool valid = !path.empty() && !path.starts_with('/') && !path.ends_with('/') &&
                       path.find("//") == std::string_view::npos && path.find("..") == std::string_view::npos &&
                       std::all_of(path.begin(), path.end(), [](char c) {
                           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                  std::string_view{"_.-/"}.find(c) != std::string_view::npos;
                       });
    if (valid)
        out = path;
    else
        value->error(text->shown + " is not a path, such as secret or teams/api");
}

VaultSettings::AppRole read_approle(const Mapping& approle)
{
    VaultSettings::AppRole role;
    const auto id = approle.require("role_id", "role_id: 675a50e7-...");
    if (auto text = id ? read_text(*id) : std::nullopt) {
        if (text->value.empty())
            id->error("must not be empty");
        role.role_id = std::move(text->value);
    }
    if (const auto secret = approle.require("secret_id", "secret_id: ${env:VAULT_SECRET_ID}"))
        if (auto read = read_secret(*secret))
            role.secret_id = std::move(*read);
    read_location(approle, "mount", role.mount);
    return role;
}

// It travels in a header field.
std::optional<Secret> read_token(const Value& value)
{
    auto token = read_secret(value);
    const std::string_view text = token ? token->reveal() : std::string_view{};
    if (std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; }))
        return token;
    value.error("is no token: it has characters that are not visible ASCII");
    return std::nullopt;
}

void read_auth(const Mapping& auth, VaultSettings& out)
{
    if (!auth.is_present())
        return;
    const auto approle = auth.find("approle", Mapping::Null::as_absent);
    const auto token = auth.find("token", Mapping::Null::as_absent);
    if (approle && token)
        token->error_at_key("one way to authenticate: write `approle` or `token`, not both");
    else if (!approle && !token)
        auth.value().error("names no way to authenticate; write approle: { role_id, secret_id } or token: ${env:VAULT_TOKEN}");
    if (approle)
        out.approle = read_approle(Mapping{*approle});
    if (token)
        out.token = read_token(*token);
}

} // namespace

VaultSettings read_vault(const Mapping& vault)
{
    VaultSettings out;
    ReferenceSources& sources = vault.value().loading->sources;
    sources.leads_to_vault = true;
    if (const auto address = vault.require("address", "address: https://vault.example.com:8200"))
        if (auto read = read_store_address(*address)) {
            out.tls = read->tls;
            out.host = std::move(read->host);
            out.port = read->port;
        }
    read_location(vault, "mount", out.mount);
    read_location(vault, "namespace", out.name_space);
    vault.text("ca", out.ca_file, Mapping::Null::as_absent);
    vault.duration("timeout", out.timeout, milliseconds{50}, seconds{60});
    if (const auto auth = vault.require("auth", "auth: { approle: { role_id, secret_id } }"))
        read_auth(Mapping{*auth}, out);
    sources.leads_to_vault = false;
    return out;
}

} // namespace gw
