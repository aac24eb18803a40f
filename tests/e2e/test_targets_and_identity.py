"""Nobody gets around a route by spelling its path differently, and nobody speaks to the upstream in the
gateway's name."""
import pytest

import wire
from problems import check_problem
from system import route
from upstreams import answer

AMBIGUOUS = [
    "/open/%2e%2e%2fsecret", "/open/..%2fsecret", "/open/%2fsecret", "/open%2Fsecret", "/open/a%5cb", "/open/..%5csecret",
    "/open\\secret", "/open/..\\secret", "/open/%00", "/open/a%00b", "/open/%0a", "/open/%0d%0aX-A:b", "/open/%7f",
    "/open/..;/secret", "/open/..;a=b/secret", "/open/.;/secret", "/open/%2e%2e;/secret", "/open/..%3b/secret",
    "/open/%252e%252e/secret", "/open/%25252e%25252e/secret", "/open/..%252fsecret", "/open/%c0%ae%c0%ae/secret",
    "/open/%e0%80%ae/secret", "/open/%zz", "/open/%", "/open/%4", "/open/a%2", "/../secret", "/open/../../secret",
    "/%2e%2e/secret", "/..", "/open/%c0%afsecret",
]

SAME_AS_SECRET = [
    "/open/../secret/x", "/open/./../secret/x", "/open/%2e%2e/secret/x", "/open/.%2e/secret/x", "/open/%2E./secret/x",
    "//secret/x", "///secret//x", "/./secret/x", "/%73ecret/x", "/s%65cret/%78", "/open/a/../../secret/x", "/secret/./x",
    "/open//../secret/x", "/secret/a/../x",
]


@pytest.fixture(scope="module")
def shared(binary, tmp_path_factory):
    """/open is anybody's; /secret needs a key. Both lead to the same upstream."""
    from system import System
    from upstreams import ScriptedUpstream

    def change(config):
        config["routes"] = [route("open", "/open/**", upstream="scripted"),
                            route("secret", "/secret/**", upstream="scripted", scopes=["orders:read"])]
    upstream = ScriptedUpstream()
    gateway = System(binary, tmp_path_factory.mktemp("targets"), change, upstream.port, demo=False)
    gateway.add_tenant()
    gateway.key = gateway.create_key()["key"]
    gateway.start()
    yield gateway, upstream
    gateway.close()
    upstream.stop()


@pytest.mark.parametrize("target", AMBIGUOUS)
def test_ambiguous_target_is_400_on_an_open_route_and_is_not_forwarded(shared, target):
    gateway, upstream = shared
    seen = len(upstream.requests)
    check_problem(gateway.ask("GET", target), 400)
    check_problem(gateway.ask("GET", target, wire.bearer(gateway.key)), 400)
    assert len(upstream.requests) == seen


@pytest.mark.parametrize("target", SAME_AS_SECRET)
def test_other_spelling_of_a_guarded_path_is_guarded(shared, target):
    gateway, upstream = shared
    seen = len(upstream.requests)
    check_problem(gateway.ask("GET", target), 401)
    assert len(upstream.requests) == seen
    assert gateway.ask("GET", target, wire.bearer(gateway.key)).status == 200
    assert upstream.last().target == "/secret/x", "what was matched is what is forwarded"


@pytest.mark.parametrize("target, forwarded", [
    ("/open/caf%C3%A9", "/open/caf%C3%A9"), ("/open/caf%c3%a9", "/open/caf%C3%A9"), ("/open/a%20b", "/open/a%20b"),
    ("/open/%7Euser", "/open/~user"), ("/open/a;b=c", "/open/a;b=c"), ("/open/x?q=%2F..%2F&r=a%00", "/open/x?q=%2F..%2F&r=a%00"),
    ("/open", "/open"), ("/open/", "/open/"), ("/open/...", "/open/..."), ("/open/.hidden", "/open/.hidden"),
    ("/open/x?", "/open/x?"), ("/open/a:b@c!$&'()*+,=", "/open/a:b@c!$&'()*+,="), ("/open/x?a=/../b//c", "/open/x?a=/../b//c"),
])
def test_harmless_target_is_forwarded_in_its_normal_form(shared, target, forwarded):
    gateway, upstream = shared
    assert gateway.ask("GET", target).status == 200
    assert upstream.last().target == forwarded


