// A YAML file becomes Settings. Every mistake in it is found in one run, each with its line, its column and
// its path; rules between fields are settings/validate's. References are resolved here and nowhere else.
#pragma once

#include "settings/references.hpp"
#include "settings/settings.hpp"

#include <string>
#include <vector>

namespace gw {

struct Loaded {
    Settings settings; // what could be read, over the defaults; to be used only if nothing is an error
    std::vector<Problem> problems; // in the order of the file
    bool wants_vault = false;      // a reference could not be resolved because no Vault was given to look in
    bool ok() const noexcept;      // no problem is an error; warnings may be there
};

// A file that cannot be read is a problem too. Relative ${file:} paths start at the file's own directory;
// relative paths of stores stay as they are, which is relative to the working directory.
// ${vault:} references need `vault`: whoever loads a file without, and finds that it wants one, may open the Vault
// that its settings name and load it again.
Loaded load_settings_file(const std::string& path, const ReadVault& vault = {});
// `file_name` names the text in Settings::file and gives the directory for ${file:}; it need not exist.
Loaded load_settings_text(const std::string& text, const std::string& file_name, const ReadVault& vault = {});

// What an empty configuration means.
Settings default_settings();

void sort_problems(std::vector<Problem>& problems); // by place; stable

} // namespace gw
