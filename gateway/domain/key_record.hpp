// An API key as stored: everything but its secrets. And who asks for a change of it.
#pragma once

#include "domain/api_key.hpp"
#include "domain/ids.hpp"
#include "domain/limit_policy.hpp"
#include "domain/network.hpp"
#include "domain/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gw {

enum class KeyStatus : std::uint8_t {
    pending, // allocated, its Vault entry not yet known to be written; unknown to callers
    active,
    disabled,
    revoked,
};
std::string_view to_string(KeyStatus status) noexcept;

enum class VersionStatus : std::uint8_t { pending, live, ended };
std::string_view to_string(VersionStatus status) noexcept;

struct KeyVersion {
    std::uint32_t number = 0;
    std::string last4;
    VersionStatus status = VersionStatus::pending;
    WallTime created_at{};
    std::optional<WallTime> ends_at; // set during an overlap: the version is live before it
    std::optional<WallTime> last_used_at;

    bool is_live(WallTime now) const noexcept
    {
        return status == VersionStatus::live && (!ends_at || now < *ends_at);
    }
    friend bool operator==(const KeyVersion&, const KeyVersion&) = default;
};

struct Owner {
    std::string type = "service"; // user or service
    OwnerId id;
    std::string name;
    friend bool operator==(const Owner&, const Owner&) = default;
};

struct KeyRecord {
    KeyId id;
    TenantId tenant;
    Owner owner;
    std::string name;
    Environment environment = Environment::live;
    std::vector<std::string> scopes;
    std::optional<std::string> plan;
    std::vector<LimitPolicy> limits;
    std::vector<Network> allowed_ips;
    std::optional<std::string> description;
    std::string metadata = "{}"; // a JSON object, as text
    std::optional<std::string> external_id;
    KeyStatus status = KeyStatus::pending;
    std::vector<KeyVersion> versions; // ascending by number
    WallTime created_at{};
    std::string created_by;
    WallTime updated_at{};
    WallTime rotated_at{}; // creation or last regeneration: what rotation age counts from
    std::optional<WallTime> expires_at;
    std::optional<WallTime> last_used_at;
    std::optional<std::string> last_used_ip;
    std::optional<WallTime> revoked_at;
    std::optional<std::string> revoked_reason;
    bool management = false; // carries platform: scopes; the data path refuses it
    std::uint64_t record_version = 0; // counts every change of the record; the ETag
    bool tenant_suspended = false;    // read along with the record
    std::optional<std::string> tenant_plan; // likewise

    const KeyVersion* find_version(std::uint32_t number) const noexcept
    {
        for (const auto& version : versions)
            if (version.number == number)
                return &version;
        return nullptr;
    }
    bool is_expired(WallTime now) const noexcept { return expires_at && *expires_at <= now; }
    friend bool operator==(const KeyRecord&, const KeyRecord&) = default;
};

struct Tenant {
    TenantId id;
    std::string name;
    std::optional<std::string> plan;
    bool suspended = false;
    WallTime created_at{};
    friend bool operator==(const Tenant&, const Tenant&) = default;
};

// Who changed what, from where. Written in the transaction of the change. Never holds a secret: `details`
// is a JSON object of before/after differences that its author has kept clean.
struct AuditEntry {
    std::string actor_type = "system"; // system, operator, user, key
    std::string actor;                 // an id, or the operating system's user for the command line
    std::string action;                // "key.create", "key.revoke", "tenant.create", "auth.failed", ...
    std::string target_type;           // key, tenant, ...
    std::string target;
    std::string tenant;                // empty: of the platform itself
    std::string details = "{}";
    std::string address;
    std::string user_agent;
    std::string request_id;
    WallTime at{};
    std::uint64_t sequence = 0; // given by the log

    friend bool operator==(const AuditEntry&, const AuditEntry&) = default;
};

// One commit-ordered change. Nodes poll these and drop what they cached of the subject.
struct Change {
    enum class Subject : std::uint8_t { key, tenant };
    std::uint64_t sequence = 0;
    Subject subject = Subject::key;
    std::string id;                   // key_id or tenant id
    std::uint64_t record_version = 0; // the key's after the change; 0 for tenants
    WallTime at{};
    friend bool operator==(const Change&, const Change&) = default;
};

} // namespace gw
