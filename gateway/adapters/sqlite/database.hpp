// The embedded store: the main file (tenants, keys, changes, audit, quotas) and beside it the usage file,
// each brought up to date when it is opened. The stores in this folder share one Database, and it outlives
// them.
#pragma once

#include "adapters/sqlite/database_file.hpp"
#include "domain/time.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace gw::sqlite {

class Database {
public:
    struct Options {
        std::size_t readers = 4;                   // connections for reading, of each file
        std::chrono::milliseconds deadline{5'000}; // a call that takes longer fails with errc::unavailable
        bool migrate = true;                       // false: a file that is not up to date is refused
    };

    // `file` is the main one; "data/portcullis.db" has its usage in "data/portcullis-usage.db". Throws
    // SqliteError, whose text names the file and what to do.
    explicit Database(const std::filesystem::path& file);
    Database(const std::filesystem::path& file, Options options);

    DatabaseFile& main() noexcept { return main_; }
    DatabaseFile& usage() noexcept { return usage_; }
    // When a call that starts now must have ended.
    Deadline deadline() const { return std::chrono::steady_clock::now() + options_.deadline; }

    static std::filesystem::path usage_file(const std::filesystem::path& file);
    // The names of the migrations that opening would run now. Throws as the constructor does.
    static std::vector<std::string> plan(const std::filesystem::path& file);

private:
    Options options_;
    DatabaseFile main_;
    DatabaseFile usage_;
};

} // namespace gw::sqlite
