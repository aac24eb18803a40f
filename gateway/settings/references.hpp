// `${env:NAME}`, `${file:PATH}` and `${vault:PATH#FIELD}` inside values: how secrets, and whatever else differs
// between machines, get into a configuration without standing in it.
#pragma once

#include "domain/errors.hpp"
#include "domain/secret.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gw {

// A field of an entry in the Vault that `stores.secrets.vault` names; empty if either is not there.
using ReadVault = std::function<result<std::optional<Secret>>(const std::string& path, const std::string& field)>;

// What references may lead to.
struct ReferenceSources {
    std::string directory;            // where relative paths of files start
    const ReadVault* vault = nullptr; // empty: there is none yet, and what refers to it is a problem
    bool leads_to_vault = false;      // the value is needed to reach the Vault
};

struct Expanded {
    std::string text;
    bool has_reference = false;        // then `text` may be secret: messages show what was written instead
    bool wants_vault = false;          // a reference was left for want of a Vault
    std::vector<std::string> problems; // unresolved or malformed references; `text` is then incomplete
};

// Replaces every reference in `raw`. One line end at the end of a file is not part of its value. Reads the
// environment, files of at most 64 KiB, and the Vault.
Expanded expand_references(std::string_view raw, const ReferenceSources& sources);

} // namespace gw
