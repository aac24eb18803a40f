"""A process as one of a fleet: it is known while it runs, acknowledges changes, says in the answer to a revocation who
has applied it, and ends what an ended key has open."""
import datetime
import sqlite3
import subprocess
import threading
import time

import pytest

import wire
from system import route, wait_until

ORDERS = "/v1/orders"
SOON = 5.0  # DESIGN.md section 5: the open streams of an ended key are closed within five seconds


def guard_streams(config):
    """Keys are needed for the demo API's long responses and uploads."""
    paths = {"drip": "/drip", "hash": "/hash", "bytes": "/bytes/**"}
    config["routes"] = [r for r in config["routes"] if r["id"] not in paths]
    config["routes"] += [route(name, path, scopes=["orders:read"]) for name, path in paths.items()]


@pytest.fixture
def gateway(system):
    return system()


@pytest.fixture
def streaming(system):
    return system(guard_streams)


def rows(gateway, query):
    with sqlite3.connect(f"file:{gateway.path('data', 'portcullis.db')}?mode=ro", uri=True) as database:
        return database.execute(query).fetchall()


def in_seconds(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


# A node and its acknowledgements.

def test_node_is_known_while_it_runs_and_forgotten_when_it_ends(gateway):
    [(node, data, admin, applied)] = rows(gateway, "SELECT node, serves_data, serves_admin, applied FROM nodes")
    assert node.startswith("node-") and len(node) == 17 and (data, admin) == (1, 1)
    assert gateway.metric("portcullis_nodes_alive") == 1
    seen = lambda: rows(gateway, "SELECT seen_at, applied FROM nodes")[0]
    first = seen()
    gateway.create_key()
    assert wait_until(lambda: seen()[0] > first[0] and seen()[1] > applied, 3), "it beats"
    assert gateway.terminate() == 0
    assert rows(gateway, "SELECT count(*) FROM nodes") == [(0,)]


def test_node_that_was_killed_is_waited_for_by_nobody_once_the_next_one_runs(gateway):
    key = gateway.create_key()
    gateway.kill()
    gateway.start()
    started = time.monotonic()
    answer = gateway.api("DELETE", f"/api-keys/{key['key_id']}").json()["propagation"]
    assert len(answer["applied"]) == 1 and answer["pending"] == []
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("way", ["DELETE", "POST revoke", "POST disable"])
def test_answer_names_the_nodes_that_act_upon_it_and_from_then_on_they_do(gateway, way):
    method, _, verb = way.partition(" ")
    for _ in range(10):
        key = gateway.create_key()
        assert gateway.ask("GET", ORDERS, wire.bearer(key["key"])).status == 200
        before = gateway.api("GET", f"/api-keys/{key['key_id']}").json()
        answer = gateway.api(method, f"/api-keys/{key['key_id']}" + (f"/{verb}" if verb else ""))
        # Not a moment later: the node has acknowledged.
        assert {gateway.ask("GET", ORDERS, wire.bearer(key["key"])).status for _ in range(8)} == {401}
        shown = answer.json()
        propagation = shown.pop("propagation")
        assert propagation["applied"] == [name for (name,) in rows(gateway, "SELECT node FROM nodes")]
        assert propagation["pending"] == []
        assert propagation["certain_at"] <= in_seconds(2)
        assert shown.keys() == before.keys()


def test_suspension_says_so_too(gateway):
    gateway.create_key()
    assert len(gateway.api("POST", "/tenants/acme/suspend").json()["propagation"]["applied"]) == 1
    assert "propagation" not in gateway.api("POST", "/tenants/acme/resume").json()


def test_command_line_says_which_nodes_act_upon_it(system):
    gateway = system()
    first, second = gateway.create_key(), gateway.create_key()
    revoked = gateway.cli_json("keys", "revoke", first["key_id"])
    assert len(revoked["propagation"]["applied"]) == 1 and revoked["propagation"]["pending"] == []
    assert "applied by 1 nodes" in gateway.cli("keys", "disable", second["key_id"])
    assert gateway.terminate() == 0
    nobody = gateway.cli_json("keys", "revoke", second["key_id"])
    assert nobody["propagation"]["applied"] == nobody["propagation"]["pending"] == []


def test_delay_is_measured_until_all_workers_have_applied_the_change(gateway):
    key = gateway.create_key()
    assert wait_until(lambda: gateway.metric("portcullis_change_applied_total") >= 1, 3)
    before = gateway.metric("portcullis_change_delay_seconds_count")
    gateway.api("DELETE", f"/api-keys/{key['key_id']}")
    metrics = gateway.metrics()
    assert metrics["portcullis_change_delay_seconds_count"] == before + 1
    assert metrics["portcullis_change_acknowledged_seconds_count"] >= 1
    assert metrics["portcullis_changes_unacknowledged"] == 0
    assert 0 < metrics["portcullis_change_acknowledged_seconds_sum"] < 5


# What an ended key has open.

def end(gateway, key, way):
    path = f"/api-keys/{key['key_id']}"
    {
        "DELETE": lambda: gateway.api("DELETE", path),
        "disable": lambda: gateway.api("POST", path + "/disable"),
        "command line": lambda: gateway.cli("keys", "revoke", key["key_id"]),
        "suspend": lambda: gateway.api("POST", "/tenants/acme/suspend"),
        "regenerate": lambda: gateway.api("POST", path + "/regenerate", {"overlap": "0s"}),
        "expiry": lambda: gateway.patch(key["key_id"], {"expires_at": in_seconds(2)}),
    }[way]()


CODES = {"disable": "key_disabled", "suspend": "key_disabled", "expiry": "key_expired"}


@pytest.mark.parametrize("way", ["DELETE", "disable", "command line", "suspend", "regenerate", "expiry"])
def test_long_response_of_an_ended_key_is_cut_and_does_not_look_whole(streaming, way):
    key, other = streaming.create_key(), streaming.create_key(tenant=streaming.add_tenant("globex"))
    with streaming.client() as cut, streaming.client() as whole:
        cut.request("GET", "/drip?count=1000&ms=50", wire.bearer(key["key"]))
        whole.request("GET", "/drip?count=60&ms=50", wire.bearer(other["key"]))
        assert cut.until(b"drip 3\n")
        started = time.monotonic()
        end(streaming, key, way)
        while cut.fill():
            pass
        assert time.monotonic() - started < SOON
        assert cut.was_reset and b"0\r\n\r\n" not in cut.buffer
        assert whole.read().body.endswith(b"drip 59\n"), "another key's response goes on"
    code = CODES.get(way, "invalid_key")
    assert wait_until(lambda: [e["status"] for e in streaming.access_log() if e.get("code") == code] == [200], 3)
    assert streaming.metric("portcullis_exchanges_cut_total") == 1
    usage = lambda: streaming.api("GET", f"/api-keys/{key['key_id']}/usage").json()["total"]["requests"]
    assert wait_until(lambda: usage() == 1, 3), "accounted, once"


@pytest.mark.parametrize("way", ["DELETE", "suspend"])
def test_long_upload_of_an_ended_key_is_refused_in_the_middle(streaming, way):
    key = streaming.create_key()
    with streaming.client() as client:
        client.send(wire.compose("POST", "/hash", [*wire.bearer(key["key"]), ("Transfer-Encoding", "chunked")]))
        client.send(b"5\r\nhello\r\n")
        time.sleep(0.3)
        started = time.monotonic()
        end(streaming, key, way)
        response = client.read("POST")
        assert time.monotonic() - started < SOON
        assert response.status == 401 and response.json()["code"] == CODES.get(way, "invalid_key")
        assert response.one("Connection").lower() == "close"


def test_request_that_waits_for_its_upstream_is_refused_when_its_key_ends(system):
    def slow_orders(config):
        config["routes"] = [r for r in config["routes"] if r["id"] != "slow"]
        config["routes"].append(route("slow", "/slow", scopes=["orders:read"]))
    gateway = system(slow_orders)
    key = gateway.create_key()
    with gateway.client() as client:
        client.request("GET", "/slow?ms=20000", wire.bearer(key["key"]))
        time.sleep(0.3)
        started = time.monotonic()
        end(gateway, key, "DELETE")
        assert client.read().status == 401
        assert time.monotonic() - started < SOON


def test_response_that_its_client_does_not_read_is_cut_too(streaming):
    key = streaming.create_key()
    with streaming.client() as client:
        client.request("GET", "/bytes/500000000", wire.bearer(key["key"]))
        assert wait_until(lambda: streaming.metric("portcullis_connections_open") == 1, 3)
        time.sleep(0.5)
        end(streaming, key, "DELETE")
        assert wait_until(lambda: streaming.metric("portcullis_connections_open") == 0, SOON)
        assert wait_until(lambda: streaming.metric("portcullis_upstream_connections_open") == 0, 2)


def test_key_that_was_issued_to_expire_ends_in_the_middle_of_its_response(streaming):
    key = streaming.create_key(expires="2s")
    with streaming.client() as client:
        started = time.monotonic()
        client.request("GET", "/drip?count=1000&ms=50", wire.bearer(key["key"]))
        with pytest.raises(wire.Truncated):
            client.read()
        assert time.monotonic() - started < 2 + 2


def test_changes_that_do_not_end_a_key_leave_its_responses_alone(streaming):
    key = streaming.create_key()
    with streaming.client() as client:
        client.request("GET", "/drip?count=60&ms=50", wire.bearer(key["key"]))
        assert client.until(b"drip 3\n")
        streaming.patch(key["key_id"], {"name": "another", "scopes": ["orders:write"]})
        streaming.api("POST", "/tenants/acme/resume")
        streaming.api("POST", f"/api-keys/{key['key_id']}/regenerate", {"overlap": "1h"})
        while b"drip 59\n" not in client.buffer:
            assert client.fill()
    assert streaming.metric("portcullis_exchanges_cut_total") == 0


def test_many_open_responses_of_one_key_are_all_cut(streaming):
    key = streaming.create_key()
    clients = [streaming.client() for _ in range(40)]
    try:
        for client in clients:
            client.request("GET", "/drip?count=1000&ms=100", wire.bearer(key["key"]))
        for client in clients:
            assert client.until(b"drip 1\n")
        started = time.monotonic()
        end(streaming, key, "DELETE")
        for client in clients:
            while client.fill():
                pass
        assert time.monotonic() - started < SOON
        assert all(client.was_reset for client in clients)
    finally:
        for client in clients:
            client.socket.close()
    assert wait_until(lambda: streaming.metric("portcullis_exchanges_cut_total") == 40, 2)
    assert streaming.ask("GET", "/hints").status == 200, "the gateway goes on"


def test_no_request_is_admitted_after_the_acknowledgement(gateway):
    """First uses and warm ones, on many connections, while the key is revoked: what is sent after the answer is
    refused, however long the verification of what was sent before takes."""
    for _ in range(8):
        key = gateway.create_key()
        answered, wrong = threading.Event(), []

        def use():
            while not stop.is_set():
                sent_after = answered.is_set()
                if gateway.ask("GET", ORDERS, wire.bearer(key["key"])).status == 200 and sent_after:
                    wrong.append(key["key_id"])
        stop = threading.Event()
        users = [threading.Thread(target=use) for _ in range(4)]
        for user in users:
            user.start()
        assert gateway.api("DELETE", f"/api-keys/{key['key_id']}").json()["propagation"]["pending"] == []
        answered.set()
        time.sleep(0.2)
        stop.set()
        for user in users:
            user.join()
        assert wrong == []


# Roles, scheduled work, management keys.

@pytest.mark.parametrize("role", ["gateway", "admin"])
def test_embedded_store_refuses_split_roles(system, role):
    gateway = system(start=False, demo=False, tenant=None)
    for command in (["serve", "--role", role], ["check", "--role", role]):
        done = subprocess.run([gateway.binary, *command, "--config", gateway.config_file], capture_output=True, text=True,
                              cwd=gateway.directory, env=gateway.environment, timeout=30)
        assert done.returncode == 1, command
        assert "--role all" in done.stdout + done.stderr
    assert gateway.cli("check", "--role", "all")


def test_scheduled_work_has_one_holder_whose_number_grows(gateway):
    lease = lambda: rows(gateway, "SELECT node, fence FROM leases")
    assert wait_until(lambda: len(lease()) == 1, 3)
    [(node, fence)] = lease()
    assert [(node,)] == rows(gateway, "SELECT node FROM nodes")
    gateway.kill()
    gateway.start()
    assert wait_until(lambda: lease()[0][1] > fence, 3), "the lease of a killed predecessor is not waited for"
    assert gateway.terminate() == 0


def test_management_key_opens_the_admin_api_and_nothing_else_until_it_is_revoked(gateway):
    key = gateway.api_create(["platform:keys:read"])
    ask = lambda text: gateway.api("GET", "/api-keys", key=text).status
    assert ask(key["key"]) == 200
    assert ask(key["key"]) == 200
    assert gateway.api("POST", "/api-keys", {"name": "n", "scopes": ["orders:read"]}, key=key["key"]).status == 403
    assert gateway.ask("GET", ORDERS, wire.bearer(key["key"])).status == 401
    plain = gateway.create_key()
    assert ask(plain["key"]) == 401
    assert len(gateway.api("DELETE", f"/api-keys/{key['key_id']}").json()["propagation"]["applied"]) == 1
    assert ask(key["key"]) == 401
