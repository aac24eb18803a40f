"""Limits of requests under way at once, in memory: a slot is held until the request ends, however it ends."""
import threading

import pytest

import wire
from problems import check_problem
from system import wait_until
from upstreams import OK, answer, answer_and_close


def at_once(limit, **more):
    def change(config):
        next(r for r in config["routes"] if r["id"] == "guarded")["limits"] = [{"name": "at-once", "concurrency": limit, **more}]
    return change


class Held:
    """An upstream that answers when it is let."""

    def __init__(self, upstream):
        self.upstream, self.gate = upstream, threading.Event()
        upstream.behave = self.behave

    def behave(self, connection, request):
        if "held" not in request.target:
            return answer(OK)(connection, request)
        self.gate.wait(20)
        return answer(OK)(connection, request)

    def wait_for(self, count):
        held = lambda: sum("held" in request.target for request in self.upstream.requests)
        assert wait_until(lambda: held() == count)


@pytest.fixture
def held(upstream):
    one = Held(upstream)
    yield one
    one.gate.set()


def send(client, key, target="/guarded/held"):
    client.send(wire.compose("GET", target, wire.bearer(key)))


def test_one_more_than_the_limit_is_refused_until_one_has_ended(system, upstream, held):
    gateway = system(at_once(2), upstream, demo=False)
    key = gateway.create_key()["key"]
    with gateway.client() as one, gateway.client() as two:
        send(one, key)
        send(two, key)
        held.wait_for(2)
        response = gateway.ask("GET", "/guarded/x", wire.bearer(key))
        document = check_problem(response, 429, "over_limit", "/guarded/x")
        assert document["violated-policies"] == ["at-once"] and response.one("Retry-After") == "1"
        assert response.one("RateLimit-Policy") == '"at-once";q=2;qu="concurrent-requests"'
        assert response.one("RateLimit") == '"at-once";r=0' and not response.all("X-RateLimit-Limit")
        other = gateway.create_key()["key"]
        assert gateway.ask("GET", "/guarded/x", wire.bearer(other)).status == 200, "another key has slots of its own"
        held.gate.set()
        assert one.read().status == two.read().status == 200
        response = gateway.ask("GET", "/guarded/x", wire.bearer(key))
        assert response.status == 200 and response.one("RateLimit") == '"at-once";r=1'


def test_client_that_leaves_gives_its_slot_back(system, upstream, held):
    gateway = system(at_once(1), upstream, demo=False)
    key = gateway.create_key()["key"]
    with gateway.client() as one:
        send(one, key)
        held.wait_for(1)
        assert gateway.ask("GET", "/guarded/x", wire.bearer(key)).status == 429
    held.gate.set()
    assert wait_until(lambda: gateway.ask("GET", "/guarded/x", wire.bearer(key)).status == 200)


def test_slot_is_free_after_every_kind_of_end(system, upstream):
    gateway = system(at_once(1), upstream, demo=False)
    key = gateway.create_key()["key"]
    ask = lambda: gateway.ask("GET", "/guarded/x", wire.bearer(key)).status
    for behave, status in ((answer(OK), 200), (answer_and_close(OK), 200), (answer_and_close(b"nonsense\r\n\r\n"), 502),
                           (answer_and_close(b""), 502), (answer(b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n"), 500)):
        upstream.behave = behave
        for _ in range(3):
            assert ask() == status
    upstream.behave = answer(OK)
    assert ask() == 200


def test_shadow_mode_counts_and_lets_pass(system, upstream, held):
    gateway = system(at_once(1, enforce=False), upstream, demo=False)
    key = gateway.create_key()["key"]
    with gateway.client() as one:
        send(one, key)
        held.wait_for(1)
        assert gateway.ask("GET", "/guarded/x", wire.bearer(key)).status == 200
        assert gateway.metric("portcullis_rate_limited_shadow_total") == 1
        held.gate.set()
        assert one.read().status == 200


def test_explain_and_check_know_the_kind(system):
    gateway = system(at_once(3), start=False)
    assert "3 at once" in gateway.cli("explain", "GET", "http://x/guarded/x", "--scopes", "orders:read")
