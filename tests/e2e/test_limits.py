"""Rate limits as a client sees them: the fields to the letter, refusals with a right Retry-After, and in
every sliding window no more than burst + rate x T."""
import time

import pytest

import wire
from problems import check_problem
from ratelimit import legacy, levels, policies, worst_window
from system import route
from upstreams import answer

ORDERS = "/v1/orders"


def limited(*limits, **more):
    """A configuration change: /v1/orders has these limits."""
    def change(config):
        next(r for r in config["routes"] if r["id"] == "orders-read").update(limits=list(limits), **more)
        config["plans"] = {"free": {"limits": [{"name": "burst", "rate": "60/m", "burst": 20}, {"name": "day", "quota": "5000/d"}]}}
    return change


def bucket(name="orders", rate="60/m", burst=20, per="key", **more):
    return {"name": name, "rate": rate, "burst": burst, "per": per, **more}


def test_fields_are_exact_on_success(system):
    gateway = system(limited(bucket()))
    key = gateway.create_key()["key"]
    before = int(time.time())
    response = gateway.ask("GET", ORDERS, wire.bearer(key))
    assert response.status == 200
    assert response.one("RateLimit-Policy") == '"orders";q=20;w=20'
    assert response.one("RateLimit") == '"orders";r=19;t=19'
    limit, remaining, reset = legacy(response)
    assert (limit, remaining) == (20, 19) and before + 1 <= reset <= time.time() + 21


def test_level_falls_with_each_request_and_refills_with_time(system):
    gateway = system(limited(bucket(rate="10/s", burst=5)))
    key = gateway.create_key()["key"]
    with gateway.client() as client:
        seen = [levels(client.ask("GET", ORDERS, wire.bearer(key)))["orders"]["r"] for _ in range(4)]
        assert seen[0] == 4 and seen == sorted(seen, reverse=True) and seen[-1] <= 2
        time.sleep(1)
        assert levels(client.ask("GET", ORDERS, wire.bearer(key)))["orders"]["r"] == 4


def test_window_and_time_round_up(system):
    gateway = system(limited(bucket(rate="7/2s", burst=10)))
    response = gateway.ask("GET", ORDERS, wire.bearer(gateway.create_key()["key"]))
    assert policies(response)["orders"] == {"q": 10, "w": 3}  # ceil(10 / 3.5)
    assert levels(response)["orders"] == {"r": 9, "t": 3}     # ceil(9 / 3.5)


def test_over_the_limit_is_429_with_fields_and_a_right_retry_after(system):
    gateway = system(limited(bucket(rate="1/2s", burst=3)))
    key = gateway.create_key()["key"]
    with gateway.client() as client:
        assert [client.ask("GET", ORDERS, wire.bearer(key)).status for _ in range(3)] == [200] * 3
        response = client.ask("GET", ORDERS, wire.bearer(key))
        document = check_problem(response, 429, "over_limit", ORDERS)
        assert document["type"].endswith("quota-exceeded") and document["violated-policies"] == ["orders"]
        assert policies(response)["orders"] == {"q": 3, "w": 6}
        assert levels(response)["orders"]["r"] == 0 and 1 <= levels(response)["orders"]["t"] <= 2
        limit, remaining, reset = legacy(response)
        assert (limit, remaining) == (3, 0) and reset >= int(time.time())
        wait = int(response.one("Retry-After"))
        assert 1 <= wait <= 2
        time.sleep(wait)
        assert client.ask("GET", ORDERS, wire.bearer(key)).status == 200


def test_retry_after_is_never_0_however_soon_a_token_comes(system):
    gateway = system(limited(bucket(rate="20/s", burst=1)))
    key = gateway.create_key()["key"]
    with gateway.client() as client:
        refused = [r for r in (client.ask("GET", ORDERS, wire.bearer(key)) for _ in range(30)) if r.status == 429]
    assert refused and {r.one("Retry-After") for r in refused} == {"1"}


