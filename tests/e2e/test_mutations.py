"""A thousand mutated raw requests (acceptance line 11): the process lives, no connection leaks, and whatever
reaches the upstream can be read in one way only."""
import random
import re

import pytest

import wire
from system import wait_until

SEED = 20261122
COUNT = 1000
TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(rb"^" + TOKEN + rb" (/[!-~]*|\*) HTTP/1\.1$")
FIELD = re.compile(rb"^(" + TOKEN + rb"): ?([^\x00-\x08\x0a-\x1f\x7f]*)$")

ORIGINALS = [
    b"GET /raw/a?q=1 HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n",
    b"POST /raw/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nhello world",
    b"POST /raw/c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-T: 1\r\n\r\n",
    b"PUT /raw/d HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nContent-Length: 3\r\n\r\nabc",
    b"HEAD /raw/e HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nCookie: a=b; c=d\r\n\r\n",
    b"GET http://localhost/raw/f HTTP/1.1\r\nHost: localhost\r\nX-Gateway-Tenant: forged\r\n\r\n",
    b"GET /raw/g HTTP/1.1\r\nHost: localhost\r\n\r\nGET /raw/h HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"DELETE /guarded/i HTTP/1.1\r\nHost: localhost\r\nX-API-Key: pc_live_0\r\nAuthorization: Bearer x\r\n\r\n",
    b"GET /raw/j HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n",
]
PIECES = [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b";", b"\x0b", b"\x7f", b"\xff", b"%00", b"%2e%2e/", b"../", b"//", b"\\",
          b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n",
          b"Transfer-Encoding : chunked\r\n", b"Host: evil\r\n", b"\r\n\r\n", b"0\r\n\r\n", b"GET /raw/x HTTP/1.1\r\n", b"HTTP/1.1", b" HTTP/9.9",
          b"Connection: Content-Length\r\n", b"Connection: Host\r\n", b"X: " + b"y" * 3000 + b"\r\n", b"FFFFFFFFFFFFFFFF\r\n", b"-1\r\n",
          b"Expect: 100-continue\r\n", b"Upgrade: websocket\r\nConnection: upgrade\r\n", b"TE: trailers\r\n", b"#", b"?", b"@", b"[::1]"]


def mutate(source):
    data = bytearray(source.choice(ORIGINALS))
    for _ in range(source.choice([1, 1, 1, 2, 2, 3, 5])):
        at = source.randrange(len(data) + 1)
        kind = source.randrange(7)
        if kind == 0:
            data[at:at] = source.choice(PIECES)
        elif kind == 1 and at < len(data):
            data[at] = source.randrange(256)
        elif kind == 2:
            del data[at:at + source.choice([1, 1, 2, 5, 20])]
        elif kind == 3:
            end = source.randrange(at, len(data) + 1)
            data[at:at] = data[at:end]
        elif kind == 4:  # a piece at the start of a line
            starts = [match.end() for match in re.finditer(rb"\r\n", bytes(data))] or [0]
            at = source.choice(starts)
            data[at:at] = source.choice(PIECES)
        elif kind == 5 and at < len(data):
            data[at] ^= 1 << source.randrange(8)
        else:
            data = data.replace(b"\r\n", source.choice([b"\n", b"\r", b"\r\r\n"]), source.choice([1, 1, -1]))
        data = data or bytearray(b"\r\n")
    return bytes(data)


def check_stream(data):
    """Reads what the upstream was sent on one connection by the letter of RFC 9112; any doubt fails."""
    while data:
        head, mark, rest = data.partition(b"\r\n\r\n")
        if not mark:
            return  # cut off by the end of the test: never answered, never complete
        lines = head.split(b"\r\n")
        assert REQUEST_LINE.match(lines[0]), lines[0]
        fields = {}
        for line in lines[1:]:
            match = FIELD.match(line)
            assert match, f"field line {line!r}"
            fields.setdefault(match[1].lower(), []).append(match[2].strip())
        assert len(fields.get(b"host", [])) == 1, fields
        lengths, codings = fields.get(b"content-length", []), fields.get(b"transfer-encoding", [])
        assert len(lengths) + len(codings) <= 1, f"ambiguous framing {fields}"
        assert not lengths or lengths[0].isdigit()
        assert not codings or codings[0].lower() == b"chunked"
        assert not [name for name in fields if name.replace(b"_", b"-").startswith(b"x-gateway-tenant")], "forged identity"
        data = skip_chunks(rest) if codings else rest[int(lengths[0]) if lengths else 0:]


def skip_chunks(data):
    while True:
        line, mark, data = data.partition(b"\r\n")
        if not mark:
            return b""
        assert re.fullmatch(rb"[0-9a-fA-F]{1,16}", line), f"chunk size {line!r}"
        size = int(line, 16)
        if size == 0:
            break
        assert data[size:size + 2] in (b"\r\n", b"\r", b""), "data and size differ"
        data = data[size + 2:]
    while True:
        line, mark, data = data.partition(b"\r\n")
        if not line or not mark:
            return data
        assert FIELD.match(line), f"trailer {line!r}"


def test_mutation_really_mutates():
    source = random.Random(SEED)
    made = [mutate(source) for _ in range(COUNT)]
    assert len(set(made)) > 0.95 * COUNT and not set(made) <= set(ORIGINALS)


def test_a_thousand_mutated_requests_do_no_harm(system, upstream):
    def change(config):
        config["gateway"]["timeouts"] = {"head": "2s", "body_idle": "2s", "keep_alive": "2s"}
        config["upstreams"]["scripted"]["timeouts"] = {"first_byte": "3s", "idle": "3s"}
    gateway = system(change, upstream, demo=False)
    assert gateway.ask("GET", "/raw/first").status == 200
    descriptors = gateway.descriptors()
    source = random.Random(SEED)
    clients, statuses = [], {}
    for number in range(COUNT):
        raw = mutate(source)
        client = gateway.client(timeout=8)
        try:
            cut = source.randrange(1, len(raw) + 1)
            client.send(raw[:cut])
            client.send(raw[cut:])
            client.socket.shutdown(1)  # no more comes: an incomplete request need not be waited for
        except OSError:
            pass
        clients.append((number, raw, client))
        if len(clients) == 50:
            collect(clients, statuses)
            assert gateway.serve.poll() is None, "the process has ended"
            clients = []
    collect(clients, statuses)
    assert gateway.serve.poll() is None
    assert statuses.get(400, 0) > 100 and statuses.get(200, 0) > 50, statuses
    assert not statuses.get(500), statuses
    assert gateway.ask("GET", "/raw/last").body == b"ok\n"
    assert wait_until(lambda: gateway.metric("portcullis_connections_open") == 0, 8), "connections leaked"
    assert wait_until(lambda: gateway.descriptors() <= descriptors + 8, 8), "descriptors leaked"
    for number, data in sorted(upstream.bytes.items()):
        try:
            check_stream(data)
        except AssertionError as problem:
            pytest.fail(f"upstream connection {number}: {problem}\n{data[-1500:]!r}")


def collect(clients, statuses):
    for number, raw, client in clients:
        with client:
            try:
                while True:
                    response = client.read("HEAD" if raw.startswith(b"HEAD ") else "GET")
                    statuses[response.status] = statuses.get(response.status, 0) + 1
            except wire.Closed:
                pass
            except (wire.Truncated, wire.Malformed) as problem:
                # The method may have been mutated from or to HEAD; any other ill-framed answer is a failure.
                assert b"HEAD" in raw, f"request {number} {raw!r}: {problem}"
            except (TimeoutError, OSError) as problem:
                pytest.fail(f"request {number} hangs: {raw!r}: {problem}")
