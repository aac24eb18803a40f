"""The tools of these tests tell right from wrong themselves: a load tool that missed a truncated answer, or a
window rule that missed an excess, would let every test above it pass."""
import random

import keytext
import upstreams
import wire
from ratelimit import items, worst_window
from upstreams import OK, answer, answer_and_close


def totals(load, upstream, **options):
    options = {"rate": 50, "seconds": 0.5, "connections": 2, "timeout": 1, **options}
    return load(upstream.port, "/x", **options).result()


def test_load_counts_good_answers(load, upstream):
    for data in (OK, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: 1\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n",
                 b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK):
        upstream.behave = answer(data)
        result = totals(load, upstream)
        assert result["responses"] == 25 and not any(result["failures"].values()), (data, result)
    upstream.behave = upstreams.in_pieces(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n", 3)
    assert totals(load, upstream)["body_bytes"] == 250
    upstream.behave = answer_and_close(b"HTTP/1.1 200 OK\r\n\r\nuntil close")
    assert totals(load, upstream)["statuses"] == {"200": 25}


def test_load_tells_failures_apart(load, upstream):
    cases = {"closed_after_read": upstreams.close_at_once,
             "truncated": answer_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
             "broken": answer_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
             "timeout": upstreams.never_answer}
    for kind, behaviour in cases.items():
        upstream.behave = behaviour
        result = totals(load, upstream, rate=20)
        assert result["failures"].pop(kind) == 10, (kind, result)
        assert not any(result["failures"].values()) and not result["responses"], (kind, result)


def test_load_tells_what_was_never_read(load, upstream):
    upstream.serve_one = lambda connection: False  # accepts, and closes without reading
    result = totals(load, upstream, rate=40, connections=1)
    assert result["failures"]["closed_unread"] >= 18, result
    upstream.stop()
    assert totals(load, upstream, rate=20)["failures"]["connect"] == 10


def test_load_counts_extra_bytes_as_broken(load, upstream):
    upstream.behave = answer(OK + OK)
    assert totals(load, upstream, rate=20)["failures"]["broken"] == 10


def test_load_counts_latency_from_when_a_request_was_due(load, upstream):
    upstream.behave = upstreams.in_pieces(OK, 100, pause=0.05)
    result = totals(load, upstream, rate=50, connections=1, timeout=10)
    assert result["latency_us"]["p50"] > 200_000, "one connection at 20/s cannot keep up with 50/s: the wait must show"


def test_load_sends_well_formed_random_keys_from_the_whole_range(load, upstream):
    totals(load, upstream, random_keys="pc", connections=10, source="127.0.0.2-127.0.0.6")
    keys = [request.get("X-API-Key") for request in upstream.requests]
    assert len(set(keys)) == 25
    for key in keys:
        assert keytext.SHAPE.match(key) and keytext.checksum(key[:-6]) == key[-6:]


def test_window_rule_finds_an_excess_and_passes_a_true_bucket():
    source, second = random.Random(3), 1_000_000_000
    tokens, last, now, admitted = 10.0, 0.0, 0.0, []
    while now < 20:
        now += source.expovariate(60)
        tokens = min(10.0, tokens + (now - last) * 20)
        last = now
        if tokens >= 1:
            tokens -= 1
            admitted.append((int(now * second) - 100_000, int(now * second) + 300_000))
    assert worst_window(admitted, 20, 10) <= 0
    assert worst_window(admitted + [(10 * second + i, 10 * second + 900 + i) for i in range(12)], 20, 10) > 0


def test_ratelimit_lists_are_read():
    assert items('"burst";r=19;t=19, "day";r=4711;t=3600') == {"burst": {"r": 19, "t": 19}, "day": {"r": 4711, "t": 3600}}


def test_client_notices_what_is_cut_or_ill_framed(upstream):
    cases = [(answer_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), wire.Truncated),
             (answer_and_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), wire.Truncated),
             (answer_and_close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"), wire.Malformed),
             (answer_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), wire.Malformed),
             (upstreams.close_at_once, wire.Closed)]
    for behaviour, error in cases:
        upstream.behave = behaviour
        try:
            wire.ask(upstream.port, "GET", "/x")
        except error:
            continue
        raise AssertionError(f"{error} was not raised")
