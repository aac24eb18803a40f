"""Keys of Kong, APISIX and CSV files: imported by the command line, used by clients as they were, and ended like any."""
import csv
import hashlib
import json
import random

import pytest

import wire
from system import CommandError, wait_until

ORDERS = "/v1/orders/1"
KONG = """
_format_version: "3.0"
consumers:
- username: alice
  tags: [team-a]
  acls:
  - group: readers
  keyauth_credentials:
  - id: 4d924084-1adb-40a5-c042-63b19db421d1
    key: {alice}
- username: bob
  keyauth_credentials:
  - key: {bob}
  - key: tiny
"""
# Of "ident7.the-secret-part", cost 4.
BCRYPT_OF_SALTED = "$2b$04$abcdefghijklmnopqrstuuBocJgKV/0bqGfL5IH8NG3Ip.NieqkRS"


def foreign(prefix="fk"):
    return prefix + "-" + "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=30))


def by_header(gateway, key, target=ORDERS):
    return gateway.ask("GET", target, [("X-API-Key", key)])


def write(gateway, name, text):
    path = gateway.path(name)
    with open(path, "w") as f:
        f.write(text)
    return path


def write_csv(gateway, rows, name="keys.csv"):
    path = gateway.path(name)
    with open(path, "w", newline="") as f:
        writer = csv.DictWriter(f, list(dict.fromkeys(column for row in rows for column in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path


def run_import(gateway, kind, path, *arguments, tenant="acme"):
    """The report; also of an import that refused something."""
    try:
        text = gateway.cli("keys", "import", "--tenant", tenant, "--from", kind, path, "--json", *arguments)
    except CommandError as failed:
        text = failed.out
        assert text, failed
    return json.loads(text)


def statuses(report):
    return {name: report[name] for name in ("imported", "already_there", "refused", "skipped")}


def works(gateway, key):
    return by_header(gateway, key).status == 200


def test_kong_keys_work_as_they_are(system):
    gateway = system()
    alice, bob = foreign(), foreign()
    path = write(gateway, "kong.yaml", KONG.format(alice=alice, bob=bob))
    report = run_import(gateway, "kong", path, "--group-scopes", "readers=orders:read", "--scopes", "reports:read")
    assert statuses(report) == {"imported": 2, "already_there": 0, "refused": 1, "skipped": 0}
    refused = report["rows"][2]
    assert refused["line"] == 14 and "too short" in refused["reason"] and "tiny" not in refused["reason"], refused
    assert wait_until(lambda: works(gateway, alice), 2), "not within two seconds"
    answer = by_header(gateway, bob)
    assert answer.status == 403 and answer.json()["required_scopes"] == ["orders:read"]
    shown = gateway.cli_json("keys", "show", report["rows"][0]["key_id"])
    assert shown["last4"] == alice[-4:] and shown["external_id"] == "4d924084-1adb-40a5-c042-63b19db421d1"
    assert shown["metadata"]["kong"] == {"consumer": "alice", "groups": ["readers"], "tags": ["team-a"]}


def test_apisix_keys_work_as_they_are(system):
    gateway = system()
    jack = foreign()
    dump = {"total": 2, "list": [
        {"key": "/apisix/consumers/jack", "value": {"username": "jack", "plugins": {"key-auth": {"key": jack}}}},
        {"key": "/apisix/consumers/jane", "value": {"username": "jane", "plugins": {"jwt-auth": {"key": "x", "secret": "y"}}}}]}
    path = write(gateway, "consumers.json", json.dumps(dump))
    report = run_import(gateway, "apisix", path, "--scopes", "orders:read")
    assert statuses(report) == {"imported": 1, "already_there": 0, "refused": 0, "skipped": 1}
    assert wait_until(lambda: works(gateway, jack), 2)
    assert gateway.ask("GET", ORDERS, wire.bearer(jack)).status == 200


def test_csv_keys_plain_hashed_and_salted(system):
    gateway = system()
    plain, hashed, other = foreign(), foreign(), foreign()
    salted = "ident7.the-secret-part"
    rows = [{"name": "plain, and \"quoted\"", "key": plain, "scopes": "orders:read"},
            {"name": "hashed", "key_hash": hashlib.sha256(hashed.encode()).hexdigest(), "hash_algorithm": "sha256", "last4": hashed[-4:]},
            {"name": "sha1", "key_hash": hashlib.sha1(other.encode()).hexdigest(), "hash_algorithm": "sha1"},
            {"name": "salted", "key_hash": BCRYPT_OF_SALTED, "hash_algorithm": "bcrypt", "key_prefix": "ident7."},
            {"name": "lost", "key_hash": BCRYPT_OF_SALTED, "hash_algorithm": "bcrypt"}]
    report = run_import(gateway, "csv", write_csv(gateway, rows), "--scopes", "orders:read")
    assert statuses(report) == {"imported": 4, "already_there": 0, "refused": 1, "skipped": 0}
    assert report["rows"][4]["line"] == 6 and "nothing says which key" in report["rows"][4]["reason"]
    for key in (plain, hashed, other, salted):
        assert wait_until(lambda: works(gateway, key), 2), key
        assert by_header(gateway, key + "x").status == 401
    assert by_header(gateway, "ident7.wrong").status == 401
    assert gateway.metric("portcullis_hash_runs_total") <= 4 + 2, "one for each key, and those guesses that the salted one's prefix let in"


def test_a_rehearsal_writes_nothing_and_a_second_run_does_nothing(system):
    gateway = system()
    rows = [{"name": f"key {i}", "key": foreign()} for i in range(5)] + [{"name": "", "key": foreign()}]
    path = write_csv(gateway, rows)
    rehearsed = run_import(gateway, "csv", path, "--scopes", "orders:read", "--dry-run")
    assert rehearsed["dry_run"] is True and statuses(rehearsed) == {"imported": 5, "already_there": 0, "refused": 1, "skipped": 0}
    assert gateway.cli_json("keys", "list", "--tenant", "acme")["data"] == []
    assert by_header(gateway, rows[0]["key"]).status == 401
    first = run_import(gateway, "csv", path, "--scopes", "orders:read")
    assert statuses(first) == statuses(rehearsed)
    again = run_import(gateway, "csv", path, "--scopes", "orders:read")
    assert statuses(again) == {"imported": 0, "already_there": 5, "refused": 1, "skipped": 0}
    assert [row["key_id"] for row in again["rows"]] == [row["key_id"] for row in first["rows"]]
    assert len(gateway.cli_json("keys", "list", "--tenant", "acme")["data"]) == 5


def test_an_imported_key_lives_and_ends_like_any(system):
    gateway = system()
    key = foreign()
    report = run_import(gateway, "csv", write_csv(gateway, [{"name": "a", "key": key}]), "--scopes", "orders:read")
    key_id = report["rows"][0]["key_id"]
    assert wait_until(lambda: works(gateway, key), 2)
    assert gateway.api("POST", f"/api-keys/{key_id}/disable").status == 200
    assert by_header(gateway, key).json()["code"] == "key_disabled"
    assert gateway.api("POST", f"/api-keys/{key_id}/enable").status == 200
    renewed = gateway.api("POST", f"/api-keys/{key_id}/regenerate", {"overlap": "1h"}).json()
    assert renewed["key_id"] == key_id and renewed["key"].startswith("pc_live_" + key_id)
    assert works(gateway, key) and works(gateway, renewed["key"])
    assert gateway.api("DELETE", f"/api-keys/{key_id}").status == 200
    assert by_header(gateway, key).status == 401 and by_header(gateway, renewed["key"]).status == 401
    again = run_import(gateway, "csv", gateway.path("keys.csv"), "--scopes", "orders:read")
    assert again["rows"][0]["status"] == "refused" and "revoked" in again["rows"][0]["reason"]
    assert not works(gateway, key)


def test_a_foreign_bearer_beside_a_key_is_the_upstreams_own(system, upstream):
    gateway = system(upstream=upstream)
    key, token = foreign(), foreign("upstreams-token")
    run_import(gateway, "csv", write_csv(gateway, [{"name": "a", "key": key}]), "--scopes", "orders:read")
    assert wait_until(lambda: gateway.ask("GET", "/guarded/a", [("X-API-Key", key)]).status == 200, 2)
    assert upstream.requests[-1].get("X-API-Key") is None, "the credential is stripped"
    answer = gateway.ask("GET", "/guarded/b", [("X-API-Key", key), *wire.bearer(token)])
    assert answer.status == 200
    assert upstream.requests[-1].get("Authorization") == f"Bearer {token}"
    assert gateway.ask("GET", "/guarded/c", wire.bearer(key)).status == 200
    assert upstream.requests[-1].get("Authorization") is None


def test_no_text_of_a_key_is_printed_or_stored(system):
    gateway = system()
    keys = [foreign() for _ in range(3)]
    path = write_csv(gateway, [{"name": "a", "key": keys[0]}, {"name": "", "key": keys[1]}, {"name": "b", "key": keys[0]}], "in.csv")
    done = [run_import(gateway, "csv", path, "--scopes", "orders:read", *more) for more in ((), ("--dry-run",))]
    assert wait_until(lambda: works(gateway, keys[0]), 2)
    by_header(gateway, keys[2])
    gateway.terminate()
    texts = [json.dumps(done).encode(), gateway.logs().encode()]
    for name in ("portcullis.db", "portcullis.db-wal"):
        try:
            with open(gateway.path("data", name), "rb") as f:
                texts.append(f.read())
        except FileNotFoundError:
            pass
    for key in keys:
        for wanted in (key.encode(), hashlib.sha256(key.encode()).digest(), hashlib.sha256(key.encode()).hexdigest().encode()):
            assert not any(wanted in text for text in texts)


@pytest.mark.parametrize("point", ["import.reserved", "import.vault_written", "import.activated"])
def test_an_import_that_is_killed_is_finished_by_the_next(system, point):
    gateway = system()
    keys = [foreign() for _ in range(3)]
    path = write_csv(gateway, [{"name": f"key {i}", "key": key} for i, key in enumerate(keys)])
    arguments = ("keys", "import", "--tenant", "acme", "--from", "csv", path, "--scopes", "orders:read")
    with pytest.raises(CommandError) as killed:
        gateway.cli(*arguments, environment={"PORTCULLIS_CRASH_AT": point})
    assert killed.value.code == -9
    is_done = point == "import.activated"
    assert len(gateway.cli_json("keys", "list", "--tenant", "acme")["data"]) == (3 if is_done else 0)
    report = run_import(gateway, "csv", path, "--scopes", "orders:read")
    assert report["already_there" if is_done else "imported"] == 3
    assert all(wait_until(lambda: works(gateway, key), 2) for key in keys)


def test_what_is_wrong_with_the_command_is_said(system):
    gateway = system(start=False, demo=False)
    path = write_csv(gateway, [{"name": "a", "key": foreign()}])
    for arguments, expected in [((path, "--tenant", "nobody", "--from", "csv"), "no tenant 'nobody'"),
                                ((gateway.path("missing.csv"), "--tenant", "acme", "--from", "csv"), "cannot read"),
                                ((path, "--tenant", "acme", "--from", "kong"), "_format_version"),
                                ((path, "--tenant", "acme", "--from", "apisix"), "not JSON")]:
        with pytest.raises(CommandError) as failed:
            gateway.cli("keys", "import", *arguments)
        assert failed.value.code == 1 and expected in failed.value.err
