"""kill -9 at any moment: what was acknowledged is there afterwards, and what was half done does not exist
(acceptance line 8)."""
import random
import subprocess
import threading
import time

import pytest

import keytext
import wire
from ratelimit import levels
from system import CommandError, wait_until

ORDERS = "/v1/orders"
POINTS = ["create.reserved", "create.vault_written", "create.activated", "regenerate.reserved",
          "regenerate.vault_written", "regenerate.activated", "revoke.committed", "revoke.vault_destroyed"]


def all_keys(gateway):
    found, cursor = [], None
    while True:
        page = gateway.api("GET", "/api-keys?tenant=acme&limit=100" + (f"&cursor={cursor}" if cursor else ""))
        assert page.status == 200, page
        found += page.json()["data"]
        cursor = page.json()["next_cursor"]
        if not cursor:
            return found


def check_key_is_whole(gateway, record):
    """A key that is listed works (seen through a new secret, if its own was never handed out) and can be revoked."""
    key_id = record["key_id"]
    wrong = gateway.ask("GET", ORDERS, wire.bearer(keytext.make(key_id=key_id)))
    assert wrong.status == 401, f"{key_id}: its record and its Vault entry do not fit: {wrong}"
    renewed = gateway.api("POST", f"/api-keys/{key_id}/regenerate", {"overlap": "0s"})
    assert renewed.status == 201, renewed
    assert gateway.ask("GET", ORDERS, wire.bearer(renewed.json()["key"])).status == 200
    assert gateway.api("DELETE", f"/api-keys/{key_id}").status in (200, 204)
    assert wait_until(lambda: gateway.ask("GET", ORDERS, wire.bearer(renewed.json()["key"])).status == 401, 1.5)


def high_limits(config):
    config["gateway"]["failed_attempts"] = {"per_ip": "100000/m", "per_ip_and_key": "100000/m"}


def test_keys_quotas_audit_and_usage_survive_a_kill_under_load(system, load):
    def change(config):
        next(r for r in config["routes"] if r["id"] == "orders-read")["limits"] = [{"name": "day", "quota": "1000000/d", "per": "key"}]
        config["usage"]["flush"] = "1s"
    gateway = system(change)
    keys = [gateway.create_key() for _ in range(5)]
    revoked, disabled = gateway.create_key(), gateway.create_key()
    gateway.api("DELETE", f"/api-keys/{revoked['key_id']}")
    gateway.cli("keys", "disable", disabled["key_id"])
    used = keys[0]
    events = len(gateway.api("GET", f"/api-keys/{revoked['key_id']}/events").json()["data"])
    assert events >= 2, "created and revoked"
    run = load(gateway.port, ORDERS, rate=300, connections=20, seconds=6, header=[f"X-API-Key: {used['key']}"])
    time.sleep(4)
    gateway.kill()
    result = run.result()
    admitted = result["statuses"]["200"]
    assert admitted > 900, result
    gateway.start()
    for key in keys:
        assert gateway.ask("GET", ORDERS, wire.bearer(key["key"])).status == 200
    assert gateway.ask("GET", ORDERS, wire.bearer(revoked["key"])).status == 401
    assert gateway.ask("GET", ORDERS, wire.bearer(disabled["key"])).json()["code"] == "key_disabled"
    assert len(gateway.api("GET", f"/api-keys/{revoked['key_id']}/events").json()["data"]) == events
    left = levels(gateway.ask("GET", ORDERS, wire.bearer(used["key"])))["day"]["r"]
    assert left <= 1_000_000 - admitted - 1, "what was admitted before the kill must have been debited"
    counted = usage_requests(gateway, used["key_id"])
    assert counted >= admitted - 300 * 1.0 - 60, f"{counted} of {admitted}: more than one flush interval of usage lost"
    assert counted <= admitted + len(result["statuses"]) + 30


def usage_requests(gateway, key_id):
    """All requests that usage knows of this key."""
    answer = gateway.api("GET", f"/api-keys/{key_id}/usage")
    assert answer.status == 200, answer
    return sum(row["requests"] for row in answer.json()["data"])


