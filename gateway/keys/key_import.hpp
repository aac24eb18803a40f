// Keys of another gateway become keys of ours: each gets a key_id, a record, an audit entry and a Vault entry like any
// created key, and its foreign text goes on working. In the same crash-safe order as creation, a batch at a time: what
// a crash leaves pending the sweep clears, and running the same import again does the rest. No file formats here.
//
// Thread: one coroutine at a time.
#pragma once

#include "keys/foreign_text.hpp"
#include "keys/key_service.hpp"

#include <map>
#include <vector>

namespace gw {

struct ImportRow {
    std::size_t place = 0; // its line, or its number in the file
    CreateKey request;
    ForeignKey key;
};

struct ImportOutcome {
    enum class Status : std::uint8_t {
        imported,      // of a rehearsal: would be
        already_there, // by an earlier run; `key` says as which, and it is left as it is
        refused,       // `reason` says why; nothing of it was kept
        skipped,       // there was no key in it
    };
    std::size_t place = 0;
    Status status = Status::refused;
    std::optional<KeyId> key;
    std::string name, last4, reason;
};
std::string_view to_string(ImportOutcome::Status status) noexcept;

class KeyImport {
public:
    // The stores that a KeyService uses; all must outlive the import. `hashers`: threads of `hashing`.
    struct Stores {
        KeyStore& keys;
        SecretVault& vault;
        const PepperRing& peppers;
        BlockingPool& hashing;
        unsigned hashers = 1;
    };
    KeyImport(KeyRules rules, Stores stores, Actor who);

    // Reads the import pepper, or makes it. To be awaited before the first batch. `rehearsal`: nothing is written,
    // here and in every batch.
    awaitable<result<void>> prepare(bool rehearsal);
    // An outcome for every row, in order. A fault ends the batch: rows that were not done are refused with it, and
    // can_go_on() is false.
    awaitable<std::vector<ImportOutcome>> import(std::vector<ImportRow> rows);
    bool can_go_on() const noexcept { return can_go_on_; }

    std::function<void(std::string_view)> at_point; // "import.reserved", "import.vault_written", "import.activated"
    std::function<WallTime()> clock = wall_now;

private:
    struct Item; // a row on its way

    awaitable<void> look_up(Item& item);
    awaitable<void> reserve(std::vector<Item>& items);
    awaitable<void> write_to_vault(Item& item);
    awaitable<void> activate(std::vector<Item>& items);
    awaitable<void> abandon(const KeyRecord& pending);
    void check(Item& item, WallTime now);
    void fail(Item& item, const error_code& fault);
    void passed(std::string_view point) const
    {
        if (at_point)
            at_point(point);
    }

    KeyRules rules_;
    Stores stores_;
    Actor who_;
    PepperRing import_peppers_;
    Secret rehearsal_pepper_; // nothing can have been imported without a pepper: any will do
    bool is_rehearsal_ = false, can_go_on_ = true;
    std::map<std::pair<ForeignIndex, Sha256>, std::size_t> seen_; // digest -> place
};

} // namespace gw
