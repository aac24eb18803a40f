"""The proxies that are compared: how each is configured, started and asked, and what it must be able to do.
Configurations are templates in bench/peers; @name@ is filled in here."""
import hashlib
import json
import os
import shutil
import subprocess

from processes import Failed, free_port

TEMPLATES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers")
LUA_MODULE = "/usr/lib/nginx/modules/ngx_http_lua_module.so"
# Keys of the peers: the same length as the gateway's own, so that hashing costs the same.
GOOD_KEY = "pc_live_" + "4fQz0c9XkT2mB7aP" + "s7Jd02LqPz81mXcVbN45rTyUiOp3aWeZ" + "0kQ9fQ"
NARROW_KEY = "pc_live_" + "8aBq1d7YlU3nC6bR" + "f6Kc93MwQy70nZxCvB54eRtYuIo2pAsD" + "1mW8gR"


class Peer:
    """One proxy in front of the upstream. `checks`: it authenticates, authorises and limits."""
    name = ""
    checks = False

    def __init__(self, context):
        self.context = context
        self.port = free_port()
        self.process = None
        self.key, self.narrow_key = GOOD_KEY, NARROW_KEY

    def available(self):
        return None  # or the reason why not

    def start(self, processes):
        raise NotImplementedError

    def fill(self, template, name, **values):
        with open(os.path.join(TEMPLATES, template)) as f:
            text = f.read()
        values = {"port": self.port, "upstream": self.context.upstream_port, "dir": self.context.directory, **values}
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        path = os.path.join(self.context.directory, name)
        with open(path, "w") as f:
            f.write(text)
        return path


class Floor(Peer):
    name = "relay (floor)"

    def start(self, processes):
        program = os.path.join(self.context.build, "bench", "floor")
        self.process = processes.start("floor", [program, str(self.port), str(self.context.upstream_port)], 1, self.port)


class HaproxyPlain(Peer):
    name = "HAProxy plain"
    template = "haproxy_plain.cfg"

    def available(self):
        return None if shutil.which("haproxy") else "haproxy is not installed"

    def start(self, processes):
        bufsize = 32768 if self.context.workload == "16k" else 16384
        grants = os.path.join(self.context.directory, "haproxy.map")
        with open(grants, "w") as f:
            f.write(f"{hashlib.sha256(GOOD_KEY.encode()).hexdigest()} acme/orders:read,orders:write\n")
            f.write(f"{hashlib.sha256(NARROW_KEY.encode()).hexdigest()} acme/reports:read\n")
        config = self.fill(self.template, self.template, bufsize=bufsize, map=grants)
        self.process = processes.start(self.template, [shutil.which("haproxy"), "-db", "-f", config], 1, self.port)


class HaproxyChecks(HaproxyPlain):
    name = "HAProxy with the checks"
    template = "haproxy_checks.cfg"
    checks = True


class NginxPlain(Peer):
    name = "nginx plain"
    template = "nginx_plain.conf"

    def available(self):
        return None if shutil.which("nginx") else "nginx is not installed"

    def start(self, processes):
        directory = os.path.join(self.context.directory, self.template + ".d")
        os.makedirs(directory, exist_ok=True)
        config = self.fill(self.template, self.template, dir=directory)
        self.prepare(directory)
        self.process = processes.start(self.template, [shutil.which("nginx"), "-p", directory, "-c", config], 1, self.port)

    def prepare(self, directory):
        pass


class NginxLua(NginxPlain):
    name = "nginx with the checks in Lua"
    template = "nginx_lua.conf"
    checks = True

    def available(self):
        return super().available() or (None if os.path.exists(LUA_MODULE) else "libnginx-mod-http-lua is not installed")

    def prepare(self, directory):
        def entry(key, scopes):
            digest = "".join(f"\\{byte:03d}" for byte in hashlib.sha256(key.encode()).digest())
            held = ", ".join(f'["{scope}"] = true' for scope in scopes)
            return f'["{digest}"] = {{ tenant = "acme", scopes = {{ {held} }} }}'
        grants = ", ".join([entry(GOOD_KEY, ["orders:read", "orders:write"]), entry(NARROW_KEY, ["reports:read"])])
        os.replace(self.fill("nginx_lua.lua", "checks.lua", grants=grants), os.path.join(directory, "checks.lua"))


class Portcullis(Peer):
    name = "portcullis"
    checks = True

    def available(self):
        return None if os.access(self.context.gateway, os.X_OK) else f"no gateway at {self.context.gateway}"

    def start(self, processes):
        directory = os.path.join(self.context.directory, "portcullis")
        os.makedirs(directory, mode=0o700, exist_ok=True)
        config = self.fill("portcullis.yaml", "portcullis.yaml", dir=directory, admin=free_port())
        self.run(config, ["tenants", "add", "acme"])
        self.key = self.create(config, "orders", "orders:read,orders:write")
        self.narrow_key = self.create(config, "reports", "reports:read")
        self.process = processes.start("portcullis", [self.context.gateway, "serve", "--config", config], 1, self.port)

    def create(self, config, name, scopes):
        return json.loads(self.run(config, ["keys", "create", "--tenant", "acme", "--name", name, "--scopes", scopes,
                                            "--json"]))["key"]

    def run(self, config, arguments):
        done = subprocess.run([self.context.gateway, *arguments, "--config", config], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"portcullis {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
        return done.stdout


ALL = {"floor": Floor, "haproxy-plain": HaproxyPlain, "haproxy": HaproxyChecks, "nginx-plain": NginxPlain,
       "nginx-lua": NginxLua, "portcullis": Portcullis}
