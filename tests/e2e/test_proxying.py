"""What passes through the gateway unharmed: methods, bodies of every framing, trailers, interim responses,
pipelines, and old clients."""
import hashlib
import json
import threading
import time

import pytest

import wire
from upstreams import OK, answer, answer_and_close


def pattern(count):
    """The bytes of demo-api's /bytes."""
    block = bytes(((j * j + 7 * j) >> 3) & 255 for j in range(65521))
    return (block * (count // len(block) + 1))[:count]


@pytest.fixture
def echo(system):
    return system(tenant=None)


def test_get_reaches_the_upstream_with_path_and_query(echo):
    seen = echo.ask("GET", "/echo/some/path?b=2&a=%20x").json()
    assert (seen["method"], seen["path"], seen["query"]) == ("GET", "/echo/some/path", "b=2&a=%20x")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_body_of_a_known_length_arrives(echo, method):
    answer = echo.ask(method, "/echo/", body=b"x" * 5000)
    assert answer.status == 200
    assert answer.json()["body_bytes"] == 5000
    assert answer.json()["method"] == method


@pytest.mark.parametrize("size", [0, 1, 1000, 65536, 3_000_000])
def test_upload_is_bit_exact_by_length_and_by_chunks(echo, size):
    data = pattern(size)
    wanted = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": size}
    assert echo.ask("POST", "/hash", [("Content-Length", str(size))], data).json() == wanted
    parts = [data[i:i + 7001] for i in range(0, size, 7001)]
    assert echo.ask("POST", "/hash", [("Transfer-Encoding", "chunked")], wire.chunked(*parts)).json() == wanted


@pytest.mark.parametrize("size", [0, 1, 16384, 1_000_003])
@pytest.mark.parametrize("query", ["", "?chunked=1"])
def test_download_is_bit_exact_by_length_and_by_chunks(echo, size, query):
    response = echo.ask("GET", f"/bytes/{size}{query}")
    assert response.status == 200
    assert response.framing == ("chunked" if query else "length")
    assert response.body == pattern(size)


def test_head_has_the_fields_of_get_and_no_body(echo):
    with echo.client() as client:
        response = client.ask("HEAD", "/bytes/12345")
        assert response.status == 200
        assert response.one("Content-Length") == "12345"
        assert client.ask("GET", "/bytes/3").body == pattern(3)  # nothing was left over


@pytest.mark.parametrize("status", [204, 304])
def test_status_without_body_leaves_the_connection_usable(echo, status):
    with echo.client() as client:
        response = client.ask("GET", f"/status/{status}")
        assert response.status == status and response.body == b""
        assert not response.all("Transfer-Encoding")
        assert client.ask("GET", "/bytes/3").body == pattern(3)


@pytest.mark.parametrize("status", [200, 201, 301, 400, 404, 500, 503])
def test_status_of_the_upstream_is_kept(echo, status):
    assert echo.ask("GET", f"/status/{status}").status == status


def test_trailers_of_a_response_pass(echo):
    response = echo.ask("GET", "/trailers", [("TE", "trailers")])
    assert response.framing == "chunked"
    assert response.trailers, response


def test_trailers_of_a_request_pass(upstream_pair):
    gateway, upstream = upstream_pair
    body = wire.chunked(b"abc", trailers="X-Check: 42\r\n")
    assert gateway.ask("POST", "/raw/x", [("Transfer-Encoding", "chunked"), ("Trailer", "X-Check")], body).status == 200
    assert upstream.last().body == b"abc"
    assert b"x-check: 42" in upstream.last().trailers.lower()


def test_response_until_close_passes_whole(upstream_pair):
    gateway, upstream = upstream_pair
    upstream.behave = answer_and_close(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + b"z" * 100_000)
    with gateway.client() as client:
        response = client.ask("GET", "/raw/x")
        assert response.body == b"z" * 100_000
        upstream.behave = answer(OK)
        if response.framing == "chunked":  # then the client's connection lives on
            assert client.ask("GET", "/raw/y").body == b"ok\n"


def test_expect_continue_is_answered_before_the_body_is_sent(echo):
    with echo.client() as client:
        client.send(b"POST /hash HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        interim = client.read_head()
        assert interim.status == 100
        client.send(b"abc")
        assert client.read("POST").json()["bytes"] == 3


def test_expect_continue_is_not_asked_for_a_body_that_will_be_refused(system):
    gateway = system()
    with gateway.client() as client:
        client.send(b"POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        response = client.read("POST")
        assert response.status == 401 and not response.interim


def test_early_hints_pass(echo):
    response = echo.ask("GET", "/hints")
    assert response.status == 200
    assert [(hint.status, hint.get("Link")) for hint in response.interim] == [(103, "</style.css>; rel=preload")]


def test_pipelined_requests_are_answered_in_order(echo):
    with echo.client() as client:
        client.send(b"".join(wire.compose("GET", f"/echo/{i}") for i in range(50)))
        assert [client.read().json()["path"] for _ in range(50)] == [f"/echo/{i}" for i in range(50)]


def test_pipelined_requests_behind_a_slow_one_and_a_body_keep_their_order(echo):
    with echo.client() as client:
        client.send(wire.compose("GET", "/slow?ms=300") + wire.compose("POST", "/hash", body=b"GET /echo/evil HTTP/1.1\r\n\r\n") +
                    wire.compose("GET", "/echo/last"))
        assert client.read().json() == {"waited_ms": 300}
        assert client.read("POST").json()["bytes"] == 27
        assert client.read().json()["path"] == "/echo/last"


def test_request_sent_byte_by_byte_is_understood(echo):
    with echo.client() as client:
        for byte in wire.compose("POST", "/hash", [("Transfer-Encoding", "chunked")], wire.chunked(b"ab", b"c")):
            client.send(bytes([byte]))
        assert client.read("POST").json() == {"sha256": hashlib.sha256(b"abc").hexdigest(), "bytes": 3}


def test_one_empty_line_before_a_request_is_tolerated(echo):
    with echo.client() as client:
        client.send(b"\r\n" + wire.compose("GET", "/echo/a"))
        assert client.read().status == 200


def test_http_1_0_client_gets_no_chunks_and_a_closed_connection(echo):
    with echo.client() as client:
        client.send(b"GET /bytes/100000?chunked=1 HTTP/1.0\r\nHost: a\r\n\r\n")
        response = client.read()
        assert response.framing in ("close", "length")
        assert response.body == pattern(100000)
        assert client.is_closed()


def test_http_1_0_client_that_asks_for_keep_alive_may_go_on(echo):
    with echo.client() as client:
        for _ in range(2):
            client.send(b"GET /bytes/10 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
            response = client.read()
            assert response.body == pattern(10)
        assert response.one("Connection").lower() == "keep-alive"


def test_connection_close_is_honoured(echo):
    with echo.client() as client:
        response = client.ask("GET", "/bytes/10", [("Connection", "close")])
        assert response.one("Connection").lower() == "close"
        assert client.is_closed()


def test_absolute_form_target_is_routed_by_its_authority(echo):
    with echo.client() as client:
        client.send(b"GET http://localhost/echo/abs?q=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        seen = client.read().json()
    assert (seen["path"], seen["query"]) == ("/echo/abs", "q=1")


def test_many_requests_of_one_client_reuse_one_upstream_connection(upstream_pair):
    gateway, upstream = upstream_pair
    with gateway.client() as client:
        for _ in range(20):
            assert client.ask("GET", "/raw/x").status == 200
    assert upstream.connections == 1


def test_one_upstream_connection_serves_two_clients_one_after_another(system, upstream):
    gateway = system(lambda c: c["gateway"].update(workers=1), upstream, demo=False, tenant=None)
    for _ in range(10):
        assert gateway.ask("GET", "/raw/x").status == 200
    assert upstream.connections == 1


def test_large_header_up_to_the_limit_passes(upstream_pair):
    gateway, upstream = upstream_pair
    value = "v" * 12_000
    assert gateway.ask("GET", "/raw/x", [("X-Large", value)]).status == 200
    assert upstream.last().get("X-Large") == value


def test_large_response_head_passes(upstream_pair):
    gateway, upstream = upstream_pair
    upstream.behave = answer(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=%s\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n" % (b"v" * 8000))
    assert gateway.ask("GET", "/raw/x").all("Set-Cookie") == ["a=" + "v" * 8000, "b=2"]


def test_response_in_single_bytes_passes(upstream_pair):
    gateway, upstream = upstream_pair
    from upstreams import in_pieces
    upstream.behave = in_pieces(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX-T: 1\r\n\r\n")
    response = gateway.ask("GET", "/raw/x", [("TE", "trailers")])
    assert response.body == b"hello"


def test_drip_arrives_as_it_is_sent(echo):
    with echo.client() as client:
        client.request("GET", "/drip?count=5&ms=150")
        response = client.read_head()
        began, first = time.monotonic(), None
        for part in client.body(response):
            first = first or time.monotonic()
            last = time.monotonic()
        assert last - first > 0.3, "the chunks came all at once"
        assert first - began < 1


def test_upstream_that_answers_before_the_body_is_read_is_heard(upstream_pair):
    gateway, upstream = upstream_pair
    upstream.reads_body = False
    upstream.behave = answer_and_close(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nnope\n")
    with gateway.client() as client:
        client.send(b"POST /raw/x HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n" + b"x" * 1000)
        response = client.read("POST")
    assert (response.status, response.body) == (413, b"nope\n")


def test_identity_and_forwarded_fields_are_added(system, upstream):
    gateway = system(upstream=upstream, demo=False)
    key = gateway.create_key("orders:read,orders:write")
    assert gateway.ask("GET", "/guarded/x", wire.bearer(key["key"]), host="api.example.com").status == 200
    seen = upstream.last()
    assert seen.get("X-Gateway-Key-Id") == key["key_id"]
    assert seen.get("X-Gateway-Tenant") == "acme"
    assert set(seen.get("X-Gateway-Scopes").replace(",", " ").split()) == {"orders:read", "orders:write"}
    assert seen.get("X-Gateway-Owner") == key["owner"]["id"]
    assert seen.get("X-Forwarded-For") == "127.0.0.1"
    assert seen.get("X-Forwarded-Proto") == "http"
    assert seen.get("X-Forwarded-Host") == "api.example.com"
    assert seen.get("X-Request-Id")
    assert seen.get("traceparent", "").startswith("00-")
    assert "portcullis" in seen.get("Via", "")
    assert not seen.all("Authorization") and key["key"].encode() not in upstream.saw()


def test_forwarded_fields_of_an_untrusted_client_are_not_believed(upstream_pair):
    gateway, upstream = upstream_pair
    gateway.ask("GET", "/raw/x", [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"), ("X-Request-Id", "mine"),
                                  ("X-Forwarded-Host", "evil"), ("Forwarded", "for=6.6.6.6"), ("X-Real-IP", "6.6.6.6")])
    seen = upstream.last()
    assert seen.all("X-Forwarded-For") == ["127.0.0.1"]
    assert seen.get("X-Request-Id") != "mine"
    assert b"6.6.6.6" not in seen.raw_head and b"evil" not in seen.raw_head


def test_forwarded_fields_of_a_trusted_proxy_are_believed(system, upstream):
    gateway = system(lambda c: c["gateway"].update(trusted_proxies=["127.0.0.0/8"]), upstream, demo=False, tenant=None)
    response = gateway.ask("GET", "/raw/x", [("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https"), ("X-Request-Id", "mine-1")])
    seen = upstream.last()
    assert seen.get("X-Forwarded-For").replace(" ", "").split(",")[0] == "203.0.113.9"
    assert seen.get("X-Forwarded-Proto") == "https"
    assert seen.get("X-Request-Id") == "mine-1"
    assert response.status == 200


def test_valid_traceparent_is_continued_and_a_broken_one_replaced(upstream_pair):
    gateway, upstream = upstream_pair
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    gateway.ask("GET", "/raw/x", [("traceparent", f"00-{trace}-00f067aa0ba902b7-01")])
    assert upstream.last().get("traceparent").split("-")[1] == trace
    gateway.ask("GET", "/raw/x", [("traceparent", "00-zz-1")])
    assert len(upstream.last().get("traceparent").split("-")[1]) == 32


def test_concurrent_clients_never_get_each_others_answers(echo):
    wrong = []

    def one(number):
        with echo.client() as client:
            for i in range(100):
                path = f"/echo/{number}/{i}"
                if client.ask("GET", path).json()["path"] != path:
                    wrong.append(path)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_access_log_has_one_line_a_request_and_no_query_secret(echo):
    for i in range(5):
        echo.ask("GET", f"/echo/logged-{i}")
    from system import wait_until
    assert wait_until(lambda: len([e for e in echo.access_log() if "logged-" in json.dumps(e)]) == 5, 5), echo.logs()[-2000:]