def test_two_policies_both_count_and_the_tightest_fills_the_trio(system):
    gateway = system(limited(bucket("minute", "60/m", 10), {"name": "day", "quota": "5/d", "per": "key"}))
    key = gateway.create_key()["key"]
    with gateway.client() as client:
        response = client.ask("GET", ORDERS, wire.bearer(key))
        assert policies(response) == {"minute": {"q": 10, "w": 10}, "day": {"q": 5, "w": 86400}}
        assert levels(response)["day"]["r"] == 4 and levels(response)["minute"]["r"] == 9
        assert legacy(response)[:2] == (5, 4)
        for _ in range(4):
            assert client.ask("GET", ORDERS, wire.bearer(key)).status == 200
        response = client.ask("GET", ORDERS, wire.bearer(key))
        assert check_problem(response, 429)["violated-policies"] == ["day"]
        assert 1 <= int(response.one("Retry-After")) <= 86400


def test_refusal_by_one_policy_charges_no_other(system):
    gateway = system(limited(bucket("tight", "1/h", 1), bucket("wide", "1/h", 50)))
    key = gateway.create_key()["key"]
    with gateway.client() as client:
        assert levels(client.ask("GET", ORDERS, wire.bearer(key)))["wide"]["r"] == 49
        for _ in range(5):
            response = client.ask("GET", ORDERS, wire.bearer(key))
            assert response.status == 429 and levels(response)["wide"]["r"] == 49


def test_plan_of_the_key_applies_beside_the_routes_limits(system):
    gateway = system(limited(bucket(burst=50, rate="50/s")))
    made = gateway.api_create(plan="free")
    response = gateway.ask("GET", ORDERS, wire.bearer(made["key"]))
    assert set(policies(response)) == {"orders", "burst", "day"}
    assert policies(response)["burst"] == {"q": 20, "w": 20} and levels(response)["burst"] == {"r": 19, "t": 19}


