"""Ports that nobody else takes, though the tests of several processes run at once.

A port that the kernel chose is free only for as long as it is bound: until the gateway binds it, another test's
system may have been given it too, and since workers share their port (SO_REUSEPORT) both would then answer there.
So ports come from below the range that the kernel gives to clients, and each is claimed by a name of the abstract
Unix namespace, which belongs to one process of the machine and goes with it."""
import collections
import os
import random
import socket

FIRST, LAST = 10000, 32000
KEPT = 400  # claims of systems that have ended long ago are let go

_claims = collections.deque()
_random = random.Random(os.getpid())


def _claim(port):
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claim.bind(f"\0portcullis-test-port-{port}")
    except OSError:
        claim.close()
        return None
    return claim


def _is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def free_port():
    for _ in range(1000):
        port = _random.randrange(FIRST, LAST)
        claim = _claim(port)
        if claim is None:
            continue
        if not _is_free(port):
            claim.close()
            continue
        _claims.append(claim)
        if len(_claims) > KEPT:
            _claims.popleft().close()
        return port
    raise RuntimeError("no free port")
