// `portcullis rotate pepper`.
#include "app/store_session.hpp"
#include "cli/commands.hpp"
#include "cli/configuration.hpp"
#include "keys/pepper_rotation.hpp"
#include "settings/units.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <iostream>

namespace gw::cli {

namespace {

struct RotateOptions {
    std::shared_ptr<CommonOptions> common;
    std::string grace = "30s";
    bool force = false;
};

std::string keys_in_words(std::size_t count)
{
    return std::to_string(count) + (count == 1 ? " key" : " keys");
}

void audit(StoreSession& stores, const PepperRotation& rotation)
{
    boost::json::object after{{"current", rotation.current}, {"previous", rotation.previous}, {"since", to_rfc3339(rotation.since)}};
    if (rotation.ended)
        after["ended"] = *rotation.ended;
    if (rotation.left_behind > 0)
        after["left_behind"] = rotation.left_behind;
    AuditEntry why = command_line_audit("pepper.rotate", "pepper", rotation.current, TenantId{});
    why.details = boost::json::serialize(boost::json::object{{"before", {{"current", rotation.previous}}}, {"after", std::move(after)}});
    if (const auto written = stores.run(stores.audit().append(why)); !written)
        throw CommandFailed{"the pepper is rotated, but its audit entry could not be written: " + written.error().message()};
}

int rotate_pepper(const RotateOptions& options)
{
    const auto grace = parse_duration(options.grace);
    if (!grace)
        throw CommandFailed{"--grace: '" + options.grace + "' is not a duration such as 30s; units are s, m, h, d"};
    StoreSession stores{load_configuration(options.common->config)};
    const auto rotated = stores.run(gw::rotate_pepper(stores.vault(), stores.key_store(), std::chrono::floor<std::chrono::seconds>(*grace),
                                                      options.force, wall_now()));
    if (!rotated && rotated.error() == errc::conflict)
        throw CommandFailed{"somebody else is rotating the pepper at this moment; nothing was changed"};
    if (!rotated)
        fail(rotated.error());
    if (!rotated->is_done)
        throw CommandFailed{keys_in_words(rotated->left_behind) + " would be left behind: not used since the last rotation, so their digests are "
                            "still under the pepper that would end. Wait until they were used, or revoke them; with --force they are verified by "
                            "bcrypt at their next use"};
    audit(stores, *rotated);
    if (options.common->json) {
        boost::json::object report{{"current", rotated->current}, {"previous", rotated->previous}, {"since", to_rfc3339(rotated->since)},
                                   {"left_behind", rotated->left_behind}};
        report["ended"] = rotated->ended ? boost::json::value(*rotated->ended) : boost::json::value(nullptr);
        std::cout << boost::json::serialize(report) << '\n';
        return 0;
    }
    std::cout << "The pepper is rotated: " << rotated->current << " is the current one from " << to_rfc3339(rotated->since) << " on, "
              << rotated->previous << " stays live.\n";
    if (rotated->ended)
        std::cout << *rotated->ended << " has ended" << (rotated->left_behind > 0 ? "; " + keys_in_words(rotated->left_behind) + " left behind" : "")
                  << ".\n";
    return 0;
}

} // namespace

void add_rotate(CLI::App& app, Chosen& chosen)
{
    CLI::App* group = app.add_subcommand("rotate", "Rotate the pepper that key digests are made under");
    group->require_subcommand(1);
    group->footer("Example: portcullis rotate pepper --config gateway.yaml");
    CLI::App* command = group->add_subcommand("pepper", "Make a new pepper the current one; the one before it stays live");
    command->footer("Running nodes notice within ten seconds, and write a key's digest anew when it is next verified from the stores.\n"
                    "Rotating again ends the older generation: refused while keys depend on it.\n"
                    "The import pepper, by which imported keys are found, is never rotated.\n"
                    "Example: portcullis rotate pepper --config gateway.yaml");
    auto options = std::make_shared<RotateOptions>();
    options->common = add_common_options(*command, true);
    command->add_option("--grace", options->grace, "How long the new pepper is only read before digests are made under it")
        ->capture_default_str();
    command->add_flag("--force", options->force, "Rotate although keys are left behind");
    command->callback([&chosen, options] { chosen = {"rotate pepper", [options] { return rotate_pepper(*options); }}; });
}

} // namespace gw::cli