def test_keys_own_limit_tightens(system):
    gateway = system(limited(bucket(burst=50, rate="50/s")))
    made = gateway.api_create(limits=[{"name": "mine", "rate": "1/m", "burst": 2}])
    statuses = [gateway.ask("GET", ORDERS, wire.bearer(made["key"])).status for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    assert gateway.ask("GET", ORDERS, wire.bearer(gateway.create_key()["key"])).status == 200


def test_counters_of_two_keys_are_apart_and_of_one_tenant_together(system):
    gateway = system(limited(bucket(rate="1/m", burst=2), bucket("together", "1/m", 3, per="tenant")))
    first, second = gateway.create_key()["key"], gateway.create_key()["key"]
    statuses = lambda key, n: [gateway.ask("GET", ORDERS, wire.bearer(key)).status for _ in range(n)]
    assert statuses(first, 3) == [200, 200, 429]
    assert statuses(second, 2) == [200, 429], "the tenant's third token is the last"


def test_limit_per_address_counts_open_routes_too(system):
    def change(config):
        config["routes"].append(route("limited", "/echo/limited", limits=[bucket(rate="1/m", burst=2, per="ip")]))
    gateway = system(change, tenant=None)
    assert [gateway.ask("GET", "/echo/limited").status for _ in range(3)] == [200, 200, 429]
    assert gateway.ask("GET", "/echo/limited", source="127.0.0.9").status == 200


def test_refused_requests_of_401_and_403_charge_nothing(system):
    def change(config):
        limited(bucket(rate="1/h", burst=3))(config)
        next(r for r in config["routes"] if r["id"] == "orders-write")["limits"] = [bucket(rate="1/h", burst=3)]
    gateway = system(change)
    key = gateway.create_key()["key"]
    for _ in range(10):
        assert gateway.ask("POST", ORDERS, wire.bearer(key), b"x").status == 403
        assert gateway.ask("GET", ORDERS).status == 401
    assert levels(gateway.ask("GET", ORDERS, wire.bearer(key)))["orders"]["r"] == 2


def test_cost_of_the_route_is_charged(system):
    gateway = system(limited(bucket(rate="1/m", burst=10), cost=4))
    key = gateway.create_key()["key"]
    assert levels(gateway.ask("GET", ORDERS, wire.bearer(key)))["orders"]["r"] == 6
    assert gateway.ask("GET", ORDERS, wire.bearer(key)).status == 200
    assert gateway.ask("GET", ORDERS, wire.bearer(key)).status == 429


def test_shadow_policy_is_counted_and_never_refuses(system):
    gateway = system(limited(bucket(rate="1/m", burst=1, enforce=False)))
    key = gateway.create_key()["key"]
    assert [gateway.ask("GET", ORDERS, wire.bearer(key)).status for _ in range(5)] == [200] * 5
    assert gateway.metric("portcullis_rate_limited_shadow_total") == 4


def test_upstreams_own_lists_stand_behind_ours_and_its_trio_is_replaced(system, upstream):
    upstream.behave = answer(b"HTTP/1.1 200 OK\r\nRateLimit-Policy: \"theirs\";q=1;w=1\r\nRateLimit: \"theirs\";r=0;t=1\r\n"
                             b"X-RateLimit-Limit: 1\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1\r\nContent-Length: 0\r\n\r\n")
    def change(config):
        next(r for r in config["routes"] if r["id"] == "guarded")["limits"] = [bucket("ours")]
    gateway = system(change, upstream, demo=False)
    response = gateway.ask("GET", "/guarded/x", wire.bearer(gateway.create_key()["key"]))
    for name in ("RateLimit-Policy", "RateLimit"):
        joined = ", ".join(response.all(name))
        assert joined.index('"ours"') < joined.index('"theirs"'), joined
    assert legacy(response)[:2] == (20, 19)


def test_legacy_trio_can_be_switched_off(system):
    def change(config):
        limited(bucket())(config)
        config["gateway"]["legacy_rate_limit_headers"] = False
    gateway = system(change)
    response = gateway.ask("GET", ORDERS, wire.bearer(gateway.create_key()["key"]))
    assert response.all("RateLimit") and not response.all("X-RateLimit-Limit")


def test_burst_of_pipelined_requests_never_exceeds_the_limit(system):
    gateway = system(limited(bucket(rate="1/m", burst=10)))
    key = gateway.create_key()["key"]
    with gateway.client() as client:
        client.send(wire.compose("GET", ORDERS, wire.bearer(key)) * 50)
        statuses = [client.read().status for _ in range(50)]
    assert statuses == [200] * 10 + [429] * 40


@pytest.mark.long
def test_no_sliding_window_of_two_workers_and_200_clients_admits_more(system, load, tmp_path):
    """Acceptance line 5: rate 100/s, burst 100, ten seconds."""
    rate, burst, seconds = 100, 100, 10
    gateway = system(limited(bucket(rate="100/s", burst=100)))
    assert gateway.config["gateway"]["workers"] == 2
    key = gateway.create_key()["key"]
    assert gateway.ask("GET", "/v1/reports/x", wire.bearer(key)).status == 403  # known, and not charged
    run = load(gateway.port, ORDERS, log=tmp_path / "responses", closed=True, connections=200, seconds=seconds,
               header=[f"X-API-Key: {key}"])
    summary = run.result()
    assert set(summary["statuses"]) == {"200", "429"}, summary
    assert not any(summary["failures"].values()), summary
    responses = run.responses()
    admitted = [(sent, received) for sent, received, status in responses if status == 200]
    length = (max(r for _, r, _ in responses) - min(s for s, _, _ in responses)) / 1e9
    allowed = burst + rate * length
    worst = worst_window(admitted, rate, burst)
    assert worst <= 0, f"some window admitted {worst:.2f} more than {burst} + {rate}·T"
    assert len(admitted) >= 0.95 * allowed, f"{len(admitted)} of {allowed:.0f} allowed"


@pytest.mark.long
def test_no_sliding_window_admits_more_when_few_tokens_are_spread_over_many_keyless_clients(system, load, tmp_path):
    """The same arithmetic for a bucket per route, which every worker shares, on an open route."""
    def change(config):
        config["routes"].append(route("limited", "/echo/limited", limits=[bucket(rate="20/s", burst=7, per="route")]))
    gateway = system(change, tenant=None)
    run = load(gateway.port, "/echo/limited", log=tmp_path / "responses", closed=True, connections=64, seconds=5,
               source="127.0.0.2-127.0.0.33")
    run.result()
    admitted = [(sent, received) for sent, received, status in run.responses() if status == 200]
    assert worst_window(admitted, 20, 7) <= 0
    assert len(admitted) >= 0.95 * (7 + 20 * 5)
