"""The second half of DESIGN.md section 4's table: requests that are too slow, too large, too odd or too many,
and upstreams that fail."""
import socket
import time

import pytest

import keytext
import wire
from problems import check_problem
from system import wait_until
from upstreams import never_answer

ORDERS = "/v1/orders"


@pytest.fixture
def gateway(system):
    return system()


# Too slow, too much, too odd.

def test_slow_head_is_408_and_closed(system):
    gateway = system(lambda c: c["gateway"].update(timeouts={"head": "1s"}), tenant=None)
    with gateway.client() as client:
        client.send(b"GET /bytes/1 HTTP/1.1\r\nHo")
        check_problem(client.read(), 408, "head_timeout")
        assert client.is_closed()


def test_head_that_trickles_is_408_too(system):
    gateway = system(lambda c: c["gateway"].update(timeouts={"head": "1s"}), tenant=None)
    with gateway.client() as client:
        began = time.monotonic()
        try:
            client.send(b"GET /bytes/1 HTTP/1.1\r\nHost: a\r\n")
            while time.monotonic() - began < 5:
                client.send(b"X: y\r\n")
                time.sleep(0.2)
        except OSError:
            pass
        assert time.monotonic() - began < 4


def test_slow_body_is_408_and_closed(system):
    gateway = system(lambda c: c["gateway"].update(timeouts={"body_idle": "1s"}), tenant=None)
    with gateway.client() as client:
        client.send(b"POST /hash HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        check_problem(client.read("POST"), 408, "body_timeout")
        assert client.is_closed()


def test_idle_connection_is_closed_without_an_answer(system):
    gateway = system(lambda c: c["gateway"].update(timeouts={"keep_alive": "1s"}), tenant=None)
    with gateway.client() as client:
        assert client.ask("GET", "/bytes/1").status == 200
        assert client.is_closed(within=4)


def test_announced_body_above_the_limit_is_413_before_it_is_sent(system):
    gateway = system(lambda c: c["gateway"].update(limits={"body_bytes": "10KiB"}), tenant=None)
    with gateway.client() as client:
        client.send(b"POST /hash HTTP/1.1\r\nHost: a\r\nContent-Length: 10241\r\nExpect: 100-continue\r\n\r\n")
        check_problem(client.read("POST"), 413, "body_too_large")
    assert gateway.ask("POST", "/hash", body=b"x" * 10240).status == 200


def test_chunked_body_that_grows_above_the_limit_is_413(system, upstream):
    gateway = system(lambda c: c["gateway"].update(limits={"body_bytes": "10KiB"}), upstream, tenant=None)
    with gateway.client() as client:
        client.send(wire.compose("POST", "/raw/x", [("Transfer-Encoding", "chunked")]))
        client.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        client.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        client.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        check_problem(client.read("POST"), 413, "body_too_large")
        assert client.is_closed()
    assert wait_until(lambda: upstream.incomplete == 1, 3), "a cut body must not look whole"


def test_route_may_allow_a_larger_body(system):
    def change(config):
        config["gateway"]["limits"] = {"body_bytes": "1KiB"}
        next(r for r in config["routes"] if r["id"] == "hash")["body_bytes"] = "1MiB"
    gateway = system(change, tenant=None)
    assert gateway.ask("POST", "/hash", body=b"x" * 100_000).status == 200
    assert gateway.ask("POST", "/echo/x", body=b"x" * 2000).status == 413


def test_target_too_long_is_414(gateway):
    with gateway.client() as client:
        check_problem(client.ask("GET", "/bytes/1?" + "q" * 10_000), 414, "target_too_long")
        assert client.is_closed()


def test_head_too_large_is_431(gateway):
    for fields in ([("X-A", "v" * 20_000)], [("X-A", "v" * 3000)] * 7, [(f"X-{i}", "v") for i in range(101)]):
        with gateway.client() as client:
            check_problem(client.ask("GET", "/bytes/1", fields), 431, "head_too_large")
            assert client.is_closed()


def test_unknown_expectation_is_417(gateway):
    check_problem(gateway.ask("POST", "/hash", [("Expect", "miracles")], b"x"), 417, "unknown_expectation")


def test_unknown_method_is_501(gateway):
    check_problem(gateway.ask("BREW", "/bytes/1"), 501, "unknown_method")


def test_unknown_transfer_coding_is_501(gateway):
    with gateway.client() as client:
        client.send(wire.compose("POST", "/hash", [("Transfer-Encoding", "gzip, chunked")]) + b"0\r\n\r\n")
        check_problem(client.read("POST"), 501, "unknown_coding")
        assert client.is_closed()


@pytest.mark.parametrize("version", ["HTTP/2.0", "HTTP/0.9", "HTTP/3.1"])
def test_unsupported_version_is_505(gateway, version):
    with gateway.client() as client:
        client.send(f"GET /bytes/1 {version}\r\nHost: a\r\n\r\n".encode())
        check_problem(client.read(), 505, "unsupported_version")
        assert client.is_closed()


# Too many.

def test_too_many_failed_attempts_are_429_and_a_warm_key_behind_the_same_address_works(system):
    gateway = system(lambda c: c["gateway"].update(failed_attempts={"per_ip": "5/m", "per_ip_and_key": "3/m"}))
    warm = gateway.create_key()["key"]
    assert gateway.ask("GET", ORDERS, wire.bearer(warm)).status == 200
    answers = [gateway.ask("GET", ORDERS, wire.bearer(keytext.make())) for _ in range(20)]
    statuses = [answer.status for answer in answers]
    assert statuses[0] == 401 and statuses[-1] == 429 and set(statuses) == {401, 429}
    document = check_problem(answers[-1], 429, "too_many_failures")
    assert int(answers[-1].one("Retry-After")) >= 1 and document["detail"]
    assert gateway.ask("GET", ORDERS, wire.bearer(warm)).status == 200
    assert gateway.ask("GET", ORDERS, wire.bearer(keytext.make()), source="127.0.0.77").status == 401


def test_stranger_cannot_lock_out_a_known_key_id_for_another_address(system):
    gateway = system(lambda c: c["gateway"].update(failed_attempts={"per_ip": "100/m", "per_ip_and_key": "3/m"}))
    made = gateway.create_key()
    for _ in range(10):
        gateway.ask("GET", ORDERS, wire.bearer(keytext.make(key_id=made["key_id"])), source="127.0.0.66")
    assert gateway.ask("GET", ORDERS, wire.bearer(made["key"])).status == 200


def test_connections_above_the_cap_per_address_are_refused(system):
    gateway = system(lambda c: c["gateway"].update(workers=1, limits={"connections_per_ip": 3}), tenant=None)
    clients = [gateway.client() for _ in range(3)]
    try:
        assert all(client.ask("GET", "/bytes/1").status == 200 for client in clients)
        with gateway.client() as fourth:
            try:
                assert fourth.ask("GET", "/bytes/1").status == 503
            except (wire.Closed, wire.Malformed, OSError):
                pass
        assert gateway.ask("GET", "/bytes/1", source="127.0.0.9").status == 200
    finally:
        for client in clients:
            client.__exit__()


# The upstream.

def test_unreachable_upstream_is_502_with_proxy_status(gateway):
    response = gateway.ask("GET", "/dead/x")
    check_problem(response, 502, "upstream_unreachable", "/dead/x")
    assert "error=" in response.one("Proxy-Status")


def test_silent_upstream_is_504_with_proxy_status(system, upstream):
    upstream.behave = never_answer
    gateway = system(lambda c: c["upstreams"]["scripted"].update(timeouts={"first_byte": "1s"}), upstream, demo=False, tenant=None)
    began = time.monotonic()
    response = gateway.ask("GET", "/raw/x")
    assert 0.8 < time.monotonic() - began < 4
    check_problem(response, 504, "upstream_timeout", "/raw/x")
    assert "error=" in response.one("Proxy-Status")


def test_upstream_that_does_not_accept_is_504_or_502(system):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        fillers = []
        for _ in range(4):  # fill the queue, so that a further SYN is dropped
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(listener.getsockname())
            fillers.append(s)
        def change(config):
            config["upstreams"]["scripted"] = {"targets": ["http://127.0.0.1:%d" % listener.getsockname()[1]], "timeouts": {"connect": "500ms", "first_byte": "1s"}}
        gateway = system(change, demo=False, tenant=None)
        began = time.monotonic()
        response = gateway.ask("GET", "/raw/x")
        assert response.status in (502, 504), response
        check_problem(response, response.status)
        assert time.monotonic() - began < 5
        for s in fillers:
            s.close()


def test_request_id_of_the_answer_is_the_one_in_the_document(gateway):
    response = gateway.ask("GET", ORDERS)
    assert response.one("X-Request-Id") == response.json()["request_id"]


def test_instance_is_escaped_and_carries_no_query(gateway):
    document = check_problem(gateway.ask("GET", '/nowhere/%22%3Cx%3E?key=secret'), 404)
    assert "secret" not in str(document)
