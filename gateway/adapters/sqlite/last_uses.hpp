// When and from where keys were last used. Lies in the usage file and is merged into records as they are
// read: it changes with traffic and is no change of the record.
#pragma once

#include "adapters/sqlite/connection.hpp"
#include "domain/key_record.hpp"
#include "domain/usage.hpp"

#include <span>

namespace gw::sqlite {

void fill_last_uses(Connection& usage, std::span<KeyRecord> records);
// Times only move forward.
void write_last_use(Connection& usage, const LastUse& use);

} // namespace gw::sqlite
