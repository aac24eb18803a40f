"""SIGTERM: readiness goes first, no request of which a byte was read fails, and the exit is clean."""
import signal
import threading
import time

import pytest

import wire
from system import wait_until


def patient(config):
    """The default: half a minute for what is in flight."""
    config["gateway"]["timeouts"] = {"drain": "30s"}


def drain(gateway):
    gateway.serve.send_signal(signal.SIGTERM)


def test_readiness_goes_first_and_the_request_in_flight_is_answered(system):
    gateway = system(patient, tenant=None)
    with gateway.client() as client:
        client.request("GET", "/slow?ms=1500")
        time.sleep(0.3)
        drain(gateway)
        assert wait_until(lambda: wire.ask(gateway.admin_port, "GET", "/readyz").status == 503, 0.7)
        assert wire.ask(gateway.admin_port, "GET", "/livez").status == 200
        response = client.read()
        assert response.status == 200 and response.json() == {"waited_ms": 1500}
        assert response.one("Connection").lower() == "close"
        assert client.is_closed()
    assert gateway.serve.wait(10) == 0


def test_request_of_which_half_a_head_was_read_is_answered(system):
    gateway = system(patient, tenant=None)
    with gateway.client() as client:
        client.send(b"GET /bytes/10 HTTP/1.1\r\nHo")
        time.sleep(0.3)
        drain(gateway)
        time.sleep(0.5)
        client.send(b"st: a\r\n\r\n")
        assert client.read().status == 200
    assert gateway.serve.wait(10) == 0


def test_second_request_of_which_half_a_head_was_read_is_answered(system):
    gateway = system(patient, tenant=None)
    with gateway.client() as client:
        client.send(wire.compose("GET", "/bytes/10") + b"GET /bytes/11 HT")
        assert client.read().status == 200
        drain(gateway)
        time.sleep(0.5)
        client.send(b"TP/1.1\r\nHost: a\r\n\r\n")
        assert client.read().one("Content-Length") == "11"
    assert gateway.serve.wait(10) == 0


def test_upload_and_download_in_flight_end_whole(system):
    gateway = system(patient, tenant=None)
    with gateway.client() as up, gateway.client() as down:
        up.send(wire.compose("POST", "/hash", [("Content-Length", "1000")]) + b"x" * 500)
        down.request("GET", "/drip?count=10&ms=150")
        time.sleep(0.3)
        drain(gateway)
        time.sleep(0.5)
        up.send(b"x" * 500)
        assert up.read("POST").json()["bytes"] == 1000
        assert down.read().status == 200
    assert gateway.serve.wait(10) == 0


def test_pipelined_requests_already_read_are_all_answered(system):
    gateway = system(patient, tenant=None)
    with gateway.client() as client:
        client.send(wire.compose("GET", "/slow?ms=500") + wire.compose("GET", "/bytes/5") * 3)
        time.sleep(0.2)
        drain(gateway)
        assert [client.read().status for _ in range(4)] == [200] * 4
    assert gateway.serve.wait(10) == 0


def test_idle_connections_do_not_hold_up_the_end(system):
    gateway = system(patient, tenant=None)
    clients = [gateway.client() for _ in range(20)]
    for client in clients:
        assert client.ask("GET", "/bytes/1").status == 200
    began = time.monotonic()
    drain(gateway)
    assert gateway.serve.wait(10) == 0
    assert time.monotonic() - began < 3
    assert all(client.is_closed() for client in clients)


def test_request_that_never_ends_is_cut_at_the_deadline(system, upstream):
    gateway = system(lambda c: c["gateway"].update(timeouts={"drain": "2s"}), upstream, demo=False, tenant=None)
    hold = threading.Event()
    upstream.behave = lambda connection, request: hold.wait(20) or False
    with gateway.client() as client:
        client.request("GET", "/raw/x")
        assert upstream.wait_for(lambda: upstream.requests)
        began = time.monotonic()
        drain(gateway)
        assert gateway.serve.wait(15) == 0
        assert 1.5 < time.monotonic() - began < 6
    hold.set()


def test_no_new_connection_is_accepted_in_a_drain(system):
    gateway = system(patient, tenant=None)
    with gateway.client() as client:
        client.request("GET", "/slow?ms=2000")
        time.sleep(0.2)
        drain(gateway)

        def refused():
            try:
                return gateway.ask("GET", "/bytes/1").status == 503
            except (OSError, wire.Closed):
                return True
        assert wait_until(refused, 1)
        assert client.read().status == 200
    assert gateway.serve.wait(10) == 0


@pytest.mark.parametrize("path, connections", [("/bytes/100", 32), ("/slow?ms=20", 64), ("/bytes/200000", 16)])
def test_sigterm_under_load_fails_no_request_of_which_a_byte_was_read(system, load, path, connections):
    """Acceptance line 8. `closed_unread`: the kernel's proof that the request was never taken off the socket."""
    for _ in range(3):
        gateway = system(patient, tenant=None)
        run = load(gateway.port, path, closed=True, connections=connections, seconds=2.5)
        time.sleep(1)
        drain(gateway)
        assert gateway.serve.wait(15) == 0
        result = run.result()
        failures = result["failures"]
        assert set(result["statuses"]) == {"200"} and result["responses"] > 50, result
        assert failures["closed_after_read"] == failures["truncated"] == failures["broken"] == failures["timeout"] == 0, result


def test_sigterm_under_load_with_a_new_connection_for_each_request(system, load):
    gateway = system(patient, tenant=None)
    run = load(gateway.port, "/bytes/100", closed=True, connections=16, seconds=2.5, reconnect=True)
    time.sleep(1)
    drain(gateway)
    assert gateway.serve.wait(15) == 0
    failures = run.result()["failures"]
    assert failures["closed_after_read"] == failures["truncated"] == failures["broken"] == 0, failures


def test_sigterm_twice_and_sigint_end_cleanly_too(system):
    gateway = system(patient, tenant=None)
    drain(gateway)
    drain(gateway)
    assert gateway.serve.wait(10) == 0
    gateway.start()
    gateway.serve.send_signal(signal.SIGINT)
    assert gateway.serve.wait(10) == 0


def test_second_sigterm_fails_no_request_in_flight(system):
    gateway = system(patient, tenant=None)
    with gateway.client() as client:
        client.request("GET", "/slow?ms=1500")
        time.sleep(0.3)
        for _ in range(3):
            drain(gateway)
            time.sleep(0.1)
        assert client.read().status == 200
    assert gateway.serve.wait(10) == 0


def test_interrupt_during_the_drain_ends_at_once(system):
    gateway = system(patient, tenant=None)
    with gateway.client() as client:
        client.request("GET", "/slow?ms=20000")
        time.sleep(0.3)
        gateway.serve.send_signal(signal.SIGINT)
        time.sleep(0.3)
        gateway.serve.send_signal(signal.SIGINT)
        assert gateway.serve.wait(2) == 1
