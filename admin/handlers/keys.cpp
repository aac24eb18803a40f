// The life of a key over HTTP. All decisions are the key service's: here bodies become its requests, and its
// answers become responses. A key of one tenant sees only that tenant; another's object is 404.
#include "admin/handlers/handlers.hpp"
#include "admin/json.hpp"

#include <boost/json.hpp>

#include <charconv>

namespace gw::handlers {

namespace json = boost::json;

namespace {

std::string etag_of(const KeyRecord& key)
{
    return '"' + std::to_string(key.record_version) + '"';
}

ApiResponse shown(const ApiCall& call, const KeyRecord& key)
{
    ApiResponse response{200, key_to_json(key, call.services.keys.rules(), call.services.now())};
    response.fields.emplace_back("ETag", etag_of(key));
    return response;
}

// The key, and beside it how far its end has come over the fleet.
awaitable<ApiResponse> shown_with_propagation(ApiCall& call, const KeyRecord& key)
{
    ApiResponse response = shown(call, key);
    if (!call.services.propagation)
        co_return response;
    const Propagation propagation = co_await call.services.propagation(key.management);
    response.body = with_propagation(std::move(response.body), propagation);
    co_return response;
}

// 201 with the secret: the only time it is seen.
ApiResponse issued(const ApiCall& call, const IssuedKey& key)
{
    ApiResponse response{201,
                         key_to_json(key.record, call.services.keys.rules(), call.services.now(), &key.key)};
    response.fields.emplace_back("ETag", etag_of(key.record));
    response.fields.emplace_back("Location", "/api/v1/platform/api-keys/" + key.record.id.str());
    return response;
}

// 201 again, for a repetition: the object as it is now, and no secret.
ApiResponse replayed(const ApiCall& call, const KeyRecord& key)
{
    json::object body =
        json::parse(key_to_json(key, call.services.keys.rules(), call.services.now())).as_object();
    body["key"] = nullptr;
    body["key_available"] = false;
    ApiResponse response{201, json::serialize(body)};
    response.fields.emplace_back("ETag", etag_of(key));
    response.fields.emplace_back("Idempotency-Replayed", "true");
    return response;
}

awaitable<ApiResponse> replay(ApiCall& call, Repeats::Found found)
{
    if (found.status != Repeats::Status::finished)
        co_return refuse(call, repeat_problem(found.status));
    const KeyId id = KeyId::parse(found.object).value_or(KeyId{});
    const auto key = co_await call.services.keys.get(id, call.caller.tenant);
    if (!key)
        co_return refuse(call, ApiProblem{key.error()});
    co_return replayed(call, *key);
}

// The version that If-Match names; empty for "*". 428 without the field, 412 for what cannot match (RFC 9110
// section 13.1.1: weak tags never do).
api_result<std::optional<std::uint64_t>> if_match(const ApiRequest& request)
{
    const auto field = request[boost::beast::http::field::if_match];
    const std::string value{field.data(), field.size()};
    if (value.empty())
        return ApiProblem{428, "precondition_required",
                          "Send If-Match with the ETag that you read the key with."};
    if (value == "*")
        return std::optional<std::uint64_t>{};
    std::uint64_t version = 0;
    const char* begin = value.data() + 1;
    const char* end = value.data() + value.size() - 1;
    const bool quoted = value.size() > 2 && value.front() == '"' && value.back() == '"';
    if (quoted) {
        const auto parsed = std::from_chars(begin, end, version);
        if (parsed.ec == std::errc{} && parsed.ptr == end)
            return std::optional<std::uint64_t>{version};
    }
    return ApiProblem{412, "stale", "If-Match is not the key's current ETag; read the key again."};
}

} // namespace

awaitable<ApiResponse> create_key(ApiCall& call)
{
    auto body = read_create_key(call.request.body());
    if (!body)
        co_return refuse(call, body.error());
    CreateKey& request = *body;
    if (request.tenant.str().empty() && call.caller.tenant)
        request.tenant = *call.caller.tenant;
    if (request.tenant.str().empty()) {
        FieldError missing{"/tenant", "is required"};
        const ApiProblem problem{422, "invalid_fields", "Some fields are not valid; see errors.", {missing}};
        co_return refuse(call, problem);
    }
    if (call.caller.tenant && request.tenant != *call.caller.tenant) {
        FieldError foreign{"/tenant", "there is no such tenant"};
        const ApiProblem problem{422, "invalid_fields", "Some fields are not valid; see errors.", {foreign}};
        co_return refuse(call, problem);
    }
    const auto identity = repeat_identity(call, request.tenant.str(), "keys.create");
    if (!identity)
        co_return refuse(call, identity.error());
    if (*identity) {
        auto found = call.repeats.begin(**identity, sha256(call.request.body()), call.services.now());
        if (found.status != Repeats::Status::fresh)
            co_return co_await replay(call, std::move(found));
    }
    const auto key = co_await call.services.keys.create(std::move(request), call.caller.actor);
    if (!key) {
        if (*identity)
            call.repeats.failed(**identity);
        co_return refuse(call, ApiProblem{key.error()});
    }
    if (*identity)
        call.repeats.finished(**identity, key->record.id.str());
    co_return issued(call, *key);
}

awaitable<ApiResponse> show_key(ApiCall& call)
{
    const auto id = key_in_path(call);
    if (!id)
        co_return refuse(call, id.error());
    const auto key = co_await call.services.keys.get(*id, call.caller.tenant);
    if (!key)
        co_return refuse(call, ApiProblem{key.error()});
    co_return shown(call, *key);
}

awaitable<ApiResponse> change_key(ApiCall& call)
{
    const auto id = key_in_path(call);
    if (!id)
        co_return refuse(call, id.error());
    auto changes = read_key_changes(call.request.body());
    if (!changes)
        co_return refuse(call, changes.error());
    const auto version = if_match(call.request);
    if (!version)
        co_return refuse(call, version.error());
    const auto key = co_await call.services.keys.update(*id, call.caller.tenant, std::move(*changes),
                                                        *version, call.caller.actor);
    if (!key)
        co_return refuse(call, ApiProblem{key.error()});
    co_return shown(call, *key);
}

awaitable<ApiResponse> revoke_key(ApiCall& call)
{
    const auto id = key_in_path(call);
    if (!id)
        co_return refuse(call, id.error());
    const auto reason = read_reason(call.request.body());
    if (!reason)
        co_return refuse(call, reason.error());
    const auto key = co_await call.services.keys.revoke(*id, call.caller.tenant, *reason, call.caller.actor);
    if (!key)
        co_return refuse(call, ApiProblem{key.error()});
    co_return co_await shown_with_propagation(call, *key);
}

awaitable<ApiResponse> regenerate_key(ApiCall& call)
{
    const auto id = key_in_path(call);
    if (!id)
        co_return refuse(call, id.error());
    const auto overlap = read_overlap(call.request.body());
    if (!overlap)
        co_return refuse(call, overlap.error());
    const std::string tenant = call.caller.tenant ? call.caller.tenant->str() : std::string{};
    const auto identity = repeat_identity(call, tenant, "keys.regenerate:" + id->str());
    if (!identity)
        co_return refuse(call, identity.error());
    if (*identity) {
        auto found = call.repeats.begin(**identity, sha256(call.request.body()), call.services.now());
        if (found.status != Repeats::Status::fresh)
            co_return co_await replay(call, std::move(found));
    }
    const auto key =
        co_await call.services.keys.regenerate(*id, call.caller.tenant, *overlap, call.caller.actor);
    if (!key) {
        if (*identity)
            call.repeats.failed(**identity);
        co_return refuse(call, ApiProblem{key.error()});
    }
    if (*identity)
        call.repeats.finished(**identity, key->record.id.str());
    co_return issued(call, *key);
}

awaitable<ApiResponse> disable_key(ApiCall& call)
{
    const auto id = key_in_path(call);
    if (!id)
        co_return refuse(call, id.error());
    const auto key = co_await call.services.keys.disable(*id, call.caller.tenant, call.caller.actor);
    if (!key)
        co_return refuse(call, ApiProblem{key.error()});
    co_return co_await shown_with_propagation(call, *key);
}

awaitable<ApiResponse> enable_key(ApiCall& call)
{
    const auto id = key_in_path(call);
    if (!id)
        co_return refuse(call, id.error());
    const auto key = co_await call.services.keys.enable(*id, call.caller.tenant, call.caller.actor);
    if (!key)
        co_return refuse(call, ApiProblem{key.error()});
    co_return shown(call, *key);
}

} // namespace gw::handlers
