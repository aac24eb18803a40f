"""Strangers cannot buy hashing (acceptance line 7): floods of wrong, unknown and missing keys cost no bcrypt,
and a warm key does not feel them."""
import random
import statistics
import threading

import pytest

import keytext
import wire

ORDERS = "/v1/orders"
FLOOD = dict(rate=500, connections=199, source="127.0.0.2-127.0.0.200")


def realistic(config):
    config["keys"]["bcrypt_cost"] = 10
    config["log"]["access"] = "off"


def key_file(path, keys):
    path.write_text("\n".join(keys) + "\n")
    return str(path)


def wrong_keys(known, count=2000):
    source = random.Random(1)
    return [keytext.make(key_id=source.choice(known)["key_id"], source=source) for _ in range(count)]


@pytest.fixture
def gateway(system):
    return system(realistic)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["wrong secrets for known ids", "random keys", "no key", "misspelt keys", "garbage"])
def test_flood_runs_no_bcrypt(gateway, load, tmp_path, kind):
    known = [gateway.create_key() for _ in range(10)]
    warm = known[0]
    for key in known:  # the first look-up of each known key_id, from an address of its own
        assert gateway.ask("GET", ORDERS, wire.bearer(key["key"]), source="127.0.0.250").status == 200
    before = gateway.metric("portcullis_hash_runs_total")
    keys = {"wrong secrets for known ids": {"key_file": key_file(tmp_path / "wrong", wrong_keys(known))},
            "random keys": {"random_keys": "pc"},
            "no key": {},
            "misspelt keys": {"key_file": key_file(tmp_path / "misspelt", [keytext.misspelt(k) for k in wrong_keys(known)])},
            "garbage": {"key_file": key_file(tmp_path / "garbage", ["x" * n for n in range(1, 200)])}}[kind]
    result = load(gateway.port, ORDERS, seconds=8, **keys, **FLOOD).result()
    assert set(result["statuses"]) <= {"401", "429"} and result["responses"] >= 3900, result
    assert not any(result["failures"].values()), result
    assert gateway.metric("portcullis_hash_runs_total") == before, "strangers bought bcrypt"
    assert gateway.ask("GET", ORDERS, wire.bearer(warm["key"]), source="127.0.0.2").status == 200


def test_wrong_secrets_for_keys_nobody_has_used_yet_run_at_most_one_bcrypt_each(gateway, load, tmp_path):
    known = [gateway.create_key() for _ in range(5)]
    result = load(gateway.port, ORDERS, seconds=4, key_file=key_file(tmp_path / "wrong", wrong_keys(known)), **FLOOD).result()
    assert set(result["statuses"]) <= {"401", "429"}
    assert gateway.metric("portcullis_hash_runs_total") <= len(known)


def test_concurrent_first_uses_of_one_key_run_one_bcrypt(gateway):
    key = gateway.create_key()["key"]
    before = gateway.metric("portcullis_hash_runs_total")
    statuses, start = [], threading.Barrier(40)

    def use(number):
        with gateway.client(source=f"127.0.1.{number + 1}") as client:
            start.wait()
            statuses.append(client.ask("GET", ORDERS, wire.bearer(key)).status)
    users = [threading.Thread(target=use, args=(n,)) for n in range(40)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert statuses == [200] * 40
    assert gateway.metric("portcullis_hash_runs_total") - before <= 1


@pytest.mark.long
@pytest.mark.measured
@pytest.mark.parametrize("where", ["its own address", "the flood's address"])
@pytest.mark.parametrize("kind", ["wrong secrets for known ids", "random keys"])
def test_warm_keys_p99_is_within_1_5_of_that_under_keyless_refusals(gateway, load, tmp_path, where, kind):
    known = [gateway.create_key() for _ in range(10)]
    warm = known[0]["key"]
    for key in known:
        assert gateway.ask("GET", ORDERS, wire.bearer(key["key"]), source="127.0.0.250").status == 200
    source = "127.0.0.2-127.0.0.9" if where == "the flood's address" else "127.0.0.251"
    flood = {"random_keys": "pc"} if kind == "random keys" else {"key_file": key_file(tmp_path / "wrong", wrong_keys(known))}

    def p99(keys):
        strangers = load(gateway.port, ORDERS, seconds=6, **keys, **FLOOD)
        friend = load(gateway.port, ORDERS, rate=500, seconds=5, connections=8, source=source, header=[f"X-API-Key: {warm}"])
        result = friend.result()
        assert set(result["statuses"]) == {"200"}, result
        assert set(strangers.result()["statuses"]) <= {"401", "429"}
        return result["latency_us"]["p99"]
    def ratio():
        return statistics.median(flooded / quiet for quiet, flooded in pairs)
    # The machine's speed drifts: the two are measured in turn and compared pair by pair. Five pairs place a p99 only
    # roughly, so a median beyond the bound is measured more closely before it is believed.
    pairs = [(p99({}), p99(flood)) for _ in range(5)]
    while ratio() > 1.5 and len(pairs) < 15:
        pairs += [(p99({}), p99(flood)) for _ in range(2)]
    assert ratio() <= 1.5, pairs
