"""Every row of DESIGN.md section 4's table that this build can meet: status, problem document and fields."""
import datetime
import time

import pytest

import keytext
import wire
from problems import check_problem, same_but_for_the_request
from system import wait_until

ORDERS = "/v1/orders"


@pytest.fixture
def gateway(system):
    return system()


def in_seconds(seconds):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


# No credential, or one that is not good.

def test_no_credential_is_401_with_a_challenge(gateway):
    response = gateway.ask("GET", ORDERS)
    check_problem(response, 401, "no_credential", ORDERS)
    assert response.one("WWW-Authenticate") == 'Bearer realm="orders-read"'


def test_bearer_and_header_both_admit(gateway):
    key = gateway.create_key()["key"]
    assert gateway.ask("GET", ORDERS, wire.bearer(key)).status == 200
    assert gateway.ask("GET", ORDERS, wire.api_key(key)).status == 200
    assert gateway.ask("GET", ORDERS, [("authorization", f"bearer {key}")]).status == 200


def test_malformed_unknown_wrong_and_revoked_keys_get_identical_401s(gateway):
    revoked = gateway.create_key()
    good = gateway.create_key()
    assert gateway.ask("GET", ORDERS, wire.bearer(revoked["key"])).status == 200
    gateway.cli("keys", "revoke", revoked["key_id"])
    time.sleep(1)  # by then every worker knows
    presented = {
        "misspelt": keytext.misspelt(good["key"]),
        "garbage": "hello",
        "unknown": keytext.make(),
        "wrong secret": keytext.make(key_id=good["key_id"]),
        "other environment": keytext.make(environment="test", key_id=good["key_id"], secret=keytext.secret_of(good["key"])),
        "revoked": revoked["key"],
    }
    documents = {}
    for name, key in presented.items():
        response = gateway.ask("GET", ORDERS, wire.api_key(key))
        assert response.status == 401, name
        documents[name] = check_problem(response, 401, None, ORDERS)
        challenge = response.one("WWW-Authenticate")
        assert challenge.startswith('Bearer realm="orders-read"') and 'error="invalid_token"' in challenge, name
    for name, document in documents.items():
        assert same_but_for_the_request(document, documents["unknown"]), name


def test_expired_key_is_told_so(gateway):
    made = gateway.api_create(expires_at=in_seconds(2))
    assert gateway.ask("GET", ORDERS, wire.bearer(made["key"])).status == 200
    assert wait_until(lambda: gateway.ask("GET", ORDERS, wire.bearer(made["key"])).status == 401, 5)
    response = gateway.ask("GET", ORDERS, wire.bearer(made["key"]))
    check_problem(response, 401, "key_expired")
    # Only whoever holds the secret learns it.
    other = gateway.ask("GET", ORDERS, wire.bearer(keytext.make(key_id=made["key_id"])))
    assert check_problem(other, 401)["code"] != "key_expired"


def test_disabled_key_is_told_so_and_comes_back_when_enabled(gateway):
    made = gateway.create_key()
    assert gateway.ask("GET", ORDERS, wire.bearer(made["key"])).status == 200
    gateway.cli("keys", "disable", made["key_id"])
    time.sleep(1)  # by then every worker knows
    check_problem(gateway.ask("GET", ORDERS, wire.bearer(made["key"])), 401, "key_disabled")
    gateway.cli("keys", "enable", made["key_id"])
    assert wait_until(lambda: gateway.ask("GET", ORDERS, wire.bearer(made["key"])).status == 200, 2)


def test_key_disabled_before_its_first_use_is_told_so(gateway):
    made = gateway.create_key()
    gateway.cli("keys", "disable", made["key_id"])
    time.sleep(1)
    check_problem(gateway.ask("GET", ORDERS, wire.bearer(made["key"])), 401, "key_disabled")


def test_management_key_is_nobody_on_the_data_path(gateway):
    made = gateway.api_create(scopes=["platform:keys"])
    check_problem(gateway.ask("GET", ORDERS, wire.bearer(made["key"])), 401)
    check_problem(gateway.ask("GET", ORDERS, wire.bearer(gateway.bootstrap_key)), 401)


# Credentials that contradict each other.

@pytest.mark.parametrize("fields", [
    lambda k: wire.bearer(k) + wire.api_key(k),
    lambda k: wire.bearer(k) + wire.bearer(k),
    lambda k: wire.api_key(k) + wire.api_key(k),
    lambda k: wire.bearer(k) + wire.api_key(keytext.make()),
], ids=["both fields", "Authorization twice", "X-API-Key twice", "two keys"])
def test_two_credentials_are_400(gateway, fields):
    key = gateway.create_key()["key"]
    check_problem(gateway.ask("GET", ORDERS, fields(key)), 400, "ambiguous_credential")


def test_foreign_bearer_beside_a_valid_key_passes_to_the_upstream(system, upstream):
    gateway = system(upstream=upstream, demo=False)
    key = gateway.create_key()["key"]
    assert gateway.ask("GET", "/guarded/x", wire.api_key(key) + wire.bearer("eyJhbGciOi.J9.abc")).status == 200
    assert upstream.last().all("Authorization") == ["Bearer eyJhbGciOi.J9.abc"]
    assert not upstream.last().all("X-API-Key")


