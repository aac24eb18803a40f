#include "keys/key_import.hpp"

#include "keys/key_audit.hpp"
#include "keys/key_json.hpp"
#include "keys/key_validation.hpp"
#include "keys/pending_record.hpp"
#include "net/side_by_side.hpp"
#include "observe/log.hpp"
#include "ports/secret_vault.hpp"

#include <algorithm>

namespace gw {

using Status = ImportOutcome::Status;

namespace {

constexpr std::size_t k_looks_at_once = 4, k_writes_at_once = 8;

std::string all_reasons(const KeyProblem& problem)
{
    std::string text;
    for (const FieldError& field : problem.fields)
        text += (text.empty() ? "" : "; ") + field.pointer + " " + field.detail;
    return text.empty() ? problem.detail : text;
}

// bcrypt of what stands for the secret; of a salted key that is what the other gateway made.
VaultVersion first_version(const KeyRecord& record, const ForeignKey& key, const Pepper& pepper, int cost)
{
    VaultVersion version;
    version.number = 1;
    version.of = key.of;
    if (key.of != HashedText::secret) {
        version.hash = key.hash;
        version.pepper_id = k_no_pepper;
        return version;
    }
    const Secret secret = foreign_secret(key.index, key.value);
    version.hash = hash_api_key(secret.reveal(), cost);
    version.digest = api_key_digest(pepper.value.reveal(), record.tenant, record.id, 1, secret.reveal());
    version.pepper_id = pepper.id;
    return version;
}

} // namespace

std::string_view to_string(Status status) noexcept
{
    switch (status) {
    case Status::imported: return "imported";
    case Status::already_there: return "already_there";
    case Status::refused: return "refused";
    case Status::skipped: return "skipped";
    }
    return "";
}

struct KeyImport::Item {
    ImportRow row;
    ImportOutcome outcome;
    ForeignDigest digest;
    KeyRecord record;
    bool is_open = true; // still on its way: the outcome is not known

    void end(Status status, std::string reason = {})
    {
        outcome.status = status;
        outcome.reason = std::move(reason);
        is_open = false;
    }
};

KeyImport::KeyImport(KeyRules rules, Stores stores, Actor who)
    : rules_(std::move(rules)), stores_(stores), who_(std::move(who)), import_peppers_(k_import_pepper_path)
{
}

awaitable<result<void>> KeyImport::prepare(bool rehearsal)
{
    is_rehearsal_ = rehearsal;
    if (!rehearsal)
        co_return co_await import_peppers_.load(stores_.vault);
    rehearsal_pepper_ = Secret{random_base62(32)};
    co_return co_await import_peppers_.refresh(stores_.vault);
}

awaitable<std::vector<ImportOutcome>> KeyImport::import(std::vector<ImportRow> rows)
{
    const WallTime now = clock();
    std::vector<Item> items(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        items[i].row = std::move(rows[i]);
        check(items[i], now);
    }
    const auto look = [&](std::size_t i) { return look_up(items[i]); };
    co_await side_by_side(items.size(), k_looks_at_once, look);
    co_await reserve(items);
    if (!is_rehearsal_) {
        const auto write = [&](std::size_t i) { return write_to_vault(items[i]); };
        co_await side_by_side(items.size(), std::max<std::size_t>(k_writes_at_once, stores_.hashers), write);
        passed("import.vault_written");
        co_await activate(items);
        passed("import.activated");
    }
    std::vector<ImportOutcome> outcomes;
    for (Item& item : items) {
        wipe(item.row.key.value.data(), item.row.key.value.size());
        outcomes.push_back(std::move(item.outcome));
    }
    co_return outcomes;
}

void KeyImport::check(Item& item, WallTime now)
{
    CreateKey& request = item.row.request;
    item.outcome.place = item.row.place;
    item.outcome.name = request.name;
    item.outcome.last4 = item.row.key.last4;
    default_owner(request.owner, who_);
    if (const auto problem = check_create(request, rules_, who_, now))
        return item.end(Status::refused, all_reasons(*problem));
    if (!request.expires_at && rules_.max_age)
        request.expires_at = now + *rules_.max_age;
    const Secret& pepper = import_peppers_.empty() ? rehearsal_pepper_ : import_peppers_.current().value;
    item.digest = foreign_digest(pepper.reveal(), item.row.key.index, item.row.key.value);
    const auto [first, is_new] = seen_.try_emplace({item.digest.index, item.digest.value}, item.row.place);
    if (!is_new)
        return item.end(Status::refused, "is the same key as that of " + std::to_string(first->second));
    item.record = pending_record(std::move(request), *KeyId::parse(random_base62(KeyId::k_length)), item.row.key.last4, who_, now);
}

awaitable<void> KeyImport::look_up(Item& item)
{
    if (!item.is_open)
        co_return;
    const auto found = co_await stores_.keys.find_imported({&item.digest, 1});
    if (!found) {
        fail(item, found.error());
        co_return;
    }
    if (!*found)
        co_return;
    const KeyId id = (*found)->key;
    const auto record = co_await stores_.keys.find(id);
    if (!record) {
        fail(item, record.error());
        co_return;
    }
    const bool is_elsewhere = *record && (*record)->tenant != item.record.tenant;
    if (is_elsewhere) { // whose and which is not this tenant's to know
        item.end(Status::refused, "the key is another tenant's already");
        co_return;
    }
    item.outcome.key = id;
    if (*record && (*record)->status == KeyStatus::revoked)
        item.end(Status::refused, "the key was imported before and is revoked; a revoked key does not come back");
    else
        item.end(Status::already_there);
}

awaitable<void> KeyImport::reserve(std::vector<Item>& items)
{
    std::vector<KeyRecord> pending;
    std::vector<Item*> waiting;
    for (Item& item : items)
        if (item.is_open) {
            pending.push_back(item.record);
            waiting.push_back(&item);
        }
    if (pending.empty())
        co_return;
    const auto codes = co_await stores_.keys.reserve_all(pending, !is_rehearsal_);
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        const error_code code = codes ? (*codes)[i] : codes.error();
        if (code == errc::not_found)
            waiting[i]->end(Status::refused, "there is no such tenant");
        else if (code == errc::conflict)
            waiting[i]->end(Status::refused, "the external_id is taken by another key of the tenant (or by an import that was "
                                             "cut short within the last hour: then run it again later)");
        else if (code)
            fail(*waiting[i], code);
        else if (is_rehearsal_)
            waiting[i]->end(Status::imported);
    }
    passed("import.reserved");
}

