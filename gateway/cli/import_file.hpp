// Files of other gateways as rows to import: Kong's declarative configuration, a dump of APISIX's consumers, and CSV.
// Pure: text in, rows out. What cannot become a row is an outcome already, with its reason; no text of a key in it.
#pragma once

#include "keys/key_import.hpp"

#include <map>
#include <string>
#include <vector>

namespace gw::cli {

// What the command line says for all rows.
struct ImportDefaults {
    TenantId tenant;
    std::string brand;
    std::vector<std::string> scopes;                            // of rows that name none
    std::map<std::string, std::vector<std::string>> group_scopes; // a group or tag gives these besides
    std::optional<Owner> owner;                                 // of rows that name none
    Environment environment = Environment::live;
    std::map<std::string, std::string> declared_scopes;         // a group of such a name is that scope
    std::vector<std::string> plans;                             // a group of such a name is that plan
    WallTime now{};
};

struct ImportFile {
    std::vector<ImportRow> rows;
    std::vector<ImportOutcome> outcomes; // refused and skipped
    std::string place_name = "line";     // what ImportRow::place counts: "line" or "entry"
};

// Each throws CommandFailed if the text as a whole is not what it should be.
ImportFile read_csv(const std::string& text, const ImportDefaults& defaults);
ImportFile read_kong(const std::string& text, const ImportDefaults& defaults);
ImportFile read_apisix(const std::string& text, const ImportDefaults& defaults);

// What the readers share.

// The row, or its refusal, is added to `file`.
void add_row(ImportFile& file, std::size_t place, CreateKey request, const ForeignText& key, const ImportDefaults& defaults);
void add_outcome(ImportFile& file, std::size_t place, ImportOutcome::Status status, std::string name, std::string reason);
// Scopes and plan from the groups or tags that a consumer is in, and the default scopes if those give none.
void apply_groups(CreateKey& request, const std::vector<std::string>& groups, const ImportDefaults& defaults);
// The first of these texts that is an owner's id, else the default owner. False if there is none: the row is refused.
bool choose_owner(CreateKey& request, std::initializer_list<std::string> ids, const ImportDefaults& defaults);

} // namespace gw::cli
