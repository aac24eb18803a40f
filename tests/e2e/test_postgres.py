"""The metadata in PostgreSQL: migrating, two nodes on one database, and the database stopped, paused and restarted."""
import json
import time

import pytest

import wire
from postgres_server import PASSWORD, USER, PostgresServer
from system import CommandError, wait_until

ORDERS = "/v1/orders"
VARIABLE = "PORTCULLIS_E2E_DB_PASSWORD"


@pytest.fixture(scope="module")
def server():
    with PostgresServer() as one:
        yield one


@pytest.fixture
def own_server():
    with PostgresServer() as one:
        yield one


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv(VARIABLE, PASSWORD)


def on(server, database, secrets=None, **more):
    """The change of a configuration that keeps its metadata there."""
    def change(config):
        config["stores"]["metadata"] = {"postgres": {"url": f"postgresql://{USER}@127.0.0.1:{server.port}/{database}",
                                                     "password": "${env:%s}" % VARIABLE, **more}}
        if secrets:
            config["stores"]["secrets"] = {"local": secrets}
    return change


def name_of(url):
    return url.rsplit("/", 1)[1]


def migrated(system, server, **more):
    gateway = system(on(server, name_of(server.new_database()), **more), start=False, tenant=None)
    gateway.cli("migrate")
    gateway.add_tenant()
    return gateway


def status_of(gateway, key):
    return gateway.ask("GET", ORDERS, wire.bearer(key["key"])).status


def test_start_is_refused_until_the_database_is_migrated(system, server):
    database = name_of(server.new_database())
    gateway = system(on(server, database), start=False, tenant=None, demo=False)
    gateway.start(ready=False)
    assert gateway.serve.wait(20) == 1
    assert "run `portcullis migrate`" in gateway.logs()
    with pytest.raises(CommandError) as refused:
        gateway.add_tenant()
    assert "run `portcullis migrate`" in refused.value.err

    planned = gateway.cli_json("migrate", "--plan")
    assert not planned["applied"] and planned["migrations"][0].startswith("0001_")
    assert server.sql("SELECT to_regnamespace('portcullis')", database) == ""
    done = gateway.cli_json("migrate")
    assert done["applied"] and done["migrations"] == planned["migrations"]
    assert gateway.cli("migrate", "--plan") == "The schema is up to date.\n"
    gateway.start()


def test_keys_work_and_their_changes_reach_another_node_and_nothing_secret_is_in_a_dump(system, server):
    first = migrated(system, server)
    secrets = first.config["stores"]["secrets"]["local"]
    database = first.config["stores"]["metadata"]["postgres"]["url"].rsplit("/", 1)[1]
    first.start()
    key = first.api_create()
    # The sealed store of secrets belongs to a machine; two processes of one machine may share it.
    second = system(on(server, database, secrets=secrets), tenant=None)
    assert status_of(first, key) == status_of(second, key) == 200
    for node in (first, second):
        assert all(status_of(node, key) == 200 for _ in range(10))
    sent = time.monotonic()
    assert second.api("DELETE", f"/api-keys/{key['key_id']}").status == 200
    assert wait_until(lambda: status_of(first, key) == 401, 1, every=0.01)
    took = time.monotonic() - sent
    assert took < 1
    assert wait_until(lambda: int(server.sql("SELECT coalesce(sum(requests), 0) FROM portcullis_usage.minutes", database)) > 20, 10)
    dump = server.dump(database)
    assert key["key_id"] in dump
    assert key["key"] not in dump and key["key"][-38:-6] not in dump and "$2b$" not in dump
    assert PASSWORD not in first.logs() + second.logs()


def test_an_unreachable_database_is_named_at_the_start_without_the_password(system, server):
    gateway = system(on(server, "nowhere"), start=False, tenant=None, demo=False)
    gateway.start(ready=False)
    assert gateway.serve.wait(20) == 1
    assert 'database "nowhere" does not exist' in gateway.logs()
    assert PASSWORD not in gateway.logs()


@pytest.mark.parametrize("outage", ["paused", "killed", "stopped"])
def test_while_the_database_is_away_warm_keys_work_and_all_is_well_after_it(system, own_server, outage):
    gateway = migrated(system, own_server, deadline="500ms")
    gateway.start()
    key, cold = gateway.api_create(), gateway.create_key(name="cold")
    with gateway.client() as client:
        for _ in range(20):
            assert client.ask("GET", ORDERS, wire.bearer(key["key"])).status == 200
        {"paused": own_server.pause, "killed": own_server.kill, "stopped": own_server.stop}[outage]()
        ends = time.monotonic() + 3
        while time.monotonic() < ends:
            assert client.ask("GET", ORDERS, wire.bearer(key["key"])).status == 200
            time.sleep(0.02)
    asked = time.monotonic()
    assert status_of(gateway, cold) == 503
    assert gateway.api("POST", "/api-keys", {"name": "x", "tenant": "acme", "scopes": ["orders:read"]}).status == 503
    assert time.monotonic() - asked < 2.5
    assert wire.ask(gateway.admin_port, "GET", "/readyz").status == 503

    own_server.resume() if outage == "paused" else own_server.start()
    assert wait_until(lambda: status_of(gateway, cold) == 200, 6)
    assert wait_until(gateway.is_ready, 5)
    assert gateway.api("DELETE", f"/api-keys/{key['key_id']}").status == 200
    assert wait_until(lambda: status_of(gateway, key) == 401, 1)
    lines = [json.loads(line) for line in gateway.logs().splitlines() if '"postgres.' in line]
    told = [line for line in lines if "postgres.out_of_reach" in json.dumps(line)]
    assert len(told) == 1, lines


def test_several_processes_that_migrate_at_once_all_succeed_and_apply_each_migration_once(system, server):
    database = name_of(server.new_database())
    gateway = system(on(server, database), start=False, tenant=None, demo=False)
    running = [gateway.launch(f"migrate{i}", ["migrate", "--json", "--config", gateway.config_file]) for i in range(4)]
    assert [process.wait(30) for process in running] == [0] * 4, [gateway.read(f"migrate{i}.log") for i in range(4)]
    applied = [name for i in range(4) for line in gateway.read(f"migrate{i}.log").splitlines() if '"migrations"' in line
               for name in json.loads(line)["migrations"]]
    recorded = server.sql("SELECT name FROM portcullis.schema_migrations ORDER BY number", database).splitlines()
    assert sorted(applied) == recorded
