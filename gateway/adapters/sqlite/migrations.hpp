// The numbered SQL migrations of one database file (config/sql/sqlite, embedded in the binary), applied in
// order, all that are pending in one transaction, and never again. What was applied is recorded with its
// checksum.
#pragma once

#include "adapters/sql/migration.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gw::sqlite {

using sql::Migration; // its name says which file it is of: "0001_main_keys"

class Migrations {
public:
    // Those of the binary for one kind of file: "main" or "usage".
    static Migrations embedded(std::string_view kind);
    // In ascending order of number, from 1, without gaps; throws std::invalid_argument.
    explicit Migrations(std::vector<Migration> known);

    // The names of those that apply() would run now; all of them if the file does not exist. Changes nothing.
    // Throws SqliteError: errc::conflict if the file was made by a newer portcullis or by other migrations.
    std::vector<std::string> plan(const std::filesystem::path& file) const;
    // Creates the file (0600) or brings it up to date, after copying an existing one to
    // `<file>.before-<number>.bak`. The names of those applied. Throws as plan does. Several processes may
    // call it at once.
    std::vector<std::string> apply(const std::filesystem::path& file) const;

private:
    std::vector<Migration> known_;
};

} // namespace gw::sqlite
