// A key's verified digests as the text of a Redis value: format 1 | record version, 8 bytes | size of the
// pepper's id, 1 byte | pepper's id | then for every version its number, 4 bytes, and its digest, 32 bytes.
// Numbers are big-endian. The record version stands at the same place in every format to come, since the
// script that stores an entry compares it there.
#pragma once

#include "domain/errors.hpp"
#include "ports/digest_store.hpp"

#include <string>
#include <string_view>

namespace gw::redis {

// errc::invalid for a pepper's id of more than 255 bytes.
result<std::string> digest_entry_text(const VerifiedDigests& digests);
// errc::corrupt for what is no such text, or of a format that this release does not know.
result<VerifiedDigests> digest_entry_in(std::string_view text);

} // namespace gw::redis
