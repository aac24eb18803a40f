// What a file of another gateway says about one key's secret, checked and brought into the form that is imported:
// plain keys, keys hashed without a salt, and bcrypt hashes of keys whose text begins with what names them. Pure.
// Reasons never repeat a key or a hash.
#pragma once

#include "domain/foreign_key.hpp"
#include "keys/vault_record.hpp"

#include <boost/system/result.hpp>

#include <optional>
#include <string>

namespace gw {

// As it stands in the file. Either `key`, or `key_hash` with `hash_algorithm`.
struct ForeignText {
    std::string key;
    std::string key_hash;       // hexadecimal or base64; a bcrypt hash as it is
    std::string hash_algorithm; // sha256, sha1, sha512, md5, bcrypt; in any case, also "SHA-256"
    std::string key_prefix;     // of salted ones: how the key's text begins, up to and with the '.' or '_' that ends it
    std::string hash_of;        // of those: "key" (also if empty), or "secret": what follows the prefix
    std::string last4;          // of hashed ones, for display
};

struct ForeignKey {
    ForeignIndex index = ForeignIndex::sha256;
    std::string value;   // what the index is made of: the hash's bytes, or the prefix
    std::string hash;    // of salted ones: bcrypt as the other gateway made it; else empty
    HashedText of = HashedText::secret;
    std::string last4 = "----";
};

// Why a key cannot be imported, for the report.
struct ForeignProblem {
    std::string reason;
};

boost::system::result<ForeignKey, ForeignProblem> read_foreign_key(const ForeignText& text, std::string_view brand);

} // namespace gw
