// `portcullis keys import`: the keys of another gateway, with a rehearsal, progress on standard error, and a report.
// No text of a key is ever printed, nor more than its last four characters.
#include "app/crash_points.hpp"
#include "app/store_session.hpp"
#include "cli/commands.hpp"
#include "cli/configuration.hpp"
#include "cli/import_file.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <thread>

namespace gw::cli {

namespace {

using Status = ImportOutcome::Status;

constexpr std::size_t k_batch = 100; // of one transaction, which has a deadline
constexpr std::chrono::seconds k_progress{2};

struct ImportOptions {
    std::shared_ptr<CommonOptions> common;
    std::string file, from, tenant, environment = "live";
    std::optional<std::string> scopes, owner;
    std::vector<std::string> group_scopes;
    bool dry_run = false;
};

// A file of the operator's: its whole text is secret.
std::string read_file(const std::string& name)
{
    std::ifstream file{name, std::ios::binary};
    if (!file)
        throw CommandFailed{"cannot read " + name};
    std::string text{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
    if (file.bad())
        throw CommandFailed{"cannot read " + name};
    return text;
}

ImportDefaults defaults_of(const ImportOptions& options, const KeyRules& rules)
{
    ImportDefaults defaults;
    defaults.tenant = parse_tenant(options.tenant);
    defaults.brand = rules.brand;
    defaults.declared_scopes = rules.scopes;
    defaults.plans = rules.plans;
    defaults.now = wall_now();
    defaults.scopes = split_list(options.scopes.value_or(""));
    const auto environment = parse_environment(options.environment);
    if (!environment)
        throw CommandFailed{"--environment: '" + options.environment + "' must be live or test"};
    defaults.environment = *environment;
    if (options.owner) {
        Owner owner;
        const std::size_t colon = options.owner->find(':');
        if (colon != std::string::npos)
            owner.type = options.owner->substr(0, colon);
        const auto id = OwnerId::parse(colon == std::string::npos ? *options.owner : options.owner->substr(colon + 1));
        if (!id || (owner.type != "user" && owner.type != "service"))
            throw CommandFailed{"--owner: must be ID, user:ID or service:ID"};
        owner.id = *id;
        defaults.owner = owner;
    }
    for (const std::string& mapping : options.group_scopes) {
        const std::size_t equals = mapping.find('=');
        if (equals == 0 || equals == std::string::npos)
            throw CommandFailed{"--group-scopes: '" + mapping + "' must be GROUP=SCOPE,SCOPE"};
        defaults.group_scopes[mapping.substr(0, equals)] = split_list(mapping.substr(equals + 1));
    }
    return defaults;
}

ImportFile read(const ImportOptions& options, const KeyRules& rules)
{
    std::string text = read_file(options.file);
    const ImportDefaults defaults = defaults_of(options, rules);
    ImportFile file = options.from == "kong"     ? read_kong(text, defaults)
                      : options.from == "apisix" ? read_apisix(text, defaults)
                                                 : read_csv(text, defaults);
    wipe(text.data(), text.size());
    return file;
}

// On standard error, every other second, and never if all of it is over before that.
class Progress {
public:
    explicit Progress(std::size_t total) : total_(total) {}
    void done(std::size_t count)
    {
        const auto now = std::chrono::steady_clock::now();
        if (now - last_ < k_progress)
            return;
        last_ = now;
        const double seconds = std::chrono::duration<double>(now - begin_).count();
        std::cerr << count << " of " << total_ << " keys, " << static_cast<std::uint64_t>(static_cast<double>(count) / seconds)
                  << " a second\n";
    }
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

private:
    std::size_t total_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now(), last_ = begin_;
};

std::size_t count_of(const std::vector<ImportOutcome>& outcomes, Status status)
{
    return static_cast<std::size_t>(
        std::ranges::count_if(outcomes, [status](const ImportOutcome& outcome) { return outcome.status == status; }));
}

void print_json(const ImportOptions& options, const ImportFile& file, double seconds)
{
    boost::json::array rows;
    for (const ImportOutcome& outcome : file.outcomes) {
        boost::json::object row{{file.place_name, outcome.place}, {"status", to_string(outcome.status)}, {"name", outcome.name}};
        row["last4"] = outcome.last4.empty() ? boost::json::value{nullptr} : boost::json::value(outcome.last4);
        row["key_id"] = outcome.key ? boost::json::value(outcome.key->view()) : boost::json::value{nullptr};
        row["reason"] = outcome.reason.empty() ? boost::json::value{nullptr} : boost::json::value(outcome.reason);
        rows.push_back(std::move(row));
    }
    const boost::json::object report{{"dry_run", options.dry_run},
                                     {"total", file.outcomes.size()},
                                     {"imported", count_of(file.outcomes, Status::imported)},
                                     {"already_there", count_of(file.outcomes, Status::already_there)},
                                     {"refused", count_of(file.outcomes, Status::refused)},
                                     {"skipped", count_of(file.outcomes, Status::skipped)},
                                     {"seconds", seconds},
                                     {"rows", std::move(rows)}};
    std::cout << boost::json::serialize(report) << '\n';
}

// Only what was not imported is listed: `keys list` shows the rest.
void print_report(const ImportOptions& options, const ImportFile& file, double seconds)
{
    std::vector<std::vector<std::string>> table{{file.place_name == "line" ? "LINE" : "ENTRY", "NAME", "KEY", "OUTCOME", "WHY"}};
    for (const ImportOutcome& outcome : file.outcomes)
        if (outcome.status != Status::imported && (outcome.status != Status::already_there || !outcome.reason.empty()))
            table.push_back({std::to_string(outcome.place), outcome.name, outcome.last4.empty() ? "-" : "..." + outcome.last4,
                             std::string{to_string(outcome.status)}, outcome.reason});
    if (table.size() > 1)
        std::cout << format_table(table) << '\n';
    std::cout << count_of(file.outcomes, Status::imported) << (options.dry_run ? " would be imported" : " imported") << ", "
              << count_of(file.outcomes, Status::already_there) << " already there, "
              << count_of(file.outcomes, Status::refused) << " refused, " << count_of(file.outcomes, Status::skipped)
              << " skipped, in " << std::fixed << std::setprecision(1) << seconds << " s\n";
    if (options.dry_run)
        std::cout << "This was a rehearsal: nothing was written.\n";
}

int import(const ImportOptions& options)
{
    const Settings settings = load_configuration(options.common->config);
    ImportFile file = read(options, key_rules(settings));
    const unsigned hashers = std::max(1u, std::thread::hardware_concurrency());
    StoreSession stores{settings, hashers};
    const auto tenant = stores.run(stores.tenants().find(parse_tenant(options.tenant)));
    if (!tenant)
        fail(tenant.error());
    if (!*tenant)
        throw CommandFailed{"there is no tenant '" + options.tenant + "'"};
    KeyImport importing = stores.import(command_line_actor());
    importing.at_point = crash_points();
    if (const auto ready = stores.run(importing.prepare(options.dry_run)); !ready)
        fail(ready.error());

    Progress progress{file.rows.size()};
    for (std::size_t begin = 0; begin < file.rows.size() && importing.can_go_on(); begin += k_batch) {
        const auto first = file.rows.begin() + static_cast<std::ptrdiff_t>(begin);
        const auto last = file.rows.begin() + static_cast<std::ptrdiff_t>(std::min(begin + k_batch, file.rows.size()));
        std::vector<ImportRow> batch{std::make_move_iterator(first), std::make_move_iterator(last)};
        auto outcomes = stores.run(importing.import(std::move(batch)));
        file.outcomes.insert(file.outcomes.end(), std::make_move_iterator(outcomes.begin()), std::make_move_iterator(outcomes.end()));
        progress.done(std::min(begin + k_batch, file.rows.size()));
    }
    std::ranges::stable_sort(file.outcomes, {}, &ImportOutcome::place);
    if (options.common->json)
        print_json(options, file, progress.seconds());
    else
        print_report(options, file, progress.seconds());
    if (!importing.can_go_on())
        throw CommandFailed{"stopped: a store or the vault is out of reach; run the same import again for the rest"};
    return count_of(file.outcomes, Status::refused) == 0 ? 0 : 1;
}

} // namespace

void add_keys_import(CLI::App& keys, Chosen& chosen)
{
    CLI::App* command = keys.add_subcommand("import", "Import the keys of another gateway; they go on working as they are");
    command->footer(
        "FILE: Kong's declarative configuration (YAML), what GET /apisix/admin/consumers of APISIX answers (JSON), or CSV\n"
        "with a header row: name, key or key_hash with hash_algorithm (sha256, sha1, sha512, md5; bcrypt with key_prefix),\n"
        "owner, scopes, plan, description, expires_at, external_id, environment, metadata, allowed_ips.\n"
        "Running it again imports what is missing. Exit code 1 if anything is refused.\n"
        "Example: portcullis keys import --tenant acme --from kong kong.yaml --scopes orders:read --dry-run");
    auto options = std::make_shared<ImportOptions>();
    options->common = add_common_options(*command, true);
    command->add_option("file", options->file, "The file to import")->required();
    command->add_option("--tenant", options->tenant, "Tenant that the keys will belong to")->required();
    command->add_option("--from", options->from, "kong, apisix or csv")->required()->check(CLI::IsMember({"kong", "apisix", "csv"}));
    command->add_option("--scopes", options->scopes, "Of keys for which the file names none, comma-separated");
    command->add_option("--group-scopes", options->group_scopes,
                        "GROUP=SCOPE,SCOPE: what a group, label or tag of that name gives; repeatable");
    command->add_option("--owner", options->owner, "Of keys for which the file names none: ID, user:ID or service:ID");
    command->add_option("--environment,--env", options->environment, "live or test, where the file does not say")->capture_default_str();
    command->add_flag("--dry-run", options->dry_run, "Check everything and write nothing");
    command->callback([&chosen, options] { chosen = {"keys import", [options] { return import(*options); }}; });
}

} // namespace gw::cli
