// Strict JSON: a request's body becomes a struct, or a problem that names every field that is wrong.
// Malformed text and duplicate members are 400 (Boost.JSON alone keeps the last of two), unknown or invalid
// fields 422 with a JSON pointer each.
#pragma once

#include "admin/message.hpp"
#include "keys/key_service.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gw {

// One JSON object being taken apart. Every accessor notes what is wrong and goes on, so that one answer names
// all errors; finish() then also refuses the members that nobody asked for.
class BodyObject {
public:
    // 400: not JSON, a duplicate member, or not an object. An empty text is an empty object if
    // `may_be_empty`.
    static api_result<BodyObject> parse(std::string_view text, bool may_be_empty = false);
    BodyObject(boost::json::object object, std::string pointer)
        : object_(std::move(object)), pointer_(std::move(pointer))
    {
    }

    bool has(std::string_view name) const { return object_.contains(name); }
    // Absent members are empty; members of another type too, and noted.
    std::optional<std::string> text(std::string_view name);
    std::optional<bool> boolean(std::string_view name);
    std::optional<std::uint64_t> number(std::string_view name);
    std::optional<std::vector<std::string>> texts(std::string_view name);
    // Absent: empty. null: an empty inner optional.
    std::optional<std::optional<std::string>> nullable_text(std::string_view name);
    std::optional<BodyObject> object(std::string_view name);
    std::optional<std::vector<BodyObject>> objects(std::string_view name);

    // Notes that the member must be there.
    void require(std::string_view name);
    void complain(std::string_view name, std::string detail);
    // Takes over the errors of a nested object, its unknown members included.
    void absorb(BodyObject& nested);
    // 422 if anything was noted.
    std::optional<ApiProblem> finish();
    const boost::json::object& raw() const noexcept { return object_; }

private:
    const boost::json::value* take(std::string_view name);
    void note_unknown();

    boost::json::object object_;
    std::string pointer_; // of this object in the body; empty for the body itself
    std::vector<std::string> known_;
    std::vector<FieldError> errors_;
};

// "24h", "30m", "7d", "90s": digits and one unit.
std::optional<std::chrono::seconds> parse_time_span(std::string_view text);

// The bodies. `now` resolves nothing but relative times: expires_at is RFC 3339.
api_result<CreateKey> read_create_key(std::string_view body);
api_result<KeyChanges> read_key_changes(std::string_view body);
// {"overlap": "24h"}; a day if absent.
api_result<std::chrono::seconds> read_overlap(std::string_view body);
// {"reason": "..."}, both optional.
api_result<std::optional<std::string>> read_reason(std::string_view body);
// {"id", "name", "plan"}; `created_at` is left to the caller.
api_result<Tenant> read_tenant(std::string_view body);

std::string tenant_to_json(const Tenant& tenant);
std::string audit_to_json(const AuditEntry& entry);
// {"data":[...],"has_more":...,"next_cursor":...} of members that are JSON already.
std::string list_to_json(const std::vector<std::string>& members,
                         const std::optional<std::string>& next_cursor);

} // namespace gw
