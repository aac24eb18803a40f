// What every UsageStore does.
#pragma once

#include "contract/stores_under_test.hpp"

#include <algorithm>
#include <tuple>

namespace gw::contract {

inline UsageRow usage_row(WallTime minute, const std::string& tenant, const std::string& key,
                          std::uint32_t version, const std::string& route, std::uint64_t requests)
{
    UsageRow row;
    row.minute = minute;
    row.tenant = tenant;
    row.key = key.empty() ? std::nullopt : KeyId::parse(key);
    row.version = version;
    row.route = route;
    row.counts.requests = requests;
    row.counts.status_4xx = 2 * requests;
    row.counts.status_5xx = 3 * requests;
    row.counts.status_401 = 4 * requests;
    row.counts.status_403 = 5 * requests;
    row.counts.status_429 = 6 * requests;
    row.counts.bytes_in = 1'000'000'000'000 * requests;
    row.counts.bytes_out = 7 * requests;
    row.counts.latency_us_sum = 8 * requests;
    for (std::size_t i = 0; i < row.counts.latency.size(); ++i)
        row.counts.latency[i] = static_cast<std::uint32_t>((std::uint64_t{1} << (i + 8)) * requests);
    return row;
}

inline UsageBatch usage_batch(const std::string& node, std::uint64_t sequence, std::vector<UsageRow> rows)
{
    UsageBatch batch;
    batch.node = node;
    batch.sequence = sequence;
    batch.rows = std::move(rows);
    return batch;
}

inline void usage_counts_contract(const MakeStores& make)
{
    const auto stores = make();
    auto& usage = stores->usage();
    const std::string key = numbered_id(1);

    SECTION("apply, read: every count comes back")
    {
        const auto row = usage_row(k_start, "acme", key, 2, "orders-read", 5);
        run(usage.apply(usage_batch("n1", 1, {row}))).value();
        CHECK(run(usage.read({})).value() == std::vector{row});
    }
    SECTION("apply: counts of one minute add up, over batches, nodes and within a batch")
    {
        const auto row = [&](std::uint64_t n) { return usage_row(k_start, "acme", key, 1, "r", n); };
        run(usage.apply(usage_batch("n1", 1, {row(1), row(2)}))).value();
        run(usage.apply(usage_batch("n1", 2, {row(4)}))).value();
        run(usage.apply(usage_batch("n2", 1, {row(8)}))).value();
        CHECK(run(usage.read({})).value() == std::vector{row(15)});
    }
    SECTION("apply: a batch sent again is accepted and changes nothing")
    {
        const auto batch = usage_batch("n1", 7, {usage_row(k_start, "acme", key, 1, "r", 1)});
        CHECK(run(usage.last_sequence("n1")).value() == 0);
        run(usage.apply(batch)).value();
        CHECK(run(usage.apply(batch)).has_value());
        CHECK(run(usage.last_sequence("n1")).value() == 7);
        CHECK(run(usage.last_sequence("n2")).value() == 0);
        CHECK(run(usage.read({})).value() == batch.rows);
    }
    SECTION("apply: one batch from eight threads at once counts once")
    {
        const auto batch = usage_batch("n1", 1, {usage_row(k_start, "acme", key, 1, "r", 1)});
        in_parallel(8, [&](int) { (void)run(usage.apply(batch)); });
        CHECK(run(usage.read({})).value() == batch.rows);
    }
    SECTION("read: by minute, tenant, key, version and route; rows without a key come first")
    {
        const std::vector<UsageRow> ordered{
            usage_row(k_start, "", "", 0, "", 1),
            usage_row(k_start, "acme", "", 0, "r", 1),
            usage_row(k_start, "acme", key, 1, "r", 1),
            usage_row(k_start, "acme", key, 1, "s", 1),
            usage_row(k_start, "acme", key, 2, "r", 1),
            usage_row(k_start, "acme", numbered_id(2), 1, "r", 1),
            usage_row(k_start, "beta", key, 1, "r", 1),
            usage_row(k_start + minutes{1}, "acme", key, 1, "r", 1),
        };
        auto given = ordered;
        std::reverse(given.begin(), given.end());
        run(usage.apply(usage_batch("n1", 1, given))).value();
        CHECK(run(usage.read({})).value() == ordered);
    }
    SECTION("read: filters by tenant, key, route and minutes in [from, until)")
    {
        std::vector<UsageRow> rows;
        for (int i = 0; i < 16; ++i)
            rows.push_back(usage_row(k_start + minutes{i & 1}, i & 2 ? "acme" : "beta", numbered_id(i & 4), 1,
                                     i & 8 ? "r" : "s", 1));
        run(usage.apply(usage_batch("n1", 1, rows))).value();
        UsageQuery query;
        query.from = k_start + minutes{1};
        CHECK(run(usage.read(query)).value().size() == 8);
        query.until = query.from;
        CHECK(run(usage.read(query)).value().empty());
        query.from = k_start;
        CHECK(run(usage.read(query)).value().size() == 8);
        query.tenant = "acme";
        CHECK(run(usage.read(query)).value().size() == 4);
        query.key = key_id(numbered_id(4));
        CHECK(run(usage.read(query)).value().size() == 2);
        query.route = "r";
        CHECK(run(usage.read(query)).value() == std::vector{rows[14]});
    }
}

inline void last_uses_contract(const MakeStores& make)
{
    const auto stores = make();
    auto& usage = stores->usage();
    stores->add_tenant("acme");
    const auto id = key_id(numbered_id(1));
    const auto created = stores->add_key(numbered_id(1));
    const auto use = [&](std::uint64_t sequence, std::uint32_t version, WallTime at, const char* address) {
        UsageBatch batch = usage_batch("n1", sequence, {});
        batch.last_uses = {LastUse{id, version, at, Address::parse(address).value()}};
        run(usage.apply(batch)).value();
    };
    const auto found = [&] { return run(stores->keys().find(id)).value().value(); };

    SECTION("a key that was never used says so")
    {
        CHECK_FALSE(found().last_used_at);
        CHECK_FALSE(found().last_used_ip);
        CHECK_FALSE(found().versions[0].last_used_at);
    }
    SECTION("a use shows on the key and on its version, and is no change of the record")
    {
        const auto sequence = run(stores->keys().last_change()).value();
        use(1, 1, k_start + minutes{1}, "192.0.2.7");
        KeyRecord expected = created;
        expected.last_used_at = expected.versions[0].last_used_at = k_start + minutes{1};
        expected.last_used_ip = "192.0.2.7";
        CHECK(found() == expected);
        CHECK(run(stores->keys().list({})).value().keys == std::vector{expected});
        CHECK(run(stores->keys().last_change()).value() == sequence);
    }
    SECTION("times only move forward")
    {
        use(1, 1, k_start + minutes{2}, "192.0.2.7");
        use(2, 1, k_start + minutes{1}, "192.0.2.8");
        CHECK(found().last_used_at == k_start + minutes{2});
        CHECK(found().last_used_ip == "192.0.2.7");
        use(3, 1, k_start + minutes{3}, "2001:db8::9");
        CHECK(found().last_used_at == k_start + minutes{3});
        CHECK(found().last_used_ip == "2001:db8::9");
    }
    SECTION("the key's last use is the latest of its versions'")
    {
        const auto version = run(stores->keys().reserve_version(id, "bbbb")).value();
        const auto why = stores->why("key.regenerate", id.str());
        run(stores->keys().activate_version(id, version, k_start + hours{1}, why)).value();
        use(1, 1, k_start + minutes{2}, "192.0.2.1");
        use(2, version, k_start + minutes{1}, "192.0.2.2");
        CHECK(found().last_used_at == k_start + minutes{2});
        CHECK(found().last_used_ip == "192.0.2.1");
        CHECK(found().versions[1].last_used_at == k_start + minutes{1});
    }
}

} // namespace gw::contract