def test_credential_is_kept_where_the_route_says_so(system, upstream):
    def change(config):
        for route in config["routes"]:
            if route["id"] == "guarded":
                route["strip_credentials"] = False
    gateway = system(change, upstream, demo=False)
    key = gateway.create_key()["key"]
    assert gateway.ask("GET", "/guarded/x", wire.api_key(key)).status == 200
    assert upstream.last().all("X-API-Key") == [key]


def test_query_credential_works_only_where_the_route_takes_it_and_is_stripped(system, upstream):
    def change(config):
        for route in config["routes"]:
            if route["id"] == "guarded":
                route["credentials"] = ["query:api_key"]
    gateway = system(change, upstream, demo=True)
    key = gateway.create_key()["key"]
    assert gateway.ask("GET", f"/guarded/x?a=1&api_key={key}&b=2").status == 200
    assert key not in upstream.last().target and "a=1" in upstream.last().target and "b=2" in upstream.last().target
    assert gateway.ask("GET", f"{ORDERS}?api_key={key}").status == 401


# What a good key may not do.

def test_missing_scope_is_403_naming_what_is_needed(gateway):
    key = gateway.create_key("orders:read")["key"]
    response = gateway.ask("POST", ORDERS, wire.bearer(key), b"{}")
    document = check_problem(response, 403, "insufficient_scope", ORDERS)
    assert document["required_scopes"] == ["orders:write"]
    challenge = response.one("WWW-Authenticate")
    assert 'error="insufficient_scope"' in challenge and 'scope="orders:write"' in challenge


def test_every_scope_of_the_route_is_needed(gateway):
    key = gateway.create_key("orders:read")["key"]
    document = check_problem(gateway.ask("GET", "/v1/reports/x", wire.bearer(key)), 403, "insufficient_scope")
    assert set(document["required_scopes"]) == {"reports:read", "orders:read"}
    both = gateway.create_key("orders:read,reports:read")["key"]
    assert gateway.ask("GET", "/v1/reports/x", wire.bearer(both)).status == 200


def test_wildcard_grant_covers_the_scope(gateway):
    key = gateway.create_key("orders:*")["key"]
    assert gateway.ask("GET", ORDERS, wire.bearer(key)).status == 200
    assert gateway.ask("POST", ORDERS, wire.bearer(key), b"{}").status == 200
    assert gateway.ask("GET", "/v1/reports/x", wire.bearer(key)).status == 403


def test_wrong_environment_is_403(gateway):
    made = gateway.api_create(environment="test")
    check_problem(gateway.ask("GET", ORDERS, wire.bearer(made["key"])), 403, "wrong_environment")


def test_tenant_not_allowed_on_the_route_is_403(system):
    def change(config):
        config["routes"][0]["tenants"] = ["acme"]
    gateway = system(change)
    gateway.add_tenant("globex")
    stranger = gateway.create_key(tenant="globex")["key"]
    check_problem(gateway.ask("GET", ORDERS, wire.bearer(stranger)), 403, "tenant_not_allowed")
    assert gateway.ask("GET", ORDERS, wire.bearer(gateway.create_key()["key"])).status == 200


def test_address_outside_the_keys_list_is_403(gateway):
    made = gateway.api_create(allowed_ips=["127.0.0.8/32", "10.0.0.0/8"])
    check_problem(gateway.ask("GET", ORDERS, wire.bearer(made["key"])), 403, "address_not_allowed")
    assert gateway.ask("GET", ORDERS, wire.bearer(made["key"]), source="127.0.0.8").status == 200


def test_denied_key_id_is_refused_at_once(system):
    gateway = system(start=False)
    made, other = gateway.create_key(), gateway.create_key()
    gateway.config["gateway"]["deny_keys"] = [made["key_id"]]
    gateway.write_config()
    gateway.start()
    check_problem(gateway.ask("GET", ORDERS, wire.bearer(made["key"])), 401)
    assert gateway.ask("GET", ORDERS, wire.bearer(other["key"])).status == 200


# Routing.

def test_unknown_path_is_404(gateway):
    check_problem(gateway.ask("GET", "/nowhere"), 404, "no_route", "/nowhere")


def test_method_without_a_route_is_405_with_allow_and_never_a_broader_route(system):
    gateway = system(lambda c: c["routes"].append({"id": "all", "match": {"path": "/**"}, "auth": "none", "upstream": "demo"}))
    response = gateway.ask("DELETE", ORDERS)
    check_problem(response, 405, "method_not_allowed", ORDERS)
    assert set(response.one("Allow").replace(" ", "").split(",")) == {"GET", "HEAD", "POST", "PUT"}


def test_refusal_of_a_head_request_has_no_body(gateway):
    with gateway.client() as client:
        response = client.ask("HEAD", ORDERS)
        assert response.status == 401 and int(response.one("Content-Length")) > 0
        assert client.ask("GET", "/bytes/3").status == 200


def test_refusal_keeps_the_connection_where_framing_is_sure(gateway):
    with gateway.client() as client:
        for _ in range(3):
            assert client.ask("GET", ORDERS).status == 401
            assert client.ask("POST", ORDERS, body=b"x" * 1000).status == 401
        assert client.ask("GET", "/bytes/3").status == 200


def test_optional_authentication_admits_nobody_with_a_bad_key(system):
    gateway = system(lambda c: c["routes"].append({"id": "opt", "match": {"path": "/echo/opt"}, "auth": "optional", "upstream": "demo"}))
    assert gateway.ask("GET", "/echo/opt").status == 200
    check_problem(gateway.ask("GET", "/echo/opt", wire.bearer(keytext.make())), 401)
