// The admin API over the key world's fakes, called without sockets: a request goes in, a response comes out.
#pragma once

#include "admin/endpoints.hpp"
#include "observe/metrics.hpp"
#include "ports/audit_log.hpp"
#include "ports/usage_store.hpp"
#include "support/fakes/key_world.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace gw {

// Reads what the fake database's changes wrote.
class FakeAuditLog final : public AuditLog {
public:
    explicit FakeAuditLog(FakeDatabase& database) : database_(database) {}

    awaitable<result<std::vector<AuditEntry>>> list(const AuditQuery& query) override
    {
        std::vector<AuditEntry> out;
        for (auto entry = database_.audit.rbegin(); entry != database_.audit.rend(); ++entry)
            if ((!query.target || entry->target == *query.target) && entry->sequence < query.before &&
                out.size() < query.limit)
                out.push_back(*entry);
        co_return out;
    }
    awaitable<result<void>> append(const AuditEntry& entry) override
    {
        database_.write_audit(entry);
        co_return result<void>{};
    }

private:
    FakeDatabase& database_;
};

class FakeUsageStore final : public UsageStore {
public:
    std::vector<UsageRow> rows;

    awaitable<result<void>> apply(const UsageBatch& batch) override
    {
        rows.insert(rows.end(), batch.rows.begin(), batch.rows.end());
        co_return result<void>{};
    }
    awaitable<result<std::uint64_t>> last_sequence(const std::string&) override
    {
        co_return std::uint64_t{0};
    }
    awaitable<result<std::vector<UsageRow>>> read(const UsageQuery& query) override
    {
        std::vector<UsageRow> out;
        std::ranges::copy_if(rows, std::back_inserter(out), [&](const UsageRow& row) {
            return (!query.key || row.key == query.key) && row.minute >= query.from &&
                   row.minute < query.until;
        });
        co_return out;
    }
};

inline const std::string k_bootstrap = "a-bootstrap-key-of-these-tests-0123456789";

struct AdminWorld {
    using Fields = std::vector<std::pair<std::string, std::string>>;

    AdminWorld() : api(services(), ManagementAuth{Secret{k_bootstrap}, verifier()}, true) {}

    AdminServices services()
    {
        return AdminServices{.keys = world.service,
                             .tenants = world.tenants,
                             .audit = audit,
                             .usage = usage,
                             .metrics = metrics,
                             .readiness = [this] { return readiness; },
                             .now = [this] { return world.now; }};
    }

    // Stands for the ladder: the credentials in `management_keys` are verified.
    VerifyManagementKey verifier()
    {
        return [this](std::string_view key, Address) { return find_management_key(std::string{key}); };
    }
    awaitable<api_result<std::optional<KeyRecord>>> find_management_key(std::string key)
    {
        const auto found = management_keys.find(key);
        if (found == management_keys.end())
            co_return std::optional<KeyRecord>{};
        co_return std::optional<KeyRecord>{found->second};
    }
    // A management key of `tenant` with these scopes; its text.
    std::string add_management_key(std::string_view tenant, std::vector<std::string> scopes)
    {
        KeyRecord record;
        record.tenant = tenant_id(tenant);
        record.scopes = std::move(scopes);
        record.management = true;
        const std::string text = "management-key-" + std::to_string(management_keys.size());
        management_keys[text] = record;
        return text;
    }

    // As the operator, unless `fields` carry a credential or `anonymous` is set.
    ApiResponse ask(std::string_view method, std::string_view target, std::string body = {},
                    Fields fields = {})
    {
        namespace http = boost::beast::http;
        ApiRequest request;
        request.method_string({method.data(), method.size()});
        request.target({target.data(), target.size()});
        request.version(11);
        request.set(http::field::host, "admin");
        if (!body.empty())
            request.set(http::field::content_type, "application/json");
        if (!anonymous)
            request.set(http::field::authorization, "Bearer " + k_bootstrap);
        for (const auto& [name, value] : fields)
            request.set(name, value);
        request.body() = std::move(body);
        return run(api.answer(request, *Address::parse("192.0.2.7"), "req-1"));
    }
    // The operator's request to another API over the same world.
    ApiResponse ask_api(AdminApi& other, std::string_view method, std::string_view target)
    {
        ApiRequest request;
        request.method_string({method.data(), method.size()});
        request.target({target.data(), target.size()});
        request.set(boost::beast::http::field::authorization, "Bearer " + k_bootstrap);
        return run(other.answer(request, *Address::parse("192.0.2.7"), "req-1"));
    }
    ApiResponse ask_as(const std::string& key, std::string_view method, std::string_view target,
                       std::string body = {})
    {
        return ask(method, target, std::move(body), {{"Authorization", "Bearer " + key}});
    }

    KeyWorld world;
    FakeAuditLog audit{world.database};
    FakeUsageStore usage;
    Metrics metrics{{}};
    Readiness readiness;
    std::map<std::string, KeyRecord> management_keys;
    bool anonymous = false;
    AdminApi api;
};

// One node has applied the change, another has not.
inline awaitable<Propagation> propagation_of(const AdminWorld& world)
{
    Propagation out;
    out.applied = {"node-a"};
    out.pending = {{"node-b"}};
    out.certain_at = world.world.now + std::chrono::minutes{10} + std::chrono::milliseconds{400};
    co_return out;
}

inline boost::json::object object_of(const ApiResponse& response)
{
    return boost::json::parse(response.body).as_object();
}

inline std::string code_of(const ApiResponse& response)
{
    return std::string{object_of(response).at("code").as_string()};
}

inline std::string field_of(const ApiResponse& response, std::string_view name)
{
    for (const auto& [field, value] : response.fields)
        if (field == name)
            return value;
    return {};
}

// The pointers of a 422, in order.
inline std::vector<std::string> pointers_of(const ApiResponse& response)
{
    std::vector<std::string> out;
    const boost::json::object problem = object_of(response);
    for (const auto& error : problem.at("errors").as_array())
        out.emplace_back(error.at("pointer").as_string());
    return out;
}

} // namespace gw
