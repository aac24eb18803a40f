"""A restart with ten thousand keys in use: the shared digests spare bcrypt, and the latency is soon what it was."""
import random
import time

import pytest

import wire
from test_import import run_import, write_csv

ORDERS = "/v1/orders/1"
KEYS, RATE = 10_000, 2_000


def seed(gateway, count):
    """Imports `count` plain keys; they, shuffled."""
    source = random.Random(7)
    keys = ["warm-" + "".join(source.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=32)) for _ in range(count)]
    begin = time.monotonic()
    path = write_csv(gateway, [{"name": f"key {i}", "key": key} for i, key in enumerate(keys)])
    report = run_import(gateway, "csv", path, "--scopes", "orders:read")
    assert report["imported"] == count
    source.shuffle(keys)
    return keys, time.monotonic() - begin


def key_file(gateway, keys, name):
    path = gateway.path(name)
    with open(path, "w") as f:
        f.write("\n".join(keys))
    return path


def verify_each(gateway, load, keys):
    result = load(gateway.port, ORDERS, closed=True, seconds=600, requests=len(keys), connections=16, timeout=30,
                  key_file=key_file(gateway, keys, "each.txt")).result(timeout=590)
    assert result["statuses"] == {"200": len(keys)}, result


def arrive_at_random(gateway, load, keys, seconds, name):
    source = random.Random(11)
    order = [source.choice(keys) for _ in range(RATE * (seconds + 1))]
    log = gateway.path(name + ".log")
    one = load(gateway.port, ORDERS, rate=RATE, seconds=seconds, connections=64, key_file=key_file(gateway, order, name + ".txt"), log=log)
    result = one.result()
    assert set(result["statuses"]) == {"200"} and not any(result["failures"].values()), result
    return one.responses()


def p99_ms(responses, begin, end):
    """Of the requests sent in these seconds, counted from the first."""
    first = responses[0][0]
    times = sorted((received - sent) / 1e6 for sent, received, _ in responses if begin <= (sent - first) / 1e9 < end)
    return times[int(len(times) * 0.99)]


def local_stores(config):
    """The sealed local digest store. (Redis joins here with the fleet's configuration.)"""


STORES = {"local": local_stores}


@pytest.mark.parametrize("stores", STORES)
def test_a_restart_hashes_nothing_again(system, load, stores):
    gateway = system(change=STORES[stores])
    keys, _ = seed(gateway, 200)
    verify_each(gateway, load, keys)
    assert gateway.metric("portcullis_hash_runs_total") == 200
    assert gateway.terminate() == 0
    gateway.start()
    verify_each(gateway, load, keys)
    assert gateway.metric("portcullis_hash_runs_total") == 0
    assert all(gateway.ask("GET", ORDERS, wire.bearer(key[:-1] + "_")).status == 401 for key in keys[:3])
    assert gateway.metric("portcullis_hash_runs_total") == 0


@pytest.mark.measured
@pytest.mark.long
@pytest.mark.parametrize("stores", STORES)
def test_ten_thousand_keys_are_at_full_speed_within_five_seconds_of_a_restart(system, load, stores, record_property):
    gateway = system(change=STORES[stores])
    keys, seconds = seed(gateway, KEYS)
    record_property("import_seconds", round(seconds, 1))
    print(f"import of {KEYS} keys: {seconds:.1f} s")
    verify_each(gateway, load, keys)
    before = p99_ms(arrive_at_random(gateway, load, keys, 4, "before"), 1, 4)
    assert gateway.terminate() == 0
    gateway.start()
    responses = arrive_at_random(gateway, load, keys, 9, "after")
    after = p99_ms(responses, 5, 9)
    print(f"p99: {before:.2f} ms before, {p99_ms(responses, 0, 1):.2f} ms in the first second, {after:.2f} ms from the fifth on")
    assert gateway.metric("portcullis_hash_runs_total") == 0
    assert after <= 2 * before + 5, f"p99 {before:.2f} ms before, {after:.2f} ms from five seconds on"