FORGED = ["X-Gateway-Tenant", "x-gateway-tenant", "X_Gateway_Tenant", "X-Gateway_Tenant", "x_gateway-tenant", "X-GATEWAY-SCOPES",
          "X-Gateway-Key-Id", "X_Gateway_Key_Id", "X-Gateway-Owner", "X-Gateway-Anything", "X_GATEWAY_ANYTHING"]


@pytest.mark.parametrize("name", FORGED)
def test_forged_identity_is_removed_on_an_open_route(shared, name):
    gateway, upstream = shared
    assert gateway.ask("GET", "/open/x", [(name, "forged")]).status == 200
    assert b"forged" not in upstream.last().raw_head


@pytest.mark.parametrize("name", FORGED)
def test_forged_identity_is_replaced_on_a_guarded_route(shared, name):
    gateway, upstream = shared
    assert gateway.ask("GET", "/secret/x", [(name, "forged"), *wire.bearer(gateway.key)]).status == 200
    seen = upstream.last()
    assert b"forged" not in seen.raw_head
    assert seen.all("X-Gateway-Tenant") == ["acme"]
    assert len(seen.all("X-Gateway-Key-Id")) == 1


@pytest.mark.parametrize("name", FORGED)
def test_forged_identity_in_trailers_is_removed(shared, name):
    gateway, upstream = shared
    body = wire.chunked(b"abc", trailers=f"{name}: forged\r\nX-Fine: 1\r\n")
    assert gateway.ask("POST", "/open/x", [("Transfer-Encoding", "chunked")], body).status == 200
    assert b"forged" not in upstream.last().trailers


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "Host", "Authorization", "X-API-Key", "Connection"])
def test_trailer_that_may_not_be_one_does_not_reach_the_upstream(shared, name):
    gateway, upstream = shared
    gateway.ask("POST", "/open/x", [("Transfer-Encoding", "chunked")], wire.chunked(b"abc", trailers=f"{name}: 77\r\n"))
    assert b"77" not in b"".join(r.trailers for r in upstream.requests[-1:])


@pytest.mark.parametrize("nominated", ["X-Gateway-Tenant", "X-Gateway-Key-Id", "X-Request-Id", "X-Forwarded-For", "traceparent",
                                       "X-Gateway-Tenant, X-Gateway-Scopes, Via"])
def test_connection_cannot_make_our_fields_disappear(shared, nominated):
    gateway, upstream = shared
    assert gateway.ask("GET", "/secret/x", [("Connection", nominated), *wire.bearer(gateway.key)]).status == 200
    for name in nominated.split(", "):
        assert upstream.last().get(name), f"{name} is gone"


@pytest.mark.parametrize("nominated", ["Authorization", "X-API-Key", "Host", "Content-Length", "authorization, x-api-key"])
def test_connection_cannot_smuggle_the_credential_or_the_framing(shared, nominated):
    gateway, upstream = shared
    response = gateway.ask("POST", "/secret/x", [("Connection", nominated), *wire.api_key(gateway.key)], b"abc")
    assert response.status in (200, 400)
    if response.status == 200:
        assert upstream.last().body == b"abc" and upstream.last().get("Host")
    assert gateway.key.encode() not in upstream.saw()


def test_hop_by_hop_fields_and_nominated_ones_are_removed_both_ways(shared):
    gateway, upstream = shared
    upstream.behave = answer(b"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
                             b"Proxy-Authenticate: Basic\r\nX-End: 2\r\nContent-Length: 0\r\n\r\n")
    response = gateway.ask("GET", "/open/x", [("Connection", "X-Hop, close"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"),
                                              ("Proxy-Connection", "keep-alive"), ("Proxy-Authorization", "Basic eA=="),
                                              ("TE", "gzip"), ("X-End", "2")])
    upstream.behave = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
    assert not {"x-hop", "keep-alive", "proxy-connection", "proxy-authorization"} & set(upstream.last().names())
    assert "gzip" not in (upstream.last().get("TE") or "")
    assert upstream.last().get("X-End") == "2"
    assert not response.all("X-Hop") and not response.all("Proxy-Authenticate") and response.one("X-End") == "2"


def test_identity_fields_of_the_upstreams_answer_are_not_confused_with_ours(shared):
    gateway, upstream = shared
    assert gateway.ask("GET", "/open/x").status == 200
    assert not [name for name in upstream.last().names() if name.startswith("x-gateway-")], "nobody is known on an open route"
