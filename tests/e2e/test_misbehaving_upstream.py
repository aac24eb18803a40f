"""An upstream that breaks, lies or stalls: the client gets 502 or 504, or a response that visibly ends early;
never one that looks whole, and never a byte of another response."""
import threading
import time

import pytest

import wire
from problems import check_problem
from upstreams import (OK, answer, answer_and_close, close_at_once, in_pieces, never_answer, reset_at_once)

EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevil\n"


@pytest.fixture
def pair(system, upstream):
    def change(config):
        config["upstreams"]["scripted"]["timeouts"] = {"first_byte": "2s", "idle": "2s"}
    return system(change, upstream, demo=False, tenant=None), upstream


def check_recovers(gateway, upstream):
    """The next requests get their own answers, whatever was left in the old connections."""
    upstream.behave = answer(OK)
    for _ in range(3):
        response = gateway.ask("GET", "/raw/after")
        assert (response.status, response.body) == (200, b"ok\n")


BROKEN_BEFORE_A_HEAD = {
    "closes at once": close_at_once,
    "resets at once": reset_at_once,
    "closes inside the status line": answer_and_close(b"HTTP/1.1 20"),
    "closes inside the head": answer_and_close(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "is not HTTP": answer_and_close(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "sends binary": answer_and_close(bytes(range(256)) + b"\r\n\r\n"),
    "sends an empty line": answer_and_close(b"\r\n\r\n"),
    "speaks HTTP/2": answer_and_close(b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "bad status": answer_and_close(b"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n"),
    "short status": answer_and_close(b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
    "status 99": answer_and_close(b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"),
    "long status": answer_and_close(b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
    "length and chunked": answer(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + EVIL),
    "two lengths": answer(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    "list of lengths": answer(b"HTTP/1.1 200 OK\r\nContent-Length: 3, 4\r\n\r\nabcd"),
    "negative length": answer(b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc"),
    "unknown coding": answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc", keep=False),
    "chunked twice": answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    "obsolete folding": answer(b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n"),
    "space before the colon": answer(b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"),
    "control character": answer(b"HTTP/1.1 200 OK\r\nX-A: b\x01\r\nContent-Length: 0\r\n\r\n"),
    "NUL": answer(b"HTTP/1.1 200 OK\r\nX-A: b\0\r\nContent-Length: 0\r\n\r\n"),
    "bare CR": answer(b"HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"),
    "endless head": answer_and_close(b"HTTP/1.1 200 OK\r\n" + b"X-A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n" * 50_000),
    "endless field": answer_and_close(b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 2_000_000),
    "switches protocols unasked": answer(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + EVIL),
    "interim heads without end": answer_and_close(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2000),
}


@pytest.mark.parametrize("name", BROKEN_BEFORE_A_HEAD)
def test_no_valid_head_is_502_and_the_next_request_is_unharmed(pair, name):
    gateway, upstream = pair
    upstream.behave = BROKEN_BEFORE_A_HEAD[name]
    with gateway.client() as client:
        response = client.ask("POST", "/raw/x", body=b"abc")
        check_problem(response, 502, "upstream_broken", "/raw/x")
        assert "error=" in response.one("Proxy-Status")
        assert b"evil" not in response.body
    check_recovers(gateway, upstream)


BROKEN_BODIES = {
    "length, closed early": (answer_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 50)),
    "length, nothing of it": (answer_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")),
    "chunks, closed inside one": (answer_and_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nxx")),
    "chunks, closed between two": (answer_and_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n")),
    "chunks, no last one": (answer_and_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n0\r\n")),
    "chunks, closed inside trailers": (answer_and_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: b\r\n")),
    "chunks, bad size": (answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\nzz\r\nxx\r\n0\r\n\r\n" + EVIL)),
    "chunks, data too long": (answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxxxx\r\n0\r\n\r\n" + EVIL)),
    "chunks, overflowing size": (answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nxx\r\n")),
    "chunks, size with a sign": (answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+2\r\nxx\r\n0\r\n\r\n")),
}


@pytest.mark.parametrize("name", BROKEN_BODIES)
def test_truncated_body_never_looks_complete(pair, name):
    gateway, upstream = pair
    upstream.behave = BROKEN_BODIES[name]
    with gateway.client() as client:
        client.request("GET", "/raw/x")
        try:
            response = client.read()
        except (wire.Truncated, wire.Closed) as cut:
            assert b"evil" not in (cut.response.body if isinstance(cut, wire.Truncated) else b"")
        else:
            assert response.status == 502, f"a broken body was passed off as whole: {response}"
        assert client.is_closed()
    check_recovers(gateway, upstream)


@pytest.mark.parametrize("name", ["length, closed early", "chunks, closed between two"])
def test_truncated_body_never_looks_complete_to_an_http_1_0_client(pair, name):
    gateway, upstream = pair
    upstream.behave = BROKEN_BODIES[name]
    with gateway.client() as client:
        client.send(b"GET /raw/x HTTP/1.0\r\nHost: a\r\n\r\n")
        try:
            response = client.read()
        except (wire.Truncated, wire.Closed, wire.Malformed):
            return
        # A body until close can only be cut off visibly by a reset.
        assert response.status == 502 or client.was_reset, f"a broken body was passed off as whole: {response}"


def test_bytes_behind_a_response_reach_nobody(pair):
    gateway, upstream = pair
    upstream.behave = answer(OK + EVIL)
    assert gateway.ask("GET", "/raw/x").body == b"ok\n"
    upstream.behave = answer(OK)
    for _ in range(5):
        assert gateway.ask("GET", "/raw/y").body == b"ok\n"


def test_bytes_behind_a_response_to_head_reach_nobody(pair):
    gateway, upstream = pair
    upstream.behave = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevil\n")  # a body that HEAD must not have
    with gateway.client() as client:
        assert client.ask("HEAD", "/raw/x").status == 200
        upstream.behave = answer(OK)
        for _ in range(5):
            assert client.ask("GET", "/raw/y").body == b"ok\n"


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_body_behind_a_bodiless_status_reaches_nobody(pair, status):
    gateway, upstream = pair
    upstream.behave = answer(b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\nevil\n")
    with gateway.client() as client:
        assert client.ask("GET", "/raw/x").body == b""
        upstream.behave = answer(OK)
        for _ in range(5):
            assert client.ask("GET", "/raw/y").body == b"ok\n"


def test_unsolicited_response_on_an_idle_connection_reaches_nobody(pair):
    gateway, upstream = pair
    ready = threading.Event()

    def speak_later(connection, request):
        connection.send(OK)
        if request.target.endswith("/x"):
            time.sleep(0.2)
            connection.send(EVIL)
            ready.set()
        return True
    upstream.behave = speak_later
    assert gateway.ask("GET", "/raw/x").body == b"ok\n"
    assert ready.wait(3)
    for _ in range(5):
        assert gateway.ask("GET", "/raw/y").body == b"ok\n"


def test_response_splitting_in_a_value_stays_one_response(pair):
    gateway, upstream = pair
    upstream.behave = answer(b"HTTP/1.1 200 OK\r\nX-A: a%0d%0aSet-Cookie: b\r\nContent-Length: 3\r\n\r\nok\n")
    response = gateway.ask("GET", "/raw/x")
    assert response.one("X-A") == "a%0d%0aSet-Cookie: b" and not response.all("Set-Cookie")


def test_interim_responses_come_before_the_final_one(pair):
    gateway, upstream = pair
    upstream.behave = answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)
    response = gateway.ask("GET", "/raw/x")
    assert (response.status, response.body) == (200, b"ok\n")
    assert 103 in [interim.status for interim in response.interim]


def test_interim_responses_are_not_sent_to_http_1_0(pair):
    gateway, upstream = pair
    upstream.behave = answer(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)
    with gateway.client() as client:
        client.send(b"GET /raw/x HTTP/1.0\r\nHost: a\r\n\r\n")
        response = client.read()
        assert response.status == 200 and not response.interim


def test_slow_head_is_504(pair):
    gateway, upstream = pair
    upstream.behave = in_pieces(OK, 1, pause=0.5)
    began = time.monotonic()
    response = gateway.ask("GET", "/raw/x")
    assert response.status in (502, 504) and time.monotonic() - began < 8
    check_recovers(gateway, upstream)


def test_upstream_that_stalls_in_a_body_is_cut_off_visibly(pair):
    gateway, upstream = pair

    def stall(connection, _):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        while connection.fill():
            pass
        return False
    upstream.behave = stall
    with gateway.client() as client:
        client.request("GET", "/raw/x")
        began = time.monotonic()
        with pytest.raises(wire.Truncated):
            client.read()
        assert 1 < time.monotonic() - began < 6
    check_recovers(gateway, upstream)


def test_upstream_that_never_reads_the_body_is_given_up(pair):
    gateway, upstream = pair
    upstream.reads_body = False

    def ignore(connection, _):
        time.sleep(20)
        return False
    upstream.behave = ignore
    with gateway.client(timeout=12) as client:
        client.socket.settimeout(12)
        client.send(b"POST /raw/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
        assert client.read("POST").status == 504


def test_kept_alive_connection_that_was_closed_meanwhile_is_not_the_clients_problem(pair):
    gateway, upstream = pair
    upstream.behave = answer_and_close(OK)  # says keep-alive, closes all the same
    for i in range(30):
        response = gateway.ask("GET", f"/raw/{i}")
        assert (response.status, response.body) == (200, b"ok\n")


def test_request_on_a_reused_connection_that_dies_is_retried_only_if_that_is_safe(pair):
    gateway, upstream = pair
    assert gateway.ask("GET", "/raw/warm").status == 200

    def die_when_reused(connection, request):
        if connection.number == 1:
            return False
        connection.send(OK)
        return True
    upstream.behave = die_when_reused
    assert gateway.ask("GET", "/raw/x").status == 200, "idempotent, nothing answered, reused: a new connection must be tried"
    upstream.behave = answer(OK)
    for _ in range(3):
        gateway.ask("GET", "/raw/warm")
    before = len(upstream.requests)
    upstream.behave = close_at_once
    assert gateway.ask("POST", "/raw/post", body=b"charge me once").status == 502
    posted = [r for r in upstream.requests[before:] if r.method == "POST"]
    assert len(posted) == 1, "a POST that may have been carried out must not be sent twice"


def test_upstream_says_close_and_is_not_reused(pair):
    gateway, upstream = pair
    upstream.behave = answer(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nok\n", keep=True)
    for _ in range(4):
        assert gateway.ask("GET", "/raw/x").status == 200
    assert upstream.connections == 4
    assert max(r.connection for r in upstream.requests) == 4


def test_http_1_0_upstream_is_understood_and_not_reused(pair):
    gateway, upstream = pair
    upstream.behave = answer_and_close(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold\n")
    for _ in range(3):
        response = gateway.ask("GET", "/raw/x")
        assert (response.status, response.body) == (200, b"old\n")


def test_client_that_leaves_frees_the_upstream_connection(pair):
    gateway, upstream = pair
    left = threading.Event()

    def wait_for_end(connection, _):
        while connection.fill():
            pass
        left.set()
        return False
    upstream.behave = wait_for_end
    with gateway.client() as client:
        client.request("GET", "/raw/x")
        assert upstream.wait_for(lambda: upstream.requests)
    assert left.wait(5), "the upstream still works for a client that has gone"


def test_client_that_leaves_in_the_middle_of_a_body_does_not_make_it_look_whole(pair):
    gateway, upstream = pair
    with gateway.client() as client:
        client.send(b"POST /raw/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        assert upstream.wait_for(lambda: upstream.requests)
    assert upstream.wait_for(lambda: upstream.incomplete == 1)


def test_two_clients_of_one_misbehaving_upstream_never_share_a_byte(pair):
    gateway, upstream = pair

    def mixed(connection, request):
        number = int(request.target.rsplit("/", 1)[-1])
        body = b"%d\n" % number
        good = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        if number % 5 == 0:
            connection.send(good + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevil\n")
        elif number % 7 == 0:
            connection.send(good[:-1])
            return False
        else:
            connection.send(good)
        return True
    upstream.behave = mixed
    wrong = []

    def one(start):
        for number in range(start, start + 150):
            try:
                response = gateway.ask("GET", f"/raw/{number}")
            except (wire.Truncated, wire.Closed):
                continue
            if response.status == 200 and response.body != b"%d\n" % number:
                wrong.append((number, response.body))
    threads = [threading.Thread(target=one, args=(n * 1000,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_silent_upstreams_do_not_hold_up_others(system, upstream):
    upstream.behave = never_answer
    gateway = system(lambda c: c["upstreams"]["scripted"].update(timeouts={"first_byte": "5s"}), upstream, tenant=None)
    waiting = [gateway.client() for _ in range(50)]
    for client in waiting:
        client.request("GET", "/raw/x")
    began = time.monotonic()
    assert gateway.ask("GET", "/bytes/10").status == 200
    assert time.monotonic() - began < 1
    for client in waiting:
        client.__exit__()
