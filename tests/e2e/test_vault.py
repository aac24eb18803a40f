"""Secrets in HashiCorp Vault or OpenBao: the life of a key, and what happens while the Vault is away (DESIGN.md
section 7). The server is the stand-in of tests/support/vault_server.py."""
import threading
import time

import pytest

import wire
from system import CommandError, wait_until
from test_kill import POINTS, all_keys, check_key_is_whole, high_limits
from test_secrets import everything_written, spellings
from vault_server import ROOT_TOKEN, SECRET_ID, VaultServer

ORDERS = "/v1/orders"


@pytest.fixture
def vault():
    with VaultServer() as one:
        yield one


@pytest.fixture
def gateway(system, vault):
    def change(config):
        vault.into(config)
        high_limits(config)
    return system(change)


def status_of(gateway, key):
    return gateway.ask("GET", ORDERS, wire.bearer(key)).status


def up(gateway):
    return gateway.metrics()['portcullis_dependency_up{dependency="vault"}']


def create(gateway):
    return gateway.api("POST", "/api-keys", {"name": "k", "tenant": "acme", "scopes": ["orders:read"]})


@pytest.mark.parametrize("tls", [False, True])
def test_the_life_of_a_key(system, tls):
    with VaultServer(tls=tls) as vault:
        gateway = system(vault.into)
        made = gateway.create_key()
        path = f"api_keys/acme/{made['key_id']}"
        assert path in vault.key_paths()
        assert ["", "platform/pepper"] in vault.tell({"paths": True})
        assert status_of(gateway, made["key"]) == 200
        renewed = gateway.api("POST", f"/api-keys/{made['key_id']}/regenerate", {"overlap": "1h"})
        assert renewed.status == 201, renewed
        assert status_of(gateway, made["key"]) == status_of(gateway, renewed.json()["key"]) == 200
        assert vault.tell({"entry": path})["current"] == 2
        assert gateway.api("DELETE", f"/api-keys/{made['key_id']}").status in (200, 204)
        assert vault.tell({"entry": path}) is None, "the entry must be gone with all its versions"
        assert status_of(gateway, made["key"]) == status_of(gateway, renewed.json()["key"]) == 401
        assert up(gateway) == 1


def test_keys_survive_a_restart_of_the_gateway(gateway, vault):
    made = gateway.create_key()
    assert gateway.terminate() == 0
    gateway.start()
    assert status_of(gateway, made["key"]) == 200


@pytest.mark.parametrize("outage", ["stopped", "paused", "sealed"])
def test_while_the_vault_is_away(gateway, vault, outage):
    cached, unseen = gateway.create_key(), gateway.create_key()
    assert status_of(gateway, cached["key"]) == 200
    begin, end = {"stopped": (vault.kill, vault.start), "paused": (vault.pause, vault.resume),
                  "sealed": (lambda: vault.set(sealed=True), lambda: vault.set(sealed=False))}[outage]
    listed = {record["key_id"] for record in all_keys(gateway)}
    begin()
    # At first each call takes its time-out; then the server is known to be away.
    for _ in range(4):
        refused = gateway.ask("GET", ORDERS, wire.bearer(unseen["key"]))
        assert refused.status == 503, refused
        assert int(refused.one("Retry-After")) >= 1
        assert status_of(gateway, cached["key"]) == 200
    assert wait_until(lambda: up(gateway) == 0, 5)
    began = time.monotonic()
    assert status_of(gateway, unseen["key"]) == 503
    assert time.monotonic() - began < 0.4, "a Vault known to be away is not waited for"
    answer = create(gateway)
    assert answer.status == 503, answer
    assert gateway.api("POST", f"/api-keys/{cached['key_id']}/regenerate", {}).status == 503
    assert status_of(gateway, cached["key"]) == 200
    assert {record["key_id"] for record in all_keys(gateway)} == listed, "half-written"
    revoked = gateway.api("DELETE", f"/api-keys/{cached['key_id']}")
    assert revoked.status in (200, 204), "a key must end also while its entry cannot be destroyed"
    assert status_of(gateway, cached["key"]) == 401
    end()
    assert wait_until(lambda: status_of(gateway, unseen["key"]) == 200, 10), "must recover by itself"
    assert up(gateway) == 1
    made = create(gateway)
    assert made.status == 201 and status_of(gateway, made.json()["key"]) == 200
    for record in all_keys(gateway):
        if record["status"] == "active":
            check_key_is_whole(gateway, record)
    log = gateway.logs()
    assert log.count("vault.unreachable") == log.count("vault.reachable") == 1, "once each"


@pytest.mark.long
def test_what_was_revoked_meanwhile_is_destroyed_afterwards(gateway, vault):
    made = gateway.create_key()
    vault.kill()
    assert gateway.api("DELETE", f"/api-keys/{made['key_id']}").status in (200, 204)
    vault.start()
    assert f"api_keys/acme/{made['key_id']}" in vault.key_paths()
    assert wait_until(lambda: f"api_keys/acme/{made['key_id']}" not in vault.key_paths(), 45, 0.5)


