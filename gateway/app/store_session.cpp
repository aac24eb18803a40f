// See store_session.hpp.
#include "app/store_session.hpp"

#include "app/crash_points.hpp"

namespace gw {

KeyRules key_rules(const Settings& settings)
{
    KeyRules rules;
    rules.brand = settings.keys.brand;
    rules.bcrypt_cost = settings.keys.bcrypt_cost;
    rules.rotate_after = settings.keys.rotate_after;
    rules.max_age = settings.keys.max_age;
    rules.scopes = settings.scopes;
    for (const PlanSettings& plan : settings.plans)
        rules.plans.push_back(plan.id);
    return rules;
}

StoreSession::StoreSession(const Settings& settings, unsigned hashers)
    : hashers_(hashers), hashing_(hashers), stores_(settings, Stores::Use::beside, pool_, metrics_),
      service_(key_rules(settings), stores_.keys(), stores_.tenants(), stores_.vault(), stores_.digests(), peppers_, hashing_)
{
    service_.at_point = crash_points();
    if (const result<void> loaded = run(peppers_.load(stores_.vault())); !loaded)
        throw std::runtime_error("the secret store cannot be read: " + loaded.error().message());
}

KeyImport StoreSession::import(Actor who)
{
    const KeyImport::Stores used{stores_.keys(), stores_.vault(), peppers_, hashing_, hashers_};
    return KeyImport{service_.rules(), used, std::move(who)};
}

StoreSession::~StoreSession()
{
    pool_.join();
    hashing_.join();
}

} // namespace gw
