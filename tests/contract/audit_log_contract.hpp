// What every AuditLog does.
#pragma once

#include "contract/stores_under_test.hpp"

#include <algorithm>

namespace gw::contract {

inline void audit_log_contract(const MakeStores& make)
{
    const auto stores = make();
    auto& audit = stores->audit();
    const auto append = [&](const std::string& action, const std::string& target, const std::string& tenant) {
        run(audit.append(stores->why(action, target, tenant))).value();
    };
    const auto count = [&](const AuditQuery& query) { return run(audit.list(query)).value().size(); };

    SECTION("append, list: every field comes back, with a sequence")
    {
        AuditEntry entry = stores->why("auth.failed", "u_81");
        entry.details = R"({"tries":3})";
        entry.address = "2001:db8::1";
        entry.user_agent = "curl/7.88 \"x\"";
        entry.request_id = "r-1";
        run(audit.append(entry)).value();
        auto listed = run(audit.list({})).value();
        REQUIRE(listed.size() == 1);
        CHECK(listed[0].sequence > 0);
        entry.sequence = listed[0].sequence;
        CHECK(listed[0] == entry);
    }
    SECTION("list: newest first, before a sequence, at most limit")
    {
        for (int i = 0; i < 5; ++i)
            append("a" + std::to_string(i), "t", "acme");
        AuditQuery query;
        query.limit = 2;
        std::vector<std::string> actions;
        while (true) {
            const auto page = run(audit.list(query)).value();
            if (page.empty())
                break;
            CHECK(page.size() <= 2);
            for (const auto& entry : page)
                actions.push_back(entry.action);
            query.before = page.back().sequence;
        }
        CHECK(actions == std::vector<std::string>{"a4", "a3", "a2", "a1", "a0"});
    }
    SECTION("list: filters by tenant, target and action, alone and together")
    {
        append("x", "k1", "acme");
        append("y", "k1", "acme");
        append("x", "k2", "acme");
        append("x", "k1", "beta");
        append("x", "k1", "");
        AuditQuery query;
        query.tenant = "acme";
        CHECK(count(query) == 3);
        query.target = "k1";
        CHECK(count(query) == 2);
        query.action = "x";
        CHECK(count(query) == 1);
        query.tenant = "";
        CHECK(count(query) == 1);
        query.tenant.reset();
        CHECK(count(query) == 3);
    }
    SECTION("append: entries of eight threads at once all get sequences of their own")
    {
        in_parallel(8, [&](int i) {
            for (int n = 0; n < 5; ++n)
                (void)run(audit.append(stores->why("x", std::to_string(i), "acme")));
        });
        AuditQuery query;
        query.limit = 1'000;
        const auto listed = run(audit.list(query)).value();
        CHECK(listed.size() == 40);
        CHECK(std::adjacent_find(listed.begin(), listed.end(), [](const AuditEntry& a, const AuditEntry& b) {
                  return a.sequence <= b.sequence;
              }) == listed.end());
    }
}

} // namespace gw::contract
