"""Limits of a fleet on one Redis: never more than the limit over all nodes, few commands, and Redis outages that are
nobody else's."""
import threading
import time

import pytest

from limit_fleet import COMMAND_TIMEOUT, Fleet, limit_times, quantile, since
from ratelimit import worst_window
from redis_server import RedisServer
from system import route, wait_until
from upstreams import OK, answer

ORDERS, FORBIDDEN = "/v1/orders", "/v1/reports/x"
RATE, BURST, SECONDS = 500, 500, 20


@pytest.fixture
def redis(tmp_path):
    server = RedisServer(tmp_path)
    yield server
    if server.process is not None:
        server.resume()
    server.stop()


def limited(*limits):
    def change(config):
        next(r for r in config["routes"] if r["id"] == "orders-read")["limits"] = list(limits)
    return change


def bucket(**more):
    return {"name": "orders", "rate": f"{RATE}/s", "burst": BURST, "per": "key", **more}


def scripts_run(redis):
    calls = redis.calls()
    return calls.get("evalsha", 0) + calls.get("eval", 0)


def run_clients(fleet, load, tmp_path, seconds, connections=100):
    return [load(node.port, ORDERS, log=tmp_path / f"responses{i}", closed=True, connections=connections,
                 seconds=seconds, header=[fleet.field]) for i, node in enumerate(fleet.nodes)]


def test_two_nodes_share_one_counter(system, redis):
    fleet = Fleet(system, redis.url, 2, limited(bucket(rate="1/h", burst=3)), command_timeout="2s")
    statuses = [node.ask("GET", ORDERS, [("X-API-Key", fleet.key)]).status for node in fleet.nodes * 3]
    assert statuses == [200, 200, 200, 429, 429, 429]


def test_no_key_in_redis_names_or_holds_a_secret(system, redis):
    fleet = Fleet(system, redis.url, 1, limited(bucket(), {"name": "day", "quota": "1000/d"},
                                                {"name": "at-once", "concurrency": 5}), command_timeout="2s")
    assert fleet.nodes[0].ask("GET", ORDERS, [("X-API-Key", fleet.key)]).status == 200
    keys = redis.ask("KEYS", "*")
    assert len(keys) == 3, keys
    for name in keys:
        assert name.startswith("portcullis:l1:{") and redis.ask("PTTL", name) > 0
        text = name + (redis.ask("GET", name) or "")
        assert fleet.key not in text and fleet.key_id not in text and "acme" not in text


def test_quota_is_shared_and_survives_the_nodes(system, redis):
    fleet = Fleet(system, redis.url, 2, limited({"name": "day", "quota": "10/d"}), command_timeout="2s")
    ask = lambda node: node.ask("GET", ORDERS, [("X-API-Key", fleet.key)]).status
    assert [ask(node) for node in fleet.nodes * 2] == [200] * 4
    assert fleet.nodes[0].terminate() == 0
    fleet.nodes[0].start()
    assert [ask(node) for node in fleet.nodes * 4] == [200] * 6 + [429] * 2


def test_concurrency_is_counted_over_the_nodes_and_a_lost_client_frees_its_slot(system, redis, upstream):
    gate = threading.Event()

    def hold(connection, _):
        gate.wait(20)
        connection.send(OK)
        return True

    def change(config):
        next(r for r in config["routes"] if r["id"] == "guarded")["limits"] = [{"name": "at-once", "concurrency": 2}]
        config["upstreams"]["scripted"] = {"targets": [f"http://127.0.0.1:{upstream.port}"]}
    upstream.behave = hold
    fleet = Fleet(system, redis.url, 2, change, command_timeout="2s")
    first, second = fleet.nodes
    key = [("X-API-Key", fleet.key)]
    with first.client() as one, second.client() as two:
        one.send(b"GET /guarded/a HTTP/1.1\r\nHost: x\r\nX-API-Key: " + fleet.key.encode() + b"\r\n\r\n")
        two.send(b"GET /guarded/b HTTP/1.1\r\nHost: x\r\nX-API-Key: " + fleet.key.encode() + b"\r\n\r\n")
        assert wait_until(lambda: len(upstream.requests) == 2)
        assert first.ask("GET", "/guarded/c", key).status == 429
        refused = second.ask("GET", "/guarded/c", key)
        assert refused.status == 429 and refused.json()["violated-policies"] == ["at-once"]
        assert refused.one("RateLimit-Policy") == '"at-once";q=2;qu="concurrent-requests"'
        assert refused.one("RateLimit") == '"at-once";r=0' and not refused.all("X-RateLimit-Limit")
        assert int(refused.one("Retry-After")) == 1
    # Both clients have gone: their slots are free on both nodes.
    gate.set()
    upstream.behave = answer(OK)
    for node in fleet.nodes:
        assert wait_until(lambda: node.ask("GET", "/guarded/d", key).status == 200)


