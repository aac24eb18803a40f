#include "adapters/sql/migration.hpp"

#include "domain/api_key.hpp"

#include <charconv>
#include <stdexcept>

namespace gw::sql {

std::uint32_t Migration::number() const
{
    std::uint32_t number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    return number;
}

std::string Migration::checksum() const
{
    return to_hex(sha256(sql));
}

void check_numbers(const std::vector<Migration>& migrations)
{
    for (std::size_t i = 0; i < migrations.size(); ++i)
        if (migrations[i].number() != i + 1)
            throw std::invalid_argument("migration " + migrations[i].name + " should have the number " +
                                        std::to_string(i + 1));
}

} // namespace gw::sql
