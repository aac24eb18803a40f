"""`portcullis check` and the other commands that read the configuration (acceptance line 2)."""
import json
import re
import subprocess

import pytest

PROBLEM = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+): (?P<path>[^:]*): (?P<message>.+)$")

FIVE_MISTAKES = """\
version: 1
gateway:
  listen: [{ address: 127.0.0.1:18080 }]
  workerz: 2
  timeouts: { head: 10 parsecs }
admin:
  listen: [{ address: 127.0.0.1:18081 }]
scopes: { "orders:read": Read orders }
upstreams:
  orders: { targets: ["http://127.0.0.1:9001"] }
routes:
  - id: orders-read
    match: { path: /v1/orders/**, methods: [GET] }
    scopes: ["orders:raed"]
    upstream: ordres
  - id: orders-read
    match: { path: /v1/other/** }
    scopes: ["orders:read"]
    upstream: orders
"""
# line, column, a word of the path, a word of the message
EXPECTED = [(4, 3, "workerz", "workers"), (5, 21, "head", "parsecs"), (14, 14, "scopes", "orders:read"),
            (15, 15, "upstream", "orders"), (16, 9, "id", "orders-read")]

GOOD = FIVE_MISTAKES.replace("workerz", "workers").replace("10 parsecs", "10s").replace("orders:raed", "orders:read") \
    .replace("upstream: ordres", "upstream: orders").replace("- id: orders-read\n    match: { path: /v1/other", "- id: other\n    match: { path: /v1/other")


