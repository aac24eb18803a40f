"""Rotating the pepper under load: no request notices, no bcrypt runs, and the digests move over."""
import json
import sqlite3

import pytest

import wire
from system import CommandError, wait_until

ORDERS = "/v1/orders/1"


def rotate(gateway, *arguments):
    return json.loads(gateway.cli("rotate", "pepper", "--grace", "0s", "--json", *arguments))


def issue(gateway, count):
    keys = [gateway.api_create(name=f"key {i}")["key"] for i in range(count)]
    path = gateway.path("keys.txt")
    with open(path, "w") as f:
        f.write("\n".join(keys))
    return keys, path


def pepper_ids_seen(gateway):
    return gateway.logs().count('"event":"peppers.rotated"')


def test_rotations_under_load(system, load):
    def change(config):
        config["keys"]["cache_ttl"] = "1s"  # so that every key comes by the stores again and again

    gateway = system(change=change)
    keys, path = issue(gateway, 20)
    for key in keys:
        assert gateway.ask("GET", ORDERS, wire.bearer(key)).status == 200
    hashed = gateway.metric("portcullis_hash_runs_total")
    running = load(gateway.port, ORDERS, rate=200, seconds=45, connections=8, key_file=path)

    first = rotate(gateway)
    assert first["ended"] is None and first["left_behind"] == 0
    assert wait_until(lambda: pepper_ids_seen(gateway) == 1, 15), "a running node notices by itself"

    second = {}

    def is_second_done():
        """Refused until every key came by and its digest was written anew."""
        try:
            second.update(rotate(gateway))
        except CommandError as refused:
            assert "would be left behind" in refused.err
        return bool(second)

    assert wait_until(is_second_done, 15, 0.5)
    assert second["previous"] == first["current"] and second["ended"] == first["previous"]
    assert wait_until(lambda: pepper_ids_seen(gateway) == 2, 15)

    result = running.result()
    assert set(result["statuses"]) == {"200"}, result
    assert not any(result["failures"].values()), result
    assert gateway.metric("portcullis_hash_runs_total") == hashed, "no bcrypt for what a digest can prove"
    gateway.terminate()
    gateway.start()
    for key in keys:
        assert gateway.ask("GET", ORDERS, wire.bearer(key)).status == 200
    assert gateway.metric("portcullis_hash_runs_total") == 0
    database = sqlite3.connect(gateway.path("data", "portcullis.db"))
    entries = [row[0] for row in database.execute("SELECT target FROM audit WHERE action = 'pepper.rotate' ORDER BY sequence")]
    database.close()
    assert entries == [first["current"], second["current"]]


def test_a_generation_that_keys_depend_on_ends_only_by_force(system):
    gateway = system()
    used, idle = gateway.create_key()["key"], gateway.create_key(name="idle")["key"]
    first = rotate(gateway)
    with pytest.raises(CommandError) as refused:
        rotate(gateway)
    assert "2 keys would be left behind" in refused.value.err
    forced = rotate(gateway, "--force")
    assert forced["ended"] == first["previous"] and forced["left_behind"] == 2
    assert all(gateway.ask("GET", ORDERS, wire.bearer(key)).status == 200 for key in (used, idle))


def test_before_its_time_a_new_pepper_is_only_read(system):
    gateway = system(start=False)
    gateway.cli("rotate", "pepper", "--grace", "1h")
    made = gateway.create_key()
    with pytest.raises(CommandError) as refused:  # the digest is under the old one
        rotate(gateway)
    assert "1 key would be left behind" in refused.value.err
    gateway.start()
    assert gateway.ask("GET", ORDERS, wire.bearer(made["key"])).status == 200
