// CSV with a header row: name, and key or key_hash, are needed; the other columns may be there in any order.
#include "cli/commands.hpp"
#include "cli/configuration.hpp"
#include "cli/csv.hpp"
#include "cli/import_file.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace gw::cli {

namespace {

constexpr std::array k_columns{"name",      "key",         "key_hash", "hash_algorithm", "key_prefix",  "hash_of",  "last4",     "owner",
                               "scopes",    "plan",        "description", "expires_at", "external_id", "environment", "metadata",
                               "allowed_ips"};

std::vector<std::string> read_header(const CsvRow& header)
{
    std::string known;
    for (const char* column : k_columns)
        known += (known.empty() ? "" : ", ") + std::string{column};
    if (!header.problem.empty())
        throw CommandFailed{"line 1: " + header.problem};
    std::vector<std::string> names;
    for (const std::string& name : header.fields) {
        // A name that is none is not repeated: a file without a header begins with a key.
        if (std::find(k_columns.begin(), k_columns.end(), name) == k_columns.end())
            throw CommandFailed{"line 1: column " + std::to_string(names.size() + 1) +
                                " has a name that is not known; the first row names the columns: " + known};
        if (std::find(names.begin(), names.end(), name) != names.end())
            throw CommandFailed{"line 1: the column " + name + " stands twice"};
        names.push_back(name);
    }
    const auto has = [&](const char* name) { return std::find(names.begin(), names.end(), name) != names.end(); };
    if (!has("name") || (!has("key") && !has("key_hash")))
        throw CommandFailed{"line 1: the columns name, and key or key_hash, are needed"};
    return names;
}

// Separated by blanks, commas or semicolons.
std::vector<std::string> split_words(std::string text)
{
    std::ranges::replace_if(text, [](char c) { return c == ' ' || c == ';'; }, ',');
    return split_list(text);
}

// One row's fields by column, and what is wrong with them.
class Row {
public:
    Row(const std::vector<std::string>& names, const CsvRow& row)
    {
        for (std::size_t i = 0; i < names.size(); ++i)
            fields_[names[i]] = row.fields[i];
    }

    const std::string& operator[](const std::string& name) { return fields_[name]; }
    std::optional<std::string> optional(const std::string& name)
    {
        return fields_[name].empty() ? std::nullopt : std::optional{fields_[name]};
    }
    void complain(const std::string& what) { reason_ += (reason_.empty() ? "" : "; ") + what; }
    const std::string& reason() const noexcept { return reason_; }

private:
    std::map<std::string, std::string> fields_;
    std::string reason_;
};

void read_owner(Row& row, CreateKey& request, const ImportDefaults& defaults)
{
    std::string text = row["owner"];
    for (const std::string type : {"user", "service"})
        if (text.starts_with(type + ":")) {
            request.owner.type = type;
            text.erase(0, type.size() + 1);
        }
    if (auto id = OwnerId::parse(text))
        request.owner.id = std::move(*id);
    else if (!text.empty())
        row.complain("owner must be ID, user:ID or service:ID, the ID 1 to 64 characters of A-Z a-z 0-9 . _ @ -");
    else if (defaults.owner)
        request.owner = *defaults.owner;
}

CreateKey read_request(Row& row, const ImportDefaults& defaults)
{
    CreateKey request;
    request.tenant = defaults.tenant;
    request.name = row["name"];
    read_owner(row, request, defaults);
    request.environment = defaults.environment;
    if (const auto text = row.optional("environment")) {
        if (const auto environment = parse_environment(*text))
            request.environment = *environment;
        else
            row.complain("environment must be live or test");
    }
    request.scopes = split_words(row["scopes"]);
    apply_groups(request, {}, defaults);
    request.plan = row.optional("plan");
    request.description = row.optional("description");
    request.external_id = row.optional("external_id");
    if (const auto text = row.optional("expires_at")) {
        request.expires_at = parse_rfc3339(*text);
        if (!request.expires_at)
            row.complain("expires_at must be an RFC 3339 time such as 2027-01-31T00:00:00Z");
    }
    request.metadata = row.optional("metadata").value_or("{}");
    for (const std::string& text : split_words(row["allowed_ips"])) {
        if (const auto network = Network::parse(text))
            request.allowed_ips.push_back(*network);
        else
            row.complain("allowed_ips must be addresses, or CIDR networks without host bits");
    }
    return request;
}

ForeignText read_key(Row& row)
{
    ForeignText key;
    key.key = row["key"];
    key.key_hash = row["key_hash"];
    key.hash_algorithm = row["hash_algorithm"];
    key.key_prefix = row["key_prefix"];
    key.hash_of = row["hash_of"];
    key.last4 = row["last4"];
    return key;
}

} // namespace

ImportFile read_csv(const std::string& text, const ImportDefaults& defaults)
{
    const std::vector<CsvRow> rows = parse_csv(text);
    if (rows.empty())
        throw CommandFailed{"the file is empty"};
    const std::vector<std::string> names = read_header(rows.front());
    ImportFile file;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const CsvRow& row = rows[i];
        if (!row.problem.empty() || row.fields.size() != names.size()) {
            const std::string counted = "has " + std::to_string(row.fields.size()) + " fields, the header has " + std::to_string(names.size());
            add_outcome(file, row.line, ImportOutcome::Status::refused, "", row.problem.empty() ? counted : row.problem);
            continue;
        }
        Row fields{names, row};
        CreateKey request = read_request(fields, defaults);
        if (fields.reason().empty())
            add_row(file, row.line, std::move(request), read_key(fields), defaults);
        else
            add_outcome(file, row.line, ImportOutcome::Status::refused, fields["name"], fields.reason());
    }
    return file;
}

} // namespace gw::cli
