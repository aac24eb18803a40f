// What a caller may ask for: every field of a new key and of a change, with a JSON pointer for each problem.
// Pure; reads no store.
#pragma once

#include "keys/key_service.hpp"

#include <optional>

namespace gw {

// Empty if the request can be granted to `who`. Invalid fields are all reported together; only a request that
// is valid is judged as forbidden or not.
std::optional<KeyProblem> check_create(const CreateKey& request, const KeyRules& rules, const Actor& who, WallTime now);
// The same for a change of `current`. Only what the change adds must be held by `who`.
std::optional<KeyProblem> check_changes(const KeyChanges& changes, const KeyRecord& current, const KeyRules& rules,
                                        const Actor& who, WallTime now);
// Of a revocation's reason.
std::optional<KeyProblem> check_reason(const std::optional<std::string>& reason);

} // namespace gw
