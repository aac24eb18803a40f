"""Bodies larger than any buffer: bit-exact, in constant memory, each side held back by the other
(acceptance line 3)."""
import hashlib
import socket
import threading
import time

import pytest

import wire
from test_proxying import pattern

GIB = 1 << 30
MIB = 1 << 20


@pytest.fixture
def gateway(system):
    return system(lambda c: c["gateway"].update(limits={"body_bytes": "2GiB"}), tenant=None)


class Watch:
    """The most memory that the gateway held while the block ran."""

    def __init__(self, gateway):
        self.gateway, self.peak, self.stop = gateway, 0, threading.Event()

    def __enter__(self):
        self.start = self.gateway.resident_bytes()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def look(self):
        while not self.stop.wait(0.02):
            self.peak = max(self.peak, self.gateway.resident_bytes())

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.growth = max(self.peak, self.gateway.resident_bytes()) - self.start


def gib_parts():
    block = pattern(65521)
    left = GIB
    while left:
        part = (block * 16)[:left]
        left -= len(part)
        yield part


def warm(gateway):
    for _ in range(3):
        assert gateway.ask("GET", "/bytes/1000").status == 200
        assert gateway.ask("POST", "/hash", body=b"x" * 1000).status == 200


@pytest.mark.long
@pytest.mark.measured
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_one_gib_up_is_bit_exact_in_16_mib(gateway, framing):
    warm(gateway)
    sum_ = hashlib.sha256()
    with gateway.client(timeout=60) as client, Watch(gateway) as memory:
        fields = [("Content-Length", str(GIB))] if framing == "length" else [("Transfer-Encoding", "chunked")]
        client.send(wire.compose("POST", "/hash", fields))
        for part in gib_parts():
            sum_.update(part)
            client.send(part if framing == "length" else b"%x\r\n%s\r\n" % (len(part), part))
        if framing == "chunked":
            client.send(b"0\r\n\r\n")
        answer = client.read("POST")
    assert answer.json() == {"sha256": sum_.hexdigest(), "bytes": GIB}
    assert memory.growth < 16 * MIB, f"grew by {memory.growth / MIB:.1f} MiB"


@pytest.mark.long
@pytest.mark.measured
@pytest.mark.parametrize("query", ["", "?chunked=1"])
def test_one_gib_down_is_bit_exact_in_16_mib(gateway, query):
    warm(gateway)
    wanted, got, count = hashlib.sha256(), hashlib.sha256(), 0
    for part in gib_parts():
        wanted.update(part)
    with gateway.client(timeout=60) as client, Watch(gateway) as memory:
        client.request("GET", f"/bytes/{GIB}{query}")
        for part in client.body(client.read_head()):
            got.update(part)
            count += len(part)
    assert count == GIB and got.hexdigest() == wanted.hexdigest()
    assert memory.growth < 16 * MIB, f"grew by {memory.growth / MIB:.1f} MiB"


def small_buffers(client):
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)


@pytest.mark.measured
def test_slow_reader_holds_the_upstream_back(system, upstream):
    gateway = system(lambda c: c["gateway"].update(limits={"body_bytes": "2GiB"}), upstream, demo=False, tenant=None)
    sent = [0]

    def pour(connection, _):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % GIB)
        block = b"x" * 65536
        while sent[0] < GIB:
            connection.socket.sendall(block)
            sent[0] += len(block)
        return False
    upstream.behave = pour
    with gateway.client() as client, Watch(gateway) as memory:
        client.request("GET", "/raw/x")
        assert client.read_head().status == 200
        time.sleep(1)
        stalled_at = sent[0]
        time.sleep(1.5)
        assert sent[0] == stalled_at < 64 * MIB, "the upstream was not held back"
        for _ in range(400):  # reading again lets it go on
            client.socket.recv(262144)
        assert upstream.wait_for(lambda: sent[0] > stalled_at)
    assert memory.growth < 16 * MIB, f"grew by {memory.growth / MIB:.1f} MiB"


@pytest.mark.measured
def test_slow_upstream_holds_the_client_back(system, upstream):
    gateway = system(lambda c: c["gateway"].update(limits={"body_bytes": "2GiB"}), upstream, demo=False, tenant=None)
    upstream.reads_body = False
    go = threading.Event()

    def read_late(connection, request):
        go.wait(10)
        connection.read_body(request)
        return False
    upstream.behave = read_late
    with gateway.client() as client, Watch(gateway) as memory:
        client.send(wire.compose("POST", "/raw/x", [("Content-Length", str(GIB))]))
        client.socket.settimeout(1)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < GIB:
                sent += client.socket.send(b"x" * 65536)
        assert sent < 64 * MIB, "the client was not held back"
        before, _ = sent, go.set()
        client.socket.settimeout(5)
        for _ in range(100):
            sent += client.socket.send(b"x" * 65536)
        assert sent > before
    assert memory.growth < 16 * MIB, f"grew by {memory.growth / MIB:.1f} MiB"


@pytest.mark.measured
def test_a_hundred_slow_readers_cost_bounded_memory(system):
    gateway = system(tenant=None)
    warm(gateway)
    clients = [gateway.client() for _ in range(100)]
    with Watch(gateway) as memory:
        for client in clients:
            client.request("GET", "/bytes/100000000")
        time.sleep(2)
    for client in clients:
        client.__exit__()
    assert memory.growth < 100 * 512 * 1024, f"{memory.growth / MIB:.1f} MiB for 100 slow readers"


def test_slow_reader_gets_all_of_it(gateway):
    with gateway.client(timeout=30) as client:
        small_buffers(client)
        client.request("GET", "/bytes/20000000")
        total, sum_ = 0, hashlib.sha256()
        for part in client.body(client.read_head()):
            total += len(part)
            sum_.update(part)
            time.sleep(0.005)
    assert total == 20_000_000 and sum_.hexdigest() == hashlib.sha256(pattern(20_000_000)).hexdigest()


@pytest.mark.long
@pytest.mark.measured
def test_memory_does_not_grow_with_requests(system, load):
    gateway = system(lambda c: c["log"].update(access="off"))
    key = gateway.create_key()["key"]
    run = dict(closed=True, connections=64, header=[f"X-API-Key: {key}"])
    load(gateway.port, "/v1/orders", seconds=3, **run).result()
    before = gateway.resident_bytes()
    result = load(gateway.port, "/v1/orders", seconds=10, **run).result()
    assert result["responses"] > 20_000
    assert gateway.resident_bytes() - before < 4 * MIB