awaitable<void> KeyImport::write_to_vault(Item& item)
{
    if (!item.is_open)
        co_return;
    const Pepper& pepper = stores_.peppers.current(clock());
    const auto hash = [&] { return first_version(item.record, item.row.key, pepper, rules_.bcrypt_cost); };
    VaultVersion version = co_await offload(stores_.hashing, hash);
    VaultRecord secrets;
    secrets.versions.push_back(std::move(version));
    const Secret entry = secrets.to_json();
    const std::string path = vault_path(item.record.tenant, item.record.id);
    const auto written = co_await stores_.vault.write(path, entry, 0);
    if (written)
        co_return;
    fail(item, written.error());
    co_await abandon(item.record);
}

awaitable<void> KeyImport::activate(std::vector<Item>& items)
{
    const WallTime now = clock();
    std::vector<KeyStore::Activation> activations;
    std::vector<Item*> waiting;
    for (Item& item : items)
        if (item.is_open) {
            KeyStore::Activation activation;
            activation.key = item.record.id;
            activation.digest = item.digest;
            activation.why = audit_entry(who_, "key.import", item.record, now);
            activation.why.details = audit_creation(item.record);
            activations.push_back(std::move(activation));
            waiting.push_back(&item);
        }
    if (activations.empty())
        co_return;
    const auto codes = co_await stores_.keys.activate_all(activations);
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        Item& item = *waiting[i];
        const error_code code = codes ? (*codes)[i] : codes.error();
        if (!code) {
            item.outcome.key = item.record.id;
            item.end(Status::imported);
        } else if (codes && code == errc::conflict) {
            item.end(Status::already_there, "another import was quicker");
            co_await abandon(item.record);
        } else {
            fail(item, code); // it may have been committed: the sweep can tell, and so can another run
        }
    }
}

// The row goes last: while it stands, the sweep still knows of the Vault entry.
awaitable<void> KeyImport::abandon(const KeyRecord& pending)
{
    const std::string path = vault_path(pending.tenant, pending.id);
    const auto destroyed = co_await stores_.vault.destroy(path);
    if (!destroyed)
        co_return;
    KeyStore::Leftover leftover;
    leftover.key = pending.id;
    leftover.tenant = pending.tenant;
    leftover.version = 1;
    leftover.whole_key = true;
    const auto dropped = co_await stores_.keys.drop_leftover(leftover);
    if (!dropped)
        log(LogLevel::warn, "keys.leftover", {{"key_id", pending.id.view()}, {"left_to", "sweep"}});
}

void KeyImport::fail(Item& item, const error_code& fault)
{
    can_go_on_ = false;
    item.end(Status::refused, "a store or the vault is out of reach (" + fault.message() + "); run the import again");
}

} // namespace gw
