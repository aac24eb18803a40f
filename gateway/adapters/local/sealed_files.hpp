// A folder of sealed files, one for each entry: what the local secret vault and the local digest store rest
// on.
//
// Each file is AES-256-GCM under a fresh random nonce, with the entry's path and version authenticated along:
// a changed, cut, renamed or swapped file is errc::corrupt and never another entry's text. Putting back an
// older copy of one and the same file is NOT detected; whoever can write here can do that, and the database's
// record versions, not this store, are what stands against it.
//
// Any thread, and any number of processes on the same folder: a change holds the folder's lock from the check
// to the rename, and a reader sees an entry whole, before or after it.
#pragma once

#include "adapters/local/private_file.hpp"
#include "adapters/local/sealed_box.hpp"
#include "domain/errors.hpp"
#include "domain/secret.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace gw::local {

struct SealedEntry {
    Secret text;
    std::uint64_t version = 0; // counts the writes, from 1
};

class SealedFiles {
public:
    // `durable` makes every change survive a power cut before the call returns, and overwrites what it
    // replaces; without it a crash of the machine may lose or spoil the last changes.
    enum class Durability : std::uint8_t { durable, best_effort };

    // Opens or makes `folder` (0700, files 0600). The master key is that of `key_folder` (master_key.hpp).
    // Throws std::runtime_error if the folder cannot be used or was sealed with another key.
    SealedFiles(std::filesystem::path folder, const std::filesystem::path& key_folder,
                const std::optional<Secret>& master_key, std::string_view purpose, Durability durability,
                std::chrono::milliseconds lock_patience = std::chrono::seconds{5});

    // A path is segments of [A-Za-z0-9._@-]{1,200} joined by '/', none of them "." or "..", at most 1,000
    // characters in all: else errc::invalid. Errors: errc::corrupt; errc::unavailable for a failing disk or a
    // lock that was not had within `lock_patience`. Each is logged here, with its cause.
    result<std::optional<SealedEntry>> read(std::string_view path) const;
    // Check-and-set: errc::conflict unless the entry's version is `expected` (0: there is none). The new
    // version. At most 1 MiB of text (errc::invalid).
    result<std::uint64_t> write(std::string_view path, const Secret& text, std::uint64_t expected);
    // Overwrites and removes the entry, also a corrupt one. What is not there is no error.
    result<void> destroy(std::string_view path);

private:
    struct Place; // an entry's path and its file

    void prepare_folder();
    void check_key();
    result<FileDescriptor> lock() const;
    result<Place> place_of(std::string_view path) const;
    // Without a log entry for errc::corrupt: the caller may know better.
    result<std::optional<SealedEntry>> load(const Place& place) const;
    result<std::uint64_t> replace(const Place& place, const Secret& text, std::uint64_t version);
    error_code write_file(const Place& place, std::string_view bytes) const;
    error_code remove_file(const Place& place) const;

    std::filesystem::path folder_, drafts_;
    SealedBox box_;
    bool durable_;
    std::chrono::milliseconds lock_patience_;
};

} // namespace gw::local