def test_quota_is_never_admitted_twice_over_kills(system):
    def change(config):
        next(r for r in config["routes"] if r["id"] == "orders-read")["limits"] = [{"name": "day", "quota": "200/d", "per": "key"}]
    gateway = system(change)
    key, admitted = gateway.create_key()["key"], 0
    for _ in range(4):
        with gateway.client() as client:
            admitted += sum(client.ask("GET", ORDERS, wire.bearer(key)).status == 200 for _ in range(60))
        gateway.kill()
        gateway.start()
    with gateway.client() as client:
        admitted += sum(client.ask("GET", ORDERS, wire.bearer(key)).status == 200 for _ in range(220))
    assert admitted <= 200, f"{admitted} admitted of a quota of 200"


@pytest.mark.parametrize("point", POINTS)
def test_crash_at_a_named_point_leaves_whole_keys_only(system, point):
    gateway = system(high_limits)
    old = gateway.create_key()
    assert gateway.ask("GET", ORDERS, wire.bearer(old["key"])).status == 200
    command = {"create": ["keys", "create", "--tenant", "acme", "--name", "crashed", "--scopes", "orders:read", "--json"],
               "regenerate": ["keys", "regenerate", old["key_id"], "--json"],
               "revoke": ["keys", "revoke", old["key_id"]]}[point.split(".")[0]]
    with pytest.raises(CommandError) as crashed:
        gateway.cli(*command, environment={"PORTCULLIS_CRASH_AT": point})
    assert crashed.value.code < 0, f"{point} was not passed: exit {crashed.value.code} {crashed.value.err}"
    gateway.kill()
    gateway.start()
    if point.startswith("revoke"):
        assert gateway.ask("GET", ORDERS, wire.bearer(old["key"])).status == 401
        return
    assert gateway.ask("GET", ORDERS, wire.bearer(old["key"])).status == 200, "a crash must not take the old key along"
    for record in all_keys(gateway):
        assert record["status"] == "active"
        check_key_is_whole(gateway, record)


@pytest.mark.long
def test_a_hundred_kills_of_the_command_line_during_creation_leave_whole_keys_only(system):
    gateway = system(high_limits)
    source = random.Random(20261122)
    began = time.monotonic()
    gateway.create_key()
    whole = time.monotonic() - began
    printed = 0
    for number in range(100):
        process = subprocess.Popen([gateway.binary, "keys", "create", "--config", gateway.config_file, "--tenant", "acme", "--name",
                                    f"killed {number}", "--scopes", "orders:read", "--json"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, cwd=gateway.directory, env=gateway.environment)
        time.sleep(source.uniform(0, whole * 1.1))
        process.kill()
        out, _ = process.communicate()
        if out.strip().endswith(b"}"):
            printed += 1
            key = keytext.SHAPE.search(out.decode().split('"key":')[1].split('"')[1])
            gateway.secrets.append(key.group(0))
            assert gateway.ask("GET", ORDERS, wire.bearer(key.group(0))).status == 200, "a key that was handed out must work"
    records = all_keys(gateway)
    assert len(records) >= printed + 1
    for record in records:
        check_key_is_whole(gateway, record)


@pytest.mark.long
def test_kills_of_the_gateway_during_creation_leave_whole_keys_only(system):
    gateway = system(high_limits)
    source = random.Random(7)
    given = []

    def create():
        while True:
            try:
                response = gateway.api("POST", "/api-keys", {"name": "k", "tenant": "acme", "scopes": ["orders:read"]})
            except (OSError, wire.Closed, wire.Truncated, wire.Malformed):
                return
            if response.status == 201:
                given.append(response.json())
    for _ in range(10):
        creators = [threading.Thread(target=create) for _ in range(3)]
        for creator in creators:
            creator.start()
        time.sleep(source.uniform(0.05, 0.4))
        gateway.kill()
        for creator in creators:
            creator.join()
        gateway.start()
    assert len(given) > 10
    for made in given:
        assert gateway.ask("GET", ORDERS, wire.bearer(made["key"])).status == 200, "acknowledged, and lost"
    listed = {record["key_id"] for record in all_keys(gateway)}
    assert {made["key_id"] for made in given} <= listed
    for record in all_keys(gateway)[:60]:
        check_key_is_whole(gateway, record)
