"""Requests that two parties could read differently (DESIGN.md section 10, RFC 9112): each is refused with the
stated status, the connection is closed, and the upstream sees nothing of it."""

import pytest

from problems import check_problem

HOST = b"Host: a\r\n"


def post(*fields, body=b"", line=b"POST /raw/x HTTP/1.1\r\n", host=HOST):
    return line + host + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body


def get(*fields, target=b"/raw/x", method=b"GET", version=b"HTTP/1.1", host=HOST):
    return method + b" " + target + b" " + version + b"\r\n" + host + b"".join(f + b"\r\n" for f in fields) + b"\r\n"


SMUGGLED = b"0\r\n\r\nGET /raw/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

BAD = {
    # Framing.
    "length and chunked": (400, post(b"Content-Length: 6", b"Transfer-Encoding: chunked", body=SMUGGLED)),
    "chunked and length": (400, post(b"Transfer-Encoding: chunked", b"Content-Length: 6", body=SMUGGLED)),
    "two equal lengths": (400, post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc")),
    "two lengths": (400, post(b"Content-Length: 3", b"Content-Length: 4", body=b"abcd")),
    "list of equal lengths": (400, post(b"Content-Length: 1, 1", body=b"a")),
    "list of lengths": (400, post(b"Content-Length: 1, 2", body=b"ab")),
    "negative length": (400, post(b"Content-Length: -1")),
    "signed length": (400, post(b"Content-Length: +3", body=b"abc")),
    "hexadecimal length": (400, post(b"Content-Length: 0x3", body=b"abc")),
    "fractional length": (400, post(b"Content-Length: 3.0", body=b"abc")),
    "empty length": (400, post(b"Content-Length:")),
    "length with a space inside": (400, post(b"Content-Length: 1 0", body=b"a")),
    "length that overflows": (400, post(b"Content-Length: 18446744073709551617", body=b"a")),
    "length in words": (400, post(b"Content-Length: three", body=b"abc")),
    "two transfer codings fields": (400, post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=SMUGGLED)),
    "chunked twice": (400, post(b"Transfer-Encoding: chunked, chunked", body=SMUGGLED)),
    "chunked not last": (400, post(b"Transfer-Encoding: chunked, gzip", body=SMUGGLED)),
    "identity beside chunked": ((400, 501), post(b"Transfer-Encoding: identity, chunked", body=SMUGGLED)),
    "empty transfer coding": (400, post(b"Transfer-Encoding:", body=SMUGGLED)),
    "quoted chunked": ((400, 501), post(b'Transfer-Encoding: "chunked"', body=SMUGGLED)),
    "misspelt chunked": ((400, 501), post(b"Transfer-Encoding: xchunked", body=SMUGGLED)),
    "vertical tab before chunked": (400, post(b"Transfer-Encoding: \x0bchunked", body=SMUGGLED)),
    "coding beside a length": (400, post(b"Transfer-Encoding: gzip", b"Content-Length: 3", body=b"abc")),
    "space in Transfer-Encoding's name": (400, post(b"Transfer-Encoding : chunked", body=SMUGGLED)),
    "transfer coding in HTTP/1.0": (400, post(b"Transfer-Encoding: chunked", body=SMUGGLED, line=b"POST /raw/x HTTP/1.0\r\n")),
    # Lines.
    "obsolete folding": (400, get(b"X-A: b\r\n c")),
    "folding before the first field": (400, b"GET /raw/x HTTP/1.1\r\n Host: a\r\n\r\n"),
    "folded transfer coding": (400, post(b"Transfer-Encoding:\r\n chunked", body=SMUGGLED)),
    "bare LF after a field": (400, get(b"X-A: b\nX-C: d")),
    "bare LF after the request line": (400, b"GET /raw/x HTTP/1.1\nHost: a\r\n\r\n"),
    "bare LFs only": (400, b"GET /raw/x HTTP/1.1\nHost: a\n\n"),
    "bare CR in a value": (400, get(b"X-A: b\rc")),
    "bare CR in a name": (400, get(b"X\r-A: b")),
    "space before the colon": (400, get(b"X-A : b")),
    "tab before the colon": (400, get(b"X-A\t: b")),
    "field without a colon": (400, get(b"X-A")),
    "field without a name": (400, get(b": b")),
    "space inside a name": (400, get(b"X A: b")),
    "quote inside a name": (400, get(b'X"A: b')),
    "NUL in a value": (400, get(b"X-A: b\0c")),
    "NUL in a name": (400, get(b"X\0A: b")),
    "control character in a value": (400, get(b"X-A: b\x01c")),
    "DEL in a value": (400, get(b"X-A: b\x7fc")),
    # Request line.
    "two spaces": (400, b"GET  /raw/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    "tab for a space": (400, b"GET\t/raw/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    "trailing space": ((400, 505), b"GET /raw/x HTTP/1.1 \r\nHost: a\r\n\r\n"),
    "no version": (400, b"GET /raw/x\r\nHost: a\r\n\r\n"),
    "lower-case version": ((400, 505), b"GET /raw/x http/1.1\r\nHost: a\r\n\r\n"),
    "no minor version": ((400, 505), b"GET /raw/x HTTP/1\r\nHost: a\r\n\r\n"),
    "version 1.10": ((400, 505), b"GET /raw/x HTTP/1.10\r\nHost: a\r\n\r\n"),
    "version 2": (505, get(version=b"HTTP/2.0")),
    "method with a bad character": (400, get(method=b"G@T{")),
    "empty method": (400, b" /raw/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    "TLS hello": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40 + b"\r\n\r\n"),
    "HTTP/2 preface": ((400, 405, 501, 505), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    # Targets.
    "fragment": (400, get(target=b"/raw/x#frag")),
    "raw high byte": (400, get(target=b"/raw/\xc3\xa9")),
    "raw DEL": (400, get(target=b"/raw/\x7f")),
    "control character in the target": (400, get(target=b"/raw/\x01")),
    "NUL in the target": (400, get(target=b"/raw/\0")),
    "space in the target": (400, get(target=b"/raw/a b")),
    "relative target": (400, get(target=b"raw/x")),
    "asterisk with GET": (400, get(target=b"*")),
    "authority with GET": (400, get(target=b"example.com:80")),
    "absolute target without a host": (400, get(target=b"http:///raw/x")),
    "absolute target with user information": (400, get(target=b"http://u:p@a/raw/x")),
    "CONNECT": ((400, 405, 501), get(method=b"CONNECT", target=b"a:443")),
    # Host.
    "no Host": (400, b"GET /raw/x HTTP/1.1\r\n\r\n"),
    "two Hosts": (400, get(b"Host: b")),
    "two equal Hosts": (400, get(b"Host: a")),
    "empty Host": (400, get(host=b"Host:\r\n")),
    "list in Host": (400, get(host=b"Host: a, b\r\n")),
    "space in Host": (400, get(host=b"Host: a b\r\n")),
    "path in Host": (400, get(host=b"Host: a/b\r\n")),
    "user information in Host": (400, get(host=b"Host: u@a\r\n")),
    "bad port in Host": (400, get(host=b"Host: a:8x\r\n")),
    "unclosed bracket in Host": (400, get(host=b"Host: [::1\r\n")),
    # Two empty lines, a body where the next head should be.
    "empty lines before a request": (400, b"\r\n\r\n\r\n" + get()),
}

BAD_CHUNKS = {
    "no size": b"\r\nabc\r\n0\r\n\r\n",
    "size with 0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "negative size": b"-3\r\nabc\r\n0\r\n\r\n",
    "size that overflows": b"ffffffffffffffff1\r\nabc\r\n0\r\n\r\n",
    "space before the size": b" 3\r\nabc\r\n0\r\n\r\n",
    "space after the size": b"3 \r\nabc\r\n0\r\n\r\n",
    "bare LF after the size": b"3\nabc\r\n0\r\n\r\n",
    "bare LF after the data": b"3\r\nabc\n0\r\n\r\n",
    "bare CR in an extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "bare LF in an extension": b"3;a\nabc\r\n0\r\n\r\n",
    "data longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "data without CRLF": b"3\r\nabc0\r\n\r\n",
    "not a number": b"xyz\r\nabc\r\n0\r\n\r\n",
    "trailer with a space before the colon": b"0\r\nX-A : b\r\n\r\n",
    "trailer folded": b"0\r\nX-A: b\r\n c\r\n\r\n",
    "trailer without a colon": b"0\r\nX-A\r\n\r\n",
    "endless extension": b"3;" + b"x" * 100_000 + b"\r\nabc\r\n0\r\n\r\n",
    "endless trailers": b"0\r\n" + b"X-A: bbbbbbbbbbbbbbbbbbbbbbbb\r\n" * 3000 + b"\r\n",
}


@pytest.fixture(scope="module")
def shared(binary, tmp_path_factory):
    """One gateway for the whole table: what one bad request leaves behind would show in the next."""
    from system import System
    from upstreams import ScriptedUpstream
    upstream = ScriptedUpstream()
    gateway = System(binary, tmp_path_factory.mktemp("strict"), upstream_port=upstream.port, demo=False).start()
    yield gateway, upstream
    gateway.close()
    upstream.stop()


@pytest.mark.parametrize("name", BAD)
def test_bad_request_is_refused_closed_and_never_forwarded(shared, name):
    gateway, upstream = shared
    statuses, raw = BAD[name]
    seen = len(upstream.saw())
    with gateway.client() as client:
        client.send(raw)
        response = client.read()
        statuses = statuses if isinstance(statuses, tuple) else (statuses,)
        assert response.status in statuses, response
        check_problem(response, response.status)
        assert response.get("Connection", "").lower() == "close"
        assert client.is_closed(), "the connection must end, since nobody knows where the next request starts"
    assert len(upstream.saw()) == seen, "the upstream saw something of it"


@pytest.mark.parametrize("name", BAD)
def test_bad_request_behind_a_good_one_is_refused_too(shared, name):
    gateway, _ = shared
    statuses, raw = BAD[name]
    with gateway.client() as client:
        client.send(get() + raw)
        assert client.read().body == b"ok\n"
        statuses = statuses if isinstance(statuses, tuple) else (statuses,)
        assert client.read().status in statuses
        assert client.is_closed()


@pytest.mark.parametrize("name", BAD_CHUNKS)
def test_bad_chunk_is_400_and_never_looks_complete_upstream(shared, name):
    gateway, upstream = shared
    cut = upstream.incomplete
    heads = sum(r.target == "/raw/chunk" for r in upstream.requests)
    with gateway.client() as client:
        client.send(post(b"Transfer-Encoding: chunked", line=b"POST /raw/chunk HTTP/1.1\r\n"))
        try:
            client.send(BAD_CHUNKS[name])
        except OSError:
            pass
        response = client.read("POST")
        check_problem(response, 400)
        assert client.is_closed()
    reached = sum(r.target == "/raw/chunk" for r in upstream.requests) - heads
    assert upstream.wait_for(lambda: upstream.incomplete == cut + reached), "a broken body looked whole to the upstream"


def test_bytes_behind_a_refused_request_are_not_the_next_request(shared):
    gateway, upstream = shared
    with gateway.client() as client:
        client.send(BAD["length and chunked"][1] + get(target=b"/raw/behind"))
        assert client.read().status == 400
        assert client.is_closed()
    assert b"/raw/behind" not in upstream.saw() and b"smuggled" not in upstream.saw()


def test_extensions_of_chunks_are_not_forwarded(shared):
    gateway, upstream = shared
    body = b"3;name=value;other=\"quoted\"\r\nabc\r\n0\r\n\r\n"
    assert gateway.ask("POST", "/raw/ext", [("Transfer-Encoding", "chunked")], body).status == 200
    assert upstream.last().body == b"abc"
    assert b"name=value" not in upstream.saw()


def test_body_on_get_is_framed_and_the_next_request_is_right(shared):
    gateway, upstream = shared
    with gateway.client() as client:
        client.send(get(b"Content-Length: 5", target=b"/raw/getbody") + b"hello" + get(target=b"/raw/next"))
        assert client.read().body == b"ok\n" and client.read().body == b"ok\n"
    assert [r.target for r in upstream.requests[-2:]] == ["/raw/getbody", "/raw/next"]
    assert upstream.requests[-2].body == b"hello"


def test_opaque_bytes_in_a_value_pass(shared):
    gateway, upstream = shared
    with gateway.client() as client:
        client.send(get(b"X-Text: caf\xe9 \xf0\x9f\x98\x80"))
        assert client.read().status == 200
    assert b"caf\xe9 \xf0\x9f\x98\x80" in upstream.last().raw_head


def test_request_line_and_fields_are_written_anew(shared):
    gateway, upstream = shared
    with gateway.client() as client:
        client.send(b"GET /raw/x HTTP/1.1\r\nhOsT:a\r\nX-A:b\r\nX-B: \t c \t \r\n\r\n")
        assert client.read().status == 200
    assert b"X-B: c\r\n" in upstream.last().raw_head + b"\r\n"


def test_authority_of_an_absolute_target_rules_over_host(shared):
    gateway, upstream = shared
    with gateway.client() as client:
        client.send(get(target=b"http://b.example/raw/x"))  # RFC 9112 section 3.2.2: Host is ignored and replaced
        assert client.read().status == 200
    assert upstream.last().all("X-Forwarded-Host") == ["b.example"]
