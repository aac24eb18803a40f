"""Holds every proxy to the job before it is measured: a benchmark of a proxy that skips a check is worth
nothing. Each failed expectation ends the run."""
import http.client

from processes import Failed


def ask(peer, path="/v1/orders/1", key=None, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=10)
    try:
        connection.request(method, path, headers={"X-API-Key": key} if key else {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode("latin-1")
    finally:
        connection.close()


def expect(peer, what, actual, allowed):
    if actual not in allowed:
        raise Failed(f"{peer.name}: {what}: {actual} instead of {' or '.join(map(str, allowed))}")


def spoiled(key):
    return key[:-1] + ("0" if key[-1] != "0" else "1")


def verify(peer):
    status, headers, body = ask(peer, key=peer.key)
    expect(peer, "a good key", status, (200,))
    if '"orders"' not in body:
        raise Failed(f"{peer.name}: the answer is not the upstream's: {body[:200]}")
    expect(peer, "16 KiB", len(ask(peer, "/v1/orders/16k", peer.key)[2]), (16384,))
    if not peer.checks:
        return
    expect(peer, "no key", ask(peer)[0], (401,))
    expect(peer, "a wrong key", ask(peer, key=spoiled(peer.key))[0], (401, 403))
    expect(peer, "a key without the scope", ask(peer, key=peer.narrow_key)[0], (403,))
    expect(peer, "the scope it does have", ask(peer, "/v1/reports/1", peer.narrow_key)[0], (200,))
    if sum(1 for name in headers if "ratelimit" in name) < 3 and "ratelimit-policy" not in headers:
        raise Failed(f"{peer.name}: rate-limit headers are missing: {headers}")
    seen = ask(peer, "/v1/orders/echo", peer.key)[2]
    if peer.key in seen:
        raise Failed(f"{peer.name}: the upstream saw the key")
    if "x-gateway-tenant: acme" not in seen.lower():
        raise Failed(f"{peer.name}: the upstream was not told the tenant: {seen}")
