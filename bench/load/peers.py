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
LUA_REDIS = "/usr/share/lua/5.1/nginx/redis.lua"
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
        self.redis = None  # the Redis that it uses, if any
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


    def start_redis(self, processes, name):
        """A Redis of its own, beside the load: its port."""
        port = free_port()
        directory = os.path.join(self.context.directory, name)
        os.makedirs(directory, exist_ok=True)
        self.redis = processes.start(name, [shutil.which("redis-server"), "--port", str(port), "--bind", "127.0.0.1",
                                            "--save", "", "--dir", directory], 0, port)
        return port


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
    charge = "charge_memory.lua"
    redis_port = 0
    checks = True

    def available(self):
        return super().available() or (None if os.path.exists(LUA_MODULE) else "libnginx-mod-http-lua is not installed")

    def prepare(self, directory):
        def entry(key, scopes):
            digest = "".join(f"\\{byte:03d}" for byte in hashlib.sha256(key.encode()).digest())
            held = ", ".join(f'["{scope}"] = true' for scope in scopes)
            return f'["{digest}"] = {{ tenant = "acme", scopes = {{ {held} }} }}'
        grants = ", ".join([entry(GOOD_KEY, ["orders:read", "orders:write"]), entry(NARROW_KEY, ["reports:read"])])
        with open(os.path.join(TEMPLATES, self.charge)) as f:
            charge = f.read()
        module = self.fill("nginx_lua.lua", "checks.lua", charge=charge, grants=grants, redis=self.redis_port)
        os.replace(module, os.path.join(directory, "checks.lua"))


class NginxLuaRedis(NginxLua):
    name = "nginx with Lua, a Redis call per request"
    charge = "charge_redis.lua"

    def available(self):
        return super().available() or (None if os.path.exists(LUA_REDIS) else "lua-nginx-redis is not installed") or \
            (None if shutil.which("redis-server") else "redis-server is not installed")

    def start(self, processes):
        self.redis_port = self.start_redis(processes, "redis-of-nginx")
        super().start(processes)


class Portcullis(Peer):
    name = "portcullis"
    folder = "portcullis"
    checks = True
    exact = False

    def available(self):
        return None if os.access(self.context.gateway, os.X_OK) else f"no gateway at {self.context.gateway}"

    def start(self, processes):
        directory = os.path.join(self.context.directory, self.folder)
        os.makedirs(directory, mode=0o700, exist_ok=True)
        config = self.fill("portcullis.yaml", self.folder + ".yaml", dir=directory, admin=free_port(),
                           limits=self.limits(processes), exact=", exact: true" if self.exact else "")
        self.run(config, ["tenants", "add", "acme"])
        self.key = self.create(config, "orders", "orders:read,orders:write")
        self.narrow_key = self.create(config, "reports", "reports:read")
        self.process = processes.start(self.folder, [self.context.gateway, "serve", "--config", config], 1, self.port)

    def limits(self, _processes):
        return "{ memory: {} }"

    def create(self, config, name, scopes):
        return json.loads(self.run(config, ["keys", "create", "--tenant", "acme", "--name", name, "--scopes", scopes,
                                            "--json"]))["key"]

    def run(self, config, arguments):
        done = subprocess.run([self.context.gateway, *arguments, "--config", config], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"portcullis {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
        return done.stdout


class PortcullisLeases(Portcullis):
    name = "portcullis, Redis with leases"
    folder = "portcullis-leases"

    def available(self):
        return super().available() or (None if shutil.which("redis-server") else "redis-server is not installed")

    def limits(self, processes):
        return f'{{ redis: {{ url: "redis://127.0.0.1:{self.start_redis(processes, "redis-of-" + self.folder)}" }} }}'


class PortcullisExact(PortcullisLeases):
    name = "portcullis, Redis with exact limits"
    folder = "portcullis-exact"
    exact = True


ALL = {"floor": Floor, "haproxy-plain": HaproxyPlain, "haproxy": HaproxyChecks, "nginx-plain": NginxPlain,
       "nginx-lua": NginxLua, "portcullis": Portcullis, "nginx-redis": NginxLuaRedis, "portcullis-leases": PortcullisLeases,
       "portcullis-exact": PortcullisExact}
