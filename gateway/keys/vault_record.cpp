// {"format":1,"versions":[{"version":1,"hash":"$2b$...","digest":"<64 hex digits>","pepper":"<id>"}]}; "of" follows
// where it is not the secret. Older releases ignore it, and find that their bcrypt does not match.
#include "keys/vault_record.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace gw {

namespace {

namespace json = boost::json;

const json::string* string_member(const json::object& object, std::string_view name)
{
    const json::value* value = object.if_contains({name.data(), name.size()});
    return value ? value->if_string() : nullptr;
}

std::string_view to_string(HashedText of)
{
    switch (of) {
    case HashedText::secret: break;
    case HashedText::whole_key: return "key";
    case HashedText::after_dot: return "after-dot";
    case HashedText::after_underscore: return "after-underscore";
    }
    return "";
}

bool read_hashed_text(const json::object& object, HashedText& out)
{
    if (!object.contains("of"))
        return true;
    const json::string* name = string_member(object, "of");
    for (const auto of : {HashedText::whole_key, HashedText::after_dot, HashedText::after_underscore})
        if (name && std::string_view{name->data(), name->size()} == to_string(of)) {
            out = of;
            return true;
        }
    return false;
}

bool read_version(const json::value& value, VaultVersion& out)
{
    const json::object* object = value.if_object();
    if (!object)
        return false;
    const json::value* number = object->if_contains("version");
    const json::string* hash = string_member(*object, "hash");
    const json::string* digest = string_member(*object, "digest");
    const json::string* pepper = string_member(*object, "pepper");
    if (!number || !number->is_int64() || number->get_int64() < 1 || number->get_int64() > UINT32_MAX || !hash ||
        !digest || !pepper)
        return false;
    const auto bytes = from_hex({digest->data(), digest->size()});
    if (!bytes || bytes->size() != out.digest.size())
        return false;
    out.number = static_cast<std::uint32_t>(number->get_int64());
    out.hash = std::string{*hash};
    std::transform(bytes->begin(), bytes->end(), out.digest.begin(), [](char c) { return static_cast<unsigned char>(c); });
    out.pepper_id = std::string{*pepper};
    return read_hashed_text(*object, out.of);
}

} // namespace

const VaultVersion* VaultRecord::find(std::uint32_t number) const noexcept
{
    for (const auto& version : versions)
        if (version.number == number)
            return &version;
    return nullptr;
}

Secret VaultRecord::to_json() const
{
    json::array list;
    for (const auto& version : versions) {
        json::object item{{"version", version.number},
                          {"hash", version.hash},
                          {"digest", to_hex(version.digest)},
                          {"pepper", version.pepper_id}};
        if (version.of != HashedText::secret)
            item["of"] = to_string(version.of);
        list.push_back(std::move(item));
    }
    return Secret{json::serialize(json::object{{"format", 1}, {"versions", std::move(list)}})};
}

result<VaultRecord> VaultRecord::from_json(const Secret& text)
{
    boost::system::error_code ec;
    const json::value root = json::parse({text.reveal().data(), text.reveal().size()}, ec);
    const json::value* list = !ec && root.is_object() ? root.get_object().if_contains("versions") : nullptr;
    if (!list || !list->is_array())
        return make_error_code(errc::corrupt);

    VaultRecord record;
    for (const json::value& item : list->get_array()) {
        VaultVersion version;
        if (!read_version(item, version))
            return make_error_code(errc::corrupt);
        if (!record.versions.empty() && record.versions.back().number >= version.number)
            return make_error_code(errc::corrupt);
        record.versions.push_back(std::move(version));
    }
    return record;
}

std::string vault_path(const TenantId& tenant, const KeyId& id)
{
    return "api_keys/" + tenant.str() + "/" + id.str();
}

} // namespace gw