@pytest.mark.long
@pytest.mark.measured
@pytest.mark.parametrize("killed", [0, 2])
def test_no_window_of_four_nodes_and_400_clients_admits_more(system, redis, load, tmp_path, killed):
    """Acceptance line 2."""
    fleet = Fleet(system, redis.url, 4, limited(bucket()))
    fleet.warm(FORBIDDEN)
    before = scripts_run(redis)
    runs = run_clients(fleet, load, tmp_path, SECONDS)
    if killed:
        time.sleep(SECONDS / 2)
        for node in fleet.nodes[:killed]:
            node.kill()
            node.expected_exit = node.serve.returncode
    summaries = [run.result() for run in runs]
    calls = scripts_run(redis) - before
    responses = [response for run in runs for response in run.responses()]
    admitted = [(sent, received) for sent, received, status in responses if status == 200]
    assert {status for _, _, status in responses} == {200, 429}
    length = (max(r for _, r, _ in responses) - min(s for s, _, _ in responses)) / 1e9
    allowed = BURST + RATE * length
    worst = worst_window(admitted, RATE, BURST)
    print(f"{len(responses)} responses, {len(admitted)} admitted of {allowed:.0f}, worst window {worst:+.1f}, {calls} commands, "
          f"{calls / len(admitted):.3f} per admitted request")
    assert worst <= 0, f"some window admitted {worst:.2f} more than {BURST} + {RATE}·T"
    assert calls * 10 <= len(responses), f"{calls} commands for {len(responses)} requests"
    if not killed:
        assert not any(any(s["failures"].values()) for s in summaries), summaries
        assert len(admitted) >= 0.97 * allowed, f"{len(admitted)} of {allowed:.0f} allowed"


class Outage:
    """How Redis fails, and comes back."""

    def __init__(self, kind, redis, proxy):
        self.kind, self.redis, self.proxy = kind, redis, proxy

    def begin(self):
        if self.kind == "stopped":
            self.redis.stop()
        elif self.kind == "paused":
            self.redis.pause()
        elif self.kind == "slowed":
            self.proxy.delay = 0.1
        else:
            self.redis.restart_empty()

    def end(self):
        if self.kind == "stopped":
            self.redis.start()
        elif self.kind == "paused":
            self.redis.resume()
        elif self.kind == "slowed":
            self.proxy.delay = 0.0


# mode: (rate and burst of the policy, requests a second)
MODES = {"local": (200, 400), "open": (100, 200), "closed": (1000, 300)}


@pytest.mark.long
@pytest.mark.measured
@pytest.mark.parametrize("kind", ["stopped", "paused", "slowed", "restarted empty"])
def test_redis_outage(system, redis, load, tmp_path, kind):
    """Acceptance line 3, all three modes at once."""
    def change(config):
        for mode, (rate, _) in MODES.items():
            config["routes"].append(route(mode, f"/echo/{mode}", limits=[
                {"name": mode, "rate": f"{rate}/s", "burst": rate, "per": "route", "on_outage": mode}]))
    with redis.slowed(0.0) as proxy:
        fleet = Fleet(system, f"redis://127.0.0.1:{proxy.port}", 1, change)
        gateway = fleet.nodes[0]
        for mode in MODES:
            assert gateway.ask("GET", f"/echo/{mode}").status == 200
        before = limit_times(gateway.metrics())
        runs = {mode: load(gateway.port, f"/echo/{mode}", log=tmp_path / mode, rate=asked, connections=16, seconds=14)
                for mode, (_, asked) in MODES.items()}
        outage = Outage(kind, redis, proxy)
        time.sleep(4)
        begun = time.monotonic_ns()
        outage.begin()
        degraded = kind == "restarted empty" or wait_until(lambda: gateway.metric("portcullis_limiter_degraded") == 1, 3)
        time.sleep(5)
        ended = time.monotonic_ns()
        outage.end()
        recovered = wait_until(lambda: gateway.metric("portcullis_limiter_degraded") == 0, 5)
        for run in runs.values():
            run.result()
        times = since(before, limit_times(gateway.metrics()))
    assert degraded and recovered
    responses = {mode: run.responses() for mode, run in runs.items()}
    inside = {mode: [status for sent, received, status in some if sent > begun + 1.5e9 and received < ended - 0.1e9]
              for mode, some in responses.items()}
    after = {mode: [status for sent, _, status in some if sent > ended + 3e9] for mode, some in responses.items()}
    p999 = quantile(times, 0.999)
    print(kind, "p99.9", p999, {mode: {s: statuses.count(s) for s in set(statuses)} for mode, statuses in inside.items()})
    assert p999 <= COMMAND_TIMEOUT + 0.005, times
    assert all(statuses for statuses in after.values())

    rate, _ = MODES["local"]
    admitted = [(sent, received) for sent, received, status in responses["local"] if status == 200]
    assert worst_window(admitted, rate, rate) <= rate, "more than one burst at the switch"
    assert set(inside["local"]) == {200, 429}
    seconds = (ended - begun - 1.6e9) / 1e9
    if kind != "restarted empty":
        assert inside["local"].count(200) <= rate * seconds + 0.05 * rate
        assert set(inside["open"]) == {200} and set(inside["closed"]) == {503}
    assert after["local"].count(200) >= 0.8 * rate * (len(after["local"]) / MODES["local"][1])
    assert 200 in after["closed"] and 503 not in after["closed"]
    assert 429 in after["open"], "what was admitted meanwhile is charged, and the limit holds again"
    logs = gateway.logs()
    assert logs.count('"limiter.degraded"') == logs.count('"limiter.recovered"') <= 1, logs[-3000:]
    if kind != "restarted empty":
        assert '"limiter.degraded"' in logs
