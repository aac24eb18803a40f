// A key as JSON values: for answers (key_to_json), and for the before/after differences of audit entries.
// Nothing in here ever sees a secret, except key_to_json's own `key` argument.
#pragma once

#include "domain/key_record.hpp"

#include <boost/json/object.hpp>

namespace gw {

boost::json::object limit_to_json(const LimitPolicy& limit);
// What a caller can set on a key, under the names the API uses.
boost::json::object settable_fields(const KeyRecord& record);
// {"before":{...},"after":{...}} with only the fields that differ, as text.
std::string audit_difference(const KeyRecord& before, const KeyRecord& after);
// {"after":{...}} with all settable fields, as text.
std::string audit_creation(const KeyRecord& created);

} // namespace gw
