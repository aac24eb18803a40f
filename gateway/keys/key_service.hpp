// Everything that happens to a key, once for the command line and the admin API: validation, the crash-safe
// order of database and Vault, audit entries, the outbox. No HTTP and no terminal in here.
//
// Thread: any coroutine of one executor (admin's or the command line's); stateless between calls.
#pragma once

#include "domain/errors.hpp"
#include "domain/key_record.hpp"
#include "domain/secret.hpp"
#include "domain/time.hpp"
#include "keys/pepper_ring.hpp"
#include "keys/vault_record.hpp"
#include "net/asio.hpp"
#include "net/offload.hpp"
#include "ports/key_store.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gw {

class TenantStore;
class SecretVault;
class DigestStore;

// Who asks. What they may grant bounds what a key can get.
struct Actor {
    std::string type = "operator"; // operator, user, key, system
    std::string id;
    std::vector<std::string> grants; // scopes they hold; "*:*" for the operator
    bool may_set_limits = false;     // plans and limits need role admin
    std::string address, user_agent, request_id;
};

struct FieldError {
    std::string pointer; // JSON pointer, "/scopes/1"
    std::string detail;
};

// Why an operation on a key was not done. Expected; faults are among them as `unavailable`.
struct KeyProblem {
    enum class Kind : std::uint8_t {
        invalid = 1,   // fields: what is wrong with the request
        not_found,     // also: another tenant's
        conflict,      // detail says why: revoked, external_id taken ...
        stale,         // if_version did not match
        forbidden,     // the actor does not hold what they want to grant
        unavailable,   // a store or the vault is out of reach; nothing half-written
    };
    Kind kind = Kind::invalid;
    std::string detail;
    std::vector<FieldError> fields;
};

template <class T>
using key_result = boost::system::result<T, KeyProblem>;

struct CreateKey {
    TenantId tenant;
    std::string name;                  // 1..80 characters
    Owner owner;                       // default: the actor
    Environment environment = Environment::live;
    std::vector<std::string> scopes;   // 1..64, declared in the configuration (or wildcards over declared ones)
    std::optional<std::string> plan;
    std::vector<LimitPolicy> limits;
    std::vector<Network> allowed_ips;  // at most 50
    std::optional<std::string> description; // at most 500
    std::string metadata = "{}";       // at most 4 KiB
    std::optional<std::string> external_id; // at most 128
    std::optional<WallTime> expires_at;     // in the future
    bool management = false;           // platform: scopes
};

struct IssuedKey {
    KeyRecord record;
    Secret key; // the only time it is seen
};

// What the configuration says about keys.
struct KeyRules {
    std::string brand = "pc";
    int bcrypt_cost = 10;
    std::chrono::seconds rotate_after = std::chrono::days{90};
    std::optional<std::chrono::seconds> max_age;
    std::map<std::string, std::string> scopes; // declared: scope -> description
    std::vector<std::string> plans;            // ids
};

class KeyService {
public:
    // All references must outlive the service. `hashing` runs bcrypt (one call per created secret).
    KeyService(KeyRules rules, KeyStore& keys, TenantStore& tenants, SecretVault& vault, DigestStore& digests,
               const PepperRing& peppers, BlockingPool& hashing);

    awaitable<key_result<IssuedKey>> create(CreateKey request, Actor who);
    awaitable<key_result<KeyRecord>> get(KeyId id, std::optional<TenantId> tenant);
    awaitable<key_result<KeyPage>> list(KeyQuery query);
    awaitable<key_result<KeyRecord>> update(KeyId id, std::optional<TenantId> tenant, KeyChanges changes,
                                            std::optional<std::uint64_t> if_version, Actor who);
    awaitable<key_result<IssuedKey>> regenerate(KeyId id, std::optional<TenantId> tenant,
                                                std::chrono::seconds overlap, Actor who);
    awaitable<key_result<KeyRecord>> disable(KeyId id, std::optional<TenantId> tenant, Actor who);
    awaitable<key_result<KeyRecord>> enable(KeyId id, std::optional<TenantId> tenant, Actor who);
    awaitable<key_result<KeyRecord>> revoke(KeyId id, std::optional<TenantId> tenant,
                                            std::optional<std::string> reason, Actor who);

    // Scheduled work: destroys what the outbox names, and clears what crashes left behind for an hour.
    struct SweepReport {
        std::size_t destroyed = 0, cleared = 0;
    };
    // Ends early, with what it has done, once `may_go_on` (if not empty) says no.
    awaitable<result<SweepReport>> sweep(WallTime now, std::function<bool()> may_go_on = {});

    // Awaited after every committed change: returns once this process acts upon it, so that whoever asked for the
    // change sees it in their next request here. Other nodes follow within the second. May be empty.
    std::function<awaitable<void>()> on_change;
    // Tests and PORTCULLIS_CRASH_AT stop the process (or throw) at a named point. Called with the name of each
    // point passed: "create.reserved", "create.vault_written", "create.activated", "regenerate.reserved",
    // "regenerate.vault_written", "regenerate.activated", "revoke.committed", "revoke.vault_destroyed".
    std::function<void(std::string_view)> at_point;

    // Tests set the clock.
    std::function<WallTime()> clock = wall_now;

    const KeyRules& rules() const noexcept { return rules_; }

private:
    // The record, unless it is pending or another tenant's.
    awaitable<key_result<KeyRecord>> find_visible(const KeyId& id, const std::optional<TenantId>& tenant);
    // Hashes the secret on the pool and makes the Vault's version of it.
    awaitable<VaultVersion> hash_version(const KeyRecord& record, std::uint32_t number, const Secret& secret);
    // Read, add the version, drop those that ended, write with check-and-set; again if another writer won.
    awaitable<result<void>> add_to_vault(const KeyRecord& record, const VaultVersion& version);
    awaitable<result<void>> remove_from_vault(const TenantId& tenant, const KeyId& id, std::uint32_t version);
    // Destroys what a failed create left, where that is certain; else the sweep does it.
    awaitable<void> abandon(const KeyRecord& pending);
    awaitable<result<void>> destroy_secrets(const TenantId& tenant, const KeyId& id);
    awaitable<result<void>> clear_leftover(const KeyStore::Leftover& leftover);
    awaitable<key_result<KeyRecord>> set_status(KeyId id, std::optional<TenantId> tenant, KeyStatus status, Actor who);
    awaitable<key_result<KeyRecord>> change(KeyId id, std::optional<TenantId> tenant, KeyChanges changes,
                                            std::optional<std::uint64_t> if_version, Actor who, std::string action);
    void passed(std::string_view point) const
    {
        if (at_point)
            at_point(point);
    }
    awaitable<void> changed() const
    {
        if (on_change)
            co_await on_change();
    }

    KeyRules rules_;
    KeyStore& keys_;
    TenantStore& tenants_;
    SecretVault& vault_;
    DigestStore& digests_;
    const PepperRing& peppers_;
    BlockingPool& hashing_;
};

// The key as the admin API and the command line's --json show it (DESIGN.md section 8), without a secret:
// one JSON object as text. `key` adds the secret member for create and regenerate.
std::string key_to_json(const KeyRecord& record, const KeyRules& rules, WallTime now, const Secret* key = nullptr);
// active, disabled, expired or revoked.
std::string_view shown_status(const KeyRecord& record, WallTime now) noexcept;

} // namespace gw