def test_nothing_is_lost_over_outages_under_load(gateway, vault):
    """Creators run while the Vault comes and goes: what was acknowledged works, nothing else is listed."""
    given, stop = [], threading.Event()

    def work():
        while not stop.is_set():
            answer = create(gateway)
            assert answer.status in (201, 503), answer
            if answer.status == 201:
                given.append(answer.json())
    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for away in (vault.pause, vault.kill, vault.pause):
        time.sleep(0.4)
        away()
        time.sleep(0.8)
        vault.start() if away == vault.kill else vault.resume()
        count = len(given)
        assert wait_until(lambda: len(given) > count, 10), "creation must go on after the outage"
    stop.set()
    for worker in workers:
        worker.join()
    assert {made["key_id"] for made in given} <= {record["key_id"] for record in all_keys(gateway)}
    for made in given:
        assert status_of(gateway, made["key"]) == 200, "acknowledged, and lost"
    for record in all_keys(gateway)[:20]:
        check_key_is_whole(gateway, record)


def test_many_keys_never_seen_before_arrive_at_once(gateway, vault):
    keys = [gateway.create_key()["key"] for _ in range(12)]
    vault.set(latency=0.05)
    answers = []
    callers = [threading.Thread(target=lambda k=key: answers.append(status_of(gateway, k))) for key in keys]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert answers == [200] * 12


@pytest.mark.parametrize("point", POINTS)
def test_crash_at_a_named_point_leaves_whole_keys_only(gateway, vault, point):
    old = gateway.create_key()
    assert status_of(gateway, old["key"]) == 200
    command = {"create": ["keys", "create", "--tenant", "acme", "--name", "crashed", "--scopes", "orders:read", "--json"],
               "regenerate": ["keys", "regenerate", old["key_id"], "--json"],
               "revoke": ["keys", "revoke", old["key_id"]]}[point.split(".")[0]]
    with pytest.raises(CommandError) as crashed:
        gateway.cli(*command, environment={"PORTCULLIS_CRASH_AT": point})
    assert crashed.value.code < 0, f"{point} was not passed: exit {crashed.value.code} {crashed.value.err}"
    gateway.kill()
    gateway.start()
    if point.startswith("revoke"):
        assert status_of(gateway, old["key"]) == 401
        assert f"api_keys/acme/{old['key_id']}" not in vault.key_paths(), "destroyed at the next start at the latest"
        return
    assert status_of(gateway, old["key"]) == 200, "a crash must not take the old key along"
    for record in all_keys(gateway):
        assert record["status"] == "active"
        check_key_is_whole(gateway, record)


def test_a_start_without_the_vault_says_so(system, vault):
    def change(config):
        vault.into(config)
    gateway = system(change, start=False, tenant=None)
    vault.kill()
    gateway.start(ready=False)
    assert gateway.serve.wait(30) == 1
    gateway.expected_exit = 1
    assert "the secret store cannot be read" in gateway.logs()
    gateway.serve = None
    gateway.expected_exit = 0


def test_a_value_of_the_configuration_can_lie_in_the_vault(system, vault):
    vault.tell({"put": "portcullis/admin", "data": {"bootstrap": "a-management-key-of-more-than-32-characters"}})

    def change(config):
        vault.into(config)
        config["admin"]["bootstrap_key"] = "${vault:portcullis/admin#bootstrap}"
    gateway = system(change)
    assert gateway.api("GET", "/tenants", key="a-management-key-of-more-than-32-characters").status == 200
    vault.tell({"put": "portcullis/admin", "data": {"other": "x"}})
    with pytest.raises(CommandError) as refused:
        gateway.cli("check")
    assert "admin.bootstrap_key: the Vault has no text at portcullis/admin#bootstrap" in refused.value.out + refused.value.err


def test_nothing_written_holds_a_secret(system):
    def change(config):
        vault.into(config)
        config["log"]["level"] = "debug"
    with VaultServer(options=["--token-ttl", "2"]) as vault:
        gateway = system(change)
        made = gateway.create_key()
        assert status_of(gateway, made["key"]) == 200
        vault.set(answer=429)
        create(gateway)
        vault.set(answer=None)
        vault.tell({"revoke_tokens": True})
        create(gateway)
        time.sleep(2)
        assert gateway.terminate() == 0
        assert "vault.logged_in" in gateway.logs()
        hashes = [version["data"]["entry"] for path in vault.key_paths()
                  for version in vault.tell({"entry": path})["versions"].values()]
        assert any("$2b$" in text for text in hashes)
        for path, data in everything_written(gateway):
            for secret in [*gateway.secrets, SECRET_ID, ROOT_TOKEN]:
                for text in spellings(secret):
                    assert text not in data, f"{path} holds {text[:6]}..."
            assert b"$2b$" not in data and b"hvs." not in data, f"{path} holds a hash or a token"
