#include "cli/import_file.hpp"

#include <algorithm>

namespace gw::cli {

void add_outcome(ImportFile& file, std::size_t place, ImportOutcome::Status status, std::string name, std::string reason)
{
    ImportOutcome outcome;
    outcome.place = place;
    outcome.status = status;
    outcome.name = std::move(name);
    outcome.reason = std::move(reason);
    file.outcomes.push_back(std::move(outcome));
}

void add_row(ImportFile& file, std::size_t place, CreateKey request, const ForeignText& key, const ImportDefaults& defaults)
{
    auto read = read_foreign_key(key, defaults.brand);
    if (!read)
        return add_outcome(file, place, ImportOutcome::Status::refused, request.name, read.error().reason);
    ImportRow row;
    row.place = place;
    row.request = std::move(request);
    row.key = std::move(*read);
    file.rows.push_back(std::move(row));
}

void apply_groups(CreateKey& request, const std::vector<std::string>& groups, const ImportDefaults& defaults)
{
    const auto add_scope = [&](const std::string& scope) {
        if (std::find(request.scopes.begin(), request.scopes.end(), scope) == request.scopes.end())
            request.scopes.push_back(scope);
    };
    for (const std::string& group : groups) {
        if (defaults.declared_scopes.contains(group))
            add_scope(group);
        if (const auto mapped = defaults.group_scopes.find(group); mapped != defaults.group_scopes.end())
            for (const std::string& scope : mapped->second)
                add_scope(scope);
        if (!request.plan && std::find(defaults.plans.begin(), defaults.plans.end(), group) != defaults.plans.end())
            request.plan = group;
    }
    if (request.scopes.empty())
        request.scopes = defaults.scopes;
}

bool choose_owner(CreateKey& request, std::initializer_list<std::string> ids, const ImportDefaults& defaults)
{
    for (const std::string& id : ids)
        if (auto parsed = OwnerId::parse(id)) {
            request.owner.id = std::move(*parsed);
            return true;
        }
    if (!defaults.owner)
        return false;
    request.owner = *defaults.owner;
    return true;
}

} // namespace gw::cli
