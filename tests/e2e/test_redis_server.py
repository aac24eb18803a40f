"""The Redis that other tests rest on: it pauses, slows down and forgets as it says."""
import time

import pytest

from redis_server import RedisError, RedisServer


@pytest.fixture
def redis(tmp_path):
    server = RedisServer(tmp_path)
    yield server
    server.stop()


def test_redis_answers_and_counts(redis):
    assert redis.ask("SET", "a", "ä") == "OK"
    assert redis.ask("GET", "a") == "ä"
    assert redis.ask("MGET", "a", "b") == ["ä", None]
    assert redis.calls()["get"] == 1
    with pytest.raises(RedisError, match="WRONGTYPE"):
        redis.ask("LPUSH", "a", "x")


def test_redis_pauses_and_forgets(redis):
    redis.ask("SET", "a", "1")
    redis.pause()
    with pytest.raises(TimeoutError):
        redis.ask("GET", "a", timeout=0.2)
    redis.resume()
    assert redis.ask("GET", "a") == "1"
    redis.restart_empty()
    assert redis.ask("GET", "a") is None


def test_redis_slowed_answers_late_and_in_order(redis):
    with redis.slowed(0.1) as slow:
        port, redis.port = redis.port, slow.port
        try:
            began = time.monotonic()
            assert redis.ask("PING") == "PONG"
            assert 0.19 < time.monotonic() - began < 2
            slow.delay = 0
            began = time.monotonic()
            assert redis.ask("PING") == "PONG"
            assert time.monotonic() - began < 0.15
        finally:
            redis.port = port


def test_redis_wants_its_password(tmp_path):
    server = RedisServer(tmp_path, password="s3cret")
    try:
        assert server.ask("PING") == "PONG"
        server.password = None
        with pytest.raises(RedisError, match="NOAUTH"):
            server.ask("PING")
    finally:
        server.stop()