def check(binary, tmp_path, text, *more):
    file = tmp_path / "gateway.yaml"
    file.write_text(text)
    done = subprocess.run([binary, "check", "--config", str(file), *more], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    problems = []
    for line in (done.stdout + done.stderr).splitlines():
        if match := PROBLEM.match(line):
            assert match["file"].endswith("gateway.yaml")
            problems.append((int(match["line"]), int(match["column"]), match["path"], match["message"]))
    return done, problems


def test_five_mistakes_are_all_reported_in_one_run_with_line_and_column(binary, tmp_path):
    done, problems = check(binary, tmp_path, FIVE_MISTAKES)
    assert done.returncode == 1
    for line, column, path, message in EXPECTED:
        assert [p for p in problems if p[:2] == (line, column) and path in p[2] and message in p[3]], \
            f"{line}:{column} {path}: no such problem in\n{done.stdout}{done.stderr}"
    assert len(problems) == len(EXPECTED), done.stdout + done.stderr


def test_good_file_passes_and_lists_open_routes(binary, tmp_path):
    done, problems = check(binary, tmp_path, GOOD)
    assert done.returncode == 0 and not problems, done.stdout + done.stderr
    open_route = GOOD.replace("""    match: { path: /v1/other/** }
    scopes: ["orders:read"]""", """    match: { path: /v1/other/** }
    auth: none""")
    done, _ = check(binary, tmp_path, open_route)
    assert done.returncode == 0 and "other" in done.stdout + done.stderr and "auth: none" in done.stdout + done.stderr


@pytest.mark.parametrize("old, new, words", [
    ("version: 1", "version: 2", ["version"]),
    ("gateway:", "gateway:\n  workers: 1\n  workers: 2", ["workers"]),
    ("gateway:", "gateway:\n  limits: { head_bytes: 16 KB }", ["head_bytes"]),
    ("gateway:", "gateway:\n  trusted_proxies: [10.0.0.1/8x]", ["trusted_proxies"]),
    ("127.0.0.1:18080", "127.0.0.1:188080", ["listen"]),
    ("http://127.0.0.1:9001", "ftp://127.0.0.1:9001", ["targets"]),
    ("http://127.0.0.1:9001", "http://127.0.0.1:9001/path", ["targets"]),
    ("methods: [GET]", "methods: [GET, FETCH]", ["methods"]),
    ("/v1/other/**", "/v1/**/other", ["path"]),
    ("/v1/other/**", "v1/other", ["path"]),
    ("/v1/other/**", "/v1/orders/**, methods: [GET]", ["orders-read"]),
    ("    upstream: orders\n", "    upstream: orders\n    limits: [{ name: a, rate: 10/fortnight }]\n", ["rate"]),
    ("    upstream: orders\n", "    upstream: orders\n    limits: [{ name: a, rate: 1/s, quota: 5/d }]\n", ["limits"]),
    ("scopes: { \"orders:read\"", "scopes: { \"orders\"", ["scopes"]),
    ("gateway:", "gateway:\n  listen: [{ address: 127.0.0.1:18082, tls: { certificates: [] } }]", []),
    ("admin:", "admin:\n  bootstrap_key: ${env:NO_SUCH_VARIABLE_HERE}", ["NO_SUCH_VARIABLE_HERE"]),
    ("admin:", "admin:\n  bootstrap_key: plain-text-secret", ["bootstrap_key"]),
    ("upstreams:", "upstreams: [", []),
])
def test_mistake_is_refused_naming_the_field(binary, tmp_path, old, new, words):
    done, problems = check(binary, tmp_path, GOOD.replace(old, new, 1))
    assert done.returncode == 1, done.stdout + done.stderr
    assert problems, done.stdout + done.stderr
    for word in words:
        assert [p for p in problems if word in p[2] or word in p[3]], done.stdout + done.stderr
    assert "plain-text-secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "\0\0\0", "version: 1\n" + "a: &a [*a]\n", "{" * 5000])
def test_no_file_ends_check_by_a_crash(binary, tmp_path, text):
    done, _ = check(binary, tmp_path, text)
    assert done.returncode == 1 and done.stdout + done.stderr


def test_a_version_alone_is_a_good_file_that_serves_nothing(binary, tmp_path):
    done, _ = check(binary, tmp_path, "version: 1\n")
    assert done.returncode == 0 and "no routes" in done.stdout + done.stderr


def test_serve_refuses_a_bad_file_with_the_same_problems(binary, tmp_path):
    _, problems = check(binary, tmp_path, FIVE_MISTAKES)
    done = subprocess.run([binary, "serve", "--config", str(tmp_path / "gateway.yaml")], capture_output=True, text=True,
                          cwd=tmp_path, timeout=30)
    assert done.returncode == 1
    for line, column, _, _ in problems:
        assert f"gateway.yaml:{line}:{column}:" in done.stderr + done.stdout


def test_missing_file_is_named(binary, tmp_path):
    done = subprocess.run([binary, "check", "--config", str(tmp_path / "none.yaml")], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "none.yaml" in done.stderr + done.stdout


def test_every_subcommand_has_help_with_an_example(binary):
    for command in (["serve"], ["check"], ["explain"], ["keys"], ["keys", "create"], ["keys", "list"], ["keys", "show"], ["keys", "disable"],
                    ["keys", "enable"], ["keys", "regenerate"], ["keys", "revoke"], ["tenants"], ["tenants", "add"], ["tenants", "list"],
                    ["migrate"], ["demo-api"], ["version"]):
        done = subprocess.run([binary, *command, "--help"], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0 and "xample" in done.stdout, command


def test_explain_names_route_scopes_and_verdict(system):
    gateway = system(start=False)
    key = gateway.create_key()
    said = gateway.cli_json("explain", "--key-id", key["key_id"], "GET", "http://localhost/v1/orders/7")
    assert "orders-read" in json.dumps(said) and "orders:read" in json.dumps(said)
    refused = gateway.cli_json("explain", "--key-id", key["key_id"], "POST", "http://localhost/v1/orders")
    assert "orders:write" in json.dumps(refused) and "insufficient_scope" in json.dumps(refused)


def test_json_output_is_one_document_and_logs_go_to_standard_error(system):
    gateway = system(start=False)
    for arguments in (["tenants", "list"], ["keys", "list", "--tenant", "acme"], ["keys", "create", "--tenant", "acme", "--name", "n", "--scopes", "orders:read"]):
        assert json.loads(gateway.cli(*arguments, "--json")) is not None


def test_second_serve_on_the_same_database_is_refused(system):
    gateway = system(tenant=None)
    done = subprocess.run([gateway.binary, "serve", "--config", gateway.config_file], capture_output=True, text=True,
                          env=gateway.environment, timeout=20)
    assert done.returncode != 0
    assert gateway.ask("GET", "/bytes/1").status == 200
