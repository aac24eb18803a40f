// One numbered SQL migration, as the adapters embed and record it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gw::sql {

struct Migration {
    std::string name; // "0001_main_keys": number, what of, what for
    std::string sql;

    std::uint32_t number() const;
    std::string checksum() const; // SHA-256 of the SQL, in hex
};

// Throws std::invalid_argument unless they are numbered from 1, ascending and without gaps.
void check_numbers(const std::vector<Migration>& migrations);

} // namespace gw::sql
