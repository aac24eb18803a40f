"""Fixtures: the binary, systems made of it, the scripted upstream and the load tool."""
import os
import subprocess

import pytest

from fleet import Fleet
from load_tool import Load, find
from system import System
from upstreams import ScriptedUpstream

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(scope="session")
def binary():
    path = os.environ.get("PORTCULLIS_BINARY") or os.path.join(HERE, "..", "..", "build", "release", "portcullis")
    path = os.path.realpath(path)
    assert os.access(path, os.X_OK), f"no gateway at {path}; build it, or set PORTCULLIS_BINARY"
    return path


@pytest.fixture(scope="session")
def is_sanitized(binary):
    symbols = subprocess.run(["grep", "-c", "-e", "__asan_init", "-e", "__tsan_init", binary], capture_output=True, text=True)
    return symbols.stdout.strip() not in ("", "0")


@pytest.fixture(autouse=True)
def measured_only_where_it_means_something(request):
    """A sanitized build is several times slower and larger: its times and memory say nothing."""
    if request.node.get_closest_marker("measured") and request.getfixturevalue("is_sanitized"):
        pytest.skip("measured: not in a sanitized build")


@pytest.fixture
def system(binary, tmp_path):
    """A factory: system(change=..., upstream=..., start=True) -> System, ended and checked after the test."""
    made = []

    def make(change=None, upstream=None, start=True, demo=True, tenant="acme"):
        directory = tmp_path / f"system{len(made)}"
        directory.mkdir()
        one = System(binary, directory, change, upstream.port if upstream else None, demo)
        made.append(one)
        if tenant:
            one.add_tenant(tenant)
        if start:
            one.start()
        return one

    yield make
    problems = []
    for one in reversed(made):
        try:
            one.close()
        except Exception as problem:  # every system must be ended before one is reported
            problems.append(problem)
    if problems:
        raise problems[0]


@pytest.fixture
def fleet(binary, tmp_path):
    """A factory: fleet(stores, ...) -> Fleet, ended and checked after the test."""
    made = []

    def make(stores, **options):
        directory = tmp_path / f"fleet{len(made)}"
        directory.mkdir()
        made.append(Fleet(binary, directory, stores, **options))
        return made[-1]

    yield make
    for one in reversed(made):
        one.close()


@pytest.fixture
def upstream():
    one = ScriptedUpstream()
    yield one
    one.stop()


@pytest.fixture
def upstream_pair(system, upstream):
    """A started gateway in front of the scripted upstream, without the demo API."""
    return system(upstream=upstream, demo=False, tenant=None), upstream


@pytest.fixture
def load(binary):
    """Starts the load tool; whatever still runs is ended after the test."""
    program = find(binary)
    started = []

    def start(port, path="/", **options):
        one = Load(program, port, path, **options)
        started.append(one)
        return one

    yield start
    for one in started:
        one.stop()
