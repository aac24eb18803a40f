"""The system under test: one gateway process with its demo API, configuration, keys and admin API.
Nothing is shared between two systems; everything one writes lies in its own folder."""
import copy
import json
import os
import re
import signal
import socket
import subprocess
import time

import keytext
import wire
from ports import free_port

BOOTSTRAP_VARIABLE = "PORTCULLIS_E2E_BOOTSTRAP"
SANITIZER_REPORT = re.compile(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|Sanitizer:DEADLYSIGNAL)")
API = "/api/v1/platform"


def wait_until(condition, seconds=10, every=0.02):
    """True as soon as `condition()` is; False after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if condition():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(every)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def route(name, path, upstream="demo", **more):
    """A route open to everybody unless `scopes` are given."""
    match = {"path": path}
    for key in ("host", "methods"):
        if key in more:
            match[key] = more.pop(key)
    result = {"id": name, "match": match, "upstream": upstream}
    if "scopes" not in more and "any_scope" not in more and "auth" not in more:
        result["auth"] = "none"
    return {**result, **more}


def basic_config():
    """Open routes to the demo API under its own paths and to the scripted upstream under /raw, and guarded
    ones under /v1/orders, /v1/reports and /guarded (scripted)."""
    return {
        "version": 1,
        "gateway": {"workers": 2, "timeouts": {"drain": "2s"}},
        "admin": {"bootstrap_key": "${env:%s}" % BOOTSTRAP_VARIABLE},
        "log": {"level": "info", "access": "stdout"},
        "keys": {"brand": "pc", "bcrypt_cost": 4},
        "usage": {"flush": "500ms"},
        "scopes": {"orders:read": "Read orders", "orders:write": "Create and change orders", "reports:read": "Read reports"},
        "upstreams": {},
        "routes": [
            route("orders-read", "/v1/orders/**", methods=["GET", "HEAD"], scopes=["orders:read"]),
            route("orders-write", "/v1/orders/**", methods=["POST", "PUT"], scopes=["orders:write"]),
            route("reports", "/v1/reports/**", scopes=["reports:read", "orders:read"]),
            route("guarded", "/guarded/**", upstream="scripted", scopes=["orders:read"]),
            route("raw", "/raw/**", upstream="scripted"),
            route("dead", "/dead/**", upstream="dead"),
        ] + [route(name, path) for name, path in [
            ("echo", "/echo/**"), ("bytes", "/bytes/**"), ("hash", "/hash"), ("slow", "/slow"), ("drip", "/drip"),
            ("trailers", "/trailers"), ("hints", "/hints"), ("status", "/status/**")]],
    }


class CommandError(Exception):
    def __init__(self, command, done):
        super().__init__(f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr


class System:
    def __init__(self, binary, directory, change=None, upstream_port=None, demo=True):
        self.binary, self.directory = binary, str(directory)
        self.port, self.admin_port, self.demo_port = free_port(), free_port(), free_port()
        self.dead_port = free_port()
        self.bootstrap_key = keytext.make()
        self.environment = {**os.environ, BOOTSTRAP_VARIABLE: self.bootstrap_key,
                            "TMPDIR": os.path.join(self.directory, "tmp")}
        os.makedirs(self.environment["TMPDIR"], exist_ok=True)
        self.processes, self.serve, self.starts, self.secrets = [], None, 0, [self.bootstrap_key]
        self.expected_exit = 0
        config = basic_config()
        config["gateway"]["listen"] = [{"address": f"127.0.0.1:{self.port}"}]
        config["admin"]["listen"] = [{"address": f"127.0.0.1:{self.admin_port}"}]
        config["stores"] = {"metadata": {"sqlite": self.path("data", "portcullis.db")},
                            "secrets": {"local": self.path("data", "secrets")}}
        for name, port in [("demo", self.demo_port), ("scripted", upstream_port or self.dead_port), ("dead", self.dead_port)]:
            config["upstreams"][name] = {"targets": [f"http://127.0.0.1:{port}"]}
        self.config = copy.deepcopy(config)
        if change:
            change(self.config)
        self.config_file = self.write_config()
        if demo:
            self.start_demo()

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def write_config(self):
        """JSON is YAML."""
        path = self.path("gateway.yaml")
        with open(path, "w") as f:
            json.dump(self.config, f, indent=2)
        return path

    # Processes.

    def launch(self, name, arguments, environment=None):
        log = self.path(name + ".log")
        with open(log, "a") as out:
            process = subprocess.Popen([self.binary, *arguments], stdout=out, stderr=subprocess.STDOUT,
                                       stdin=subprocess.DEVNULL, cwd=self.directory, start_new_session=True,
                                       env={**self.environment, **(environment or {})})
        process.log = log
        self.processes.append(process)
        return process

    def start_demo(self):
        self.demo = self.launch("demo-api", ["demo-api", "--listen", f"127.0.0.1:{self.demo_port}"])
        assert wait_until(lambda: listens(self.demo_port), 20), self.read("demo-api.log")

    def start(self, environment=None, ready=True):
        self.starts += 1
        self.serve = self.launch("serve", self.serve_arguments(), environment)
        if ready:
            assert wait_until(self.is_ready, 30), f"not ready\n{self.logs()[-4000:]}"
        return self

    def serve_arguments(self):
        return ["serve", "--config", self.config_file]

    def use_bootstrap_key(self, key):
        """Another system's, before this one starts."""
        self.bootstrap_key = self.environment[BOOTSTRAP_VARIABLE] = key
        self.secrets.append(key)

    def is_ready(self):
        assert self.serve.poll() is None, f"serve ended with {self.serve.returncode}\n{self.logs()[-4000:]}"
        try:
            return wire.ask(self.admin_port, "GET", "/readyz").status == 200
        except (OSError, wire.Closed, wire.Truncated):
            return False

    def terminate(self, within=40):
        """SIGTERM, and the exit code."""
        self.serve.send_signal(signal.SIGTERM)
        return self.serve.wait(within)

    def kill(self):
        self.serve.kill()
        self.serve.wait()

    def close(self):
        """Ends everything; then the exit of a running gateway must have been clean."""
        code = self.expected_exit
        try:
            if self.serve is not None and self.serve.poll() is None:
                code = self.terminate()
        finally:
            for process in reversed(self.processes):
                if process.poll() is None:
                    process.terminate()
                    try:
                        process.wait(10)
                    except subprocess.TimeoutExpired:
                        process.kill()
                        process.wait()
        logs = self.logs() + self.read("demo-api.log")
        report = SANITIZER_REPORT.search(logs)
        assert not report, logs[max(0, report.start() - 500):report.start() + 4000]
        assert code == self.expected_exit, f"serve ended with {code}\n{logs[-4000:]}"
        assert not self.leftovers(), f"left running: {self.leftovers()}"

    def leftovers(self):
        """Processes whose command line names this system's folder."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read().split(b"\0")
            except OSError:
                continue
            if words[0] == self.binary.encode() and self.directory.encode() in b" ".join(words):
                found.append(int(pid))
        return found

    # What it wrote, and what it uses.

    def read(self, name):
        try:
            with open(self.path(name), errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def logs(self):
        return self.read("serve.log")

    def access_log(self):
        """The access log's entries, as JSON objects."""
        entries = []
        for line in self.logs().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if "status" in entry and ("path" in entry or "route" in entry):
                entries.append(entry)
        return entries

    def resident_bytes(self):
        with open(f"/proc/{self.serve.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.serve.pid}/fd"))

    def metrics(self):
        """{'name{labels}': value}"""
        text = wire.ask(self.admin_port, "GET", "/metrics").body.decode()
        result = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                result[name] = float(value)
        return result

    def metric(self, name):
        """The sum of all series of this name; it must exist."""
        values = [value for series, value in self.metrics().items() if series.split("{")[0] == name]
        assert values, f"no metric {name}"
        return sum(values)

    # The command line.

    def cli(self, *arguments, environment=None, config=None):
        """Standard output; raises CommandError unless the exit code is 0."""
        command = [self.binary, *arguments, "--config", config or self.config_file]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.directory, timeout=60,
                              env={**self.environment, **(environment or {})})
        assert not SANITIZER_REPORT.search(done.stderr), done.stderr
        if done.returncode != 0:
            raise CommandError(" ".join(arguments), done)
        return done.stdout

    def cli_json(self, *arguments):
        return json.loads(self.cli(*arguments, "--json"))

    def add_tenant(self, name="acme"):
        self.cli("tenants", "add", name)
        return name

    def create_key(self, scopes="orders:read", tenant="acme", name="a key", **options):
        """Through the command line; the JSON object, with the secret in `key`."""
        arguments = ["keys", "create", "--tenant", tenant, "--name", name, "--scopes", scopes]
        for option, value in options.items():
            arguments += ["--" + option.replace("_", "-"), str(value)]
        made = self.cli_json(*arguments)
        self.secrets.append(made["key"])
        return made

    # The admin API.

    def api(self, method, path, body=None, fields=(), key=None):
        fields = [*wire.bearer(key or self.bootstrap_key), *fields]
        data = b""
        if body is not None:
            data = json.dumps(body).encode()
            fields.append(("Content-Type", "application/json"))
        response = wire.ask(self.admin_port, method, API + path, fields, data)
        if response.status == 201 and b'"key":' in response.body.replace(b" ", b""):
            issued = response.json().get("key")
            if issued:
                self.secrets.append(issued)
        return response

    def api_create(self, scopes=("orders:read",), tenant="acme", **members):
        response = self.api("POST", "/api-keys", {"name": "a key", "tenant": tenant, "scopes": list(scopes), **members})
        assert response.status == 201, response
        return response.json()

    def patch(self, key_id, changes):
        current = self.api("GET", f"/api-keys/{key_id}")
        assert current.status == 200, current
        return self.api("PATCH", f"/api-keys/{key_id}", changes, [("If-Match", current.one("ETag"))])

    # The data path.

    def ask(self, method, target, fields=(), body=b"", **options):
        return wire.ask(self.port, method, target, fields, body, **options)

    def client(self, **options):
        return wire.Client(self.port, **options)
