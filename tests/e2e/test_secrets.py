"""Nothing that the system writes holds a secret that it issued (acceptance line 10)."""
import base64
import os
import re
import urllib.parse

import pytest

import keytext
import wire
from system import CommandError, route, wait_until

ORDERS = "/v1/orders"
FOREIGN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXRva2VuLW9mLWFub3RoZXI.c2lnbmF0dXJl"


def spellings(secret):
    """How a secret may have been written down."""
    texts = {secret}
    if keytext.SHAPE.match(secret):
        texts.add(keytext.secret_of(secret))
        texts.add(secret[secret.rindex("_") + 1:])
    for text in list(texts):
        raw = text.encode()
        texts.add(raw.hex())
        texts.add(urllib.parse.quote(text))
        for shift in range(3):  # base64 of it within something longer
            coded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
            texts.add(coded[4 if shift else 0:-2])
    return {text.encode() for text in texts if len(text) >= 16}


def everything_written(gateway):
    """(path, bytes) of every file in the system's folder but its configuration, and of /tmp files it made."""
    for folder, _, files in os.walk(gateway.directory):
        for name in files:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                yield path, f.read()


def exercise(gateway, upstream):
    made = [gateway.create_key(), gateway.create_key("orders:read,orders:write"), gateway.api_create(),
            gateway.api_create(scopes=["platform:keys"]), gateway.api_create(environment="test")]
    new = gateway.api("POST", f"/api-keys/{made[0]['key_id']}/regenerate", {"overlap": "1h"}).json()
    new_cli = gateway.cli_json("keys", "regenerate", made[1]["key_id"])
    gateway.secrets.append(new_cli["key"])
    replay = [("Idempotency-Key", "once")]
    body = {"name": "twice", "tenant": "acme", "scopes": ["orders:read"]}
    assert gateway.api("POST", "/api-keys", body, replay).status == 201
    again = gateway.api("POST", "/api-keys", body, replay)
    assert again.status == 201 and again.json()["key"] is None and again.json()["key_available"] is False
    for key in [m["key"] for m in made] + [new["key"], new_cli["key"]]:
        use_in_every_way(gateway, key)
    gateway.secrets.append(FOREIGN)
    gateway.ask("GET", "/guarded/x", wire.api_key(made[1]["key"]) + wire.bearer(FOREIGN))
    gateway.api("GET", "/api-keys?tenant=acme", key=made[3]["key"])
    gateway.api("GET", f"/api-keys/{made[0]['key']}")  # a secret where an id belongs
    gateway.api("POST", "/api-keys", {"name": made[0]["key"] * 3, "scopes": made[0]["key"], "nonsense": made[0]["key"]})
    for verb in ("show", "revoke", "regenerate", "disable"):  # the same on the command line
        with pytest.raises(CommandError) as refused:
            gateway.cli("keys", verb, made[0]["key"])
        assert made[0]["key"] not in refused.value.out + refused.value.err
    gateway.cli("keys", "disable", made[1]["key_id"])
    gateway.cli("keys", "revoke", made[2]["key_id"])
    gateway.ask("GET", ORDERS, wire.bearer(made[1]["key"]))
    gateway.ask("GET", "/dead/x", wire.bearer(made[0]["key"]))
    upstream.behave = lambda connection, request: False
    gateway.ask("GET", "/guarded/x", wire.bearer(new["key"]))


def use_in_every_way(gateway, key):
    for fields in (wire.bearer(key), wire.api_key(key), wire.bearer(key) + wire.api_key(key), wire.bearer(keytext.misspelt(key)),
                   [("Authorization", f"Basic {key}")], [("Cookie", f"key={key}")], [("X-Request-Id", key)],
                   [("traceparent", key)], [("User-Agent", "curl/8")]):
        gateway.ask("GET", ORDERS, fields)
        gateway.ask("GET", "/guarded/x", fields)
    gateway.ask("POST", ORDERS, wire.bearer(key), b"{}")
    gateway.ask("GET", f"/echo/{key}")
    gateway.ask("GET", f"/nowhere/{key}/x?{key}")
    gateway.ask("GET", f"/query/x?api_key={key}")
    gateway.ask("GET", f"/query/x?API_KEY={key}&api_key={keytext.misspelt(key)}")
    gateway.ask("GET", f"{ORDERS}?api_key={key}&token={key}")
    with gateway.client() as client:  # a head that is refused with a key in it
        client.send(f"GET {ORDERS} HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nX-API-Key : {key}\r\n\r\n".encode())
        assert client.read().status == 400


def test_nothing_written_holds_an_issued_secret(system, upstream):
    def change(config):
        config["routes"].append(route("query", "/query/**", scopes=["orders:read"], credentials=["query:api_key"]))
        config["log"]["level"] = "debug"
        config["gateway"]["failed_attempts"] = {"per_ip": "10000/m", "per_ip_and_key": "10000/m"}
    gateway = system(change, upstream)
    exercise(gateway, upstream)
    metrics = wire.ask(gateway.admin_port, "GET", "/metrics").body
    assert wait_until(lambda: gateway.access_log(), 3)
    assert gateway.terminate() == 0
    written = [(path, data) for path, data in everything_written(gateway)] + [("/metrics", metrics)]
    assert any(path.endswith("serve.log") and data for path, data in written)
    assert any(path.endswith("portcullis.db") and data for path, data in written)
    assert len(gateway.secrets) >= 9
    for secret in gateway.secrets:
        for text in spellings(secret):
            for path, data in written:
                at = data.find(text)
                assert at < 0, f"{path} holds a secret as {text[:6].decode()}...: {re.sub(rb'[^ -~]', b'.', data[max(0, at - 120):at])!r}"


def test_hashes_lie_in_the_secret_store_alone(system):
    gateway = system()
    gateway.ask("GET", ORDERS, wire.bearer(gateway.create_key()["key"]))
    assert gateway.terminate() == 0
    for path, data in everything_written(gateway):
        assert b"$2b$" not in data and b"$2y$" not in data, f"{path} holds a bcrypt hash in the clear"


def test_files_that_hold_secrets_are_the_owners_alone(system):
    gateway = system()
    gateway.create_key()
    for folder, _, files in os.walk(gateway.path("data")):
        for name in files:
            mode = os.stat(os.path.join(folder, name)).st_mode & 0o777
            assert mode & 0o077 == 0, f"{name} is {mode:o}"


def test_core_dumps_are_off(system):
    gateway = system(tenant=None)
    with open(f"/proc/{gateway.serve.pid}/limits") as f:
        limit = next(line for line in f if line.startswith("Max core file size"))
    assert limit.split()[4] == "0"


def test_a_key_is_printed_once_and_never_shown_again(system):
    gateway = system()
    made = gateway.create_key()
    for text in (gateway.cli("keys", "list", "--tenant", "acme", "--json"), gateway.cli("keys", "show", made["key_id"], "--json"),
                 gateway.api("GET", f"/api-keys/{made['key_id']}").body.decode(), gateway.api("GET", "/api-keys?tenant=acme").body.decode()):
        assert made["key_id"] in text
        assert made["key"] not in text and keytext.secret_of(made["key"]) not in text
