// Scopes: `resource:action`, for example `orders:read`. A grant may use `*` in either half; the resource
// `platform` (management keys) is never matched by a wildcard.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gw {

// `[a-z][a-z0-9_.-]{0,31}:[a-z][a-z0-9_.-]{0,31}`, with a further `:action` half allowed for `platform`
// ("platform:keys:read").
bool is_valid_scope(std::string_view text) noexcept;
// The same, but either half may be `*` (not `platform:*`, and `*` never reaches `platform`).
bool is_valid_grant(std::string_view text) noexcept;

// Does this grant give this scope? `platform:keys` gives `platform:keys:read` and every other action on keys,
// and is the only way but naming it in full. A `scope` with a `*` in it is no scope: false.
bool grants(std::string_view grant, std::string_view scope) noexcept;
bool any_grants(std::span<const std::string> grants, std::string_view scope) noexcept;
// Does holding `held` allow handing out `wanted` (itself perhaps with wildcards)?
bool covers(std::span<const std::string> held, std::string_view wanted) noexcept;

} // namespace gw
