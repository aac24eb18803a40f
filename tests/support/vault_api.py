"""What a Vault or OpenBao server answers, without the sockets: KV version 2, AppRole, tokens, health, as documented
at developer.hashicorp.com/vault/api-docs (secret/kv/kv-v2, auth/approle, auth/token, system/health).

`Vault.answer(Request)` gives (status, body as a JSON-able object or None). tests/support/vault_server.py serves it.
"""
import datetime
import json
import re
import secrets
import threading
import time
import uuid

KV_OPERATIONS = ("data", "metadata", "delete", "undelete", "destroy")


def timestamp(seconds=None):
    moment = datetime.datetime.fromtimestamp(time.time() if seconds is None else seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


class Refused(Exception):
    def __init__(self, status, *errors):
        super().__init__(errors)
        self.status, self.errors = status, list(errors)


class Request:
    def __init__(self, method, path, query, headers, body):
        self.method, self.path, self.query, self.headers, self.body = method, path, query, headers, body

    def json(self):
        if not self.body:
            return {}
        try:
            value = json.loads(self.body)
        except ValueError as problem:
            raise Refused(400, f"failed to parse JSON input: {problem}") from None
        if not isinstance(value, dict):
            raise Refused(400, "failed to parse JSON input: not an object")
        return value


class Entry:
    """One path of a KV engine: its versions, of which the newest ten are kept."""
    KEPT = 10

    def __init__(self):
        self.current, self.versions, self.created = 0, {}, timestamp()

    def write(self, data):
        self.current += 1
        self.versions[self.current] = {"data": data, "created_time": timestamp(), "deletion_time": "", "destroyed": False}
        for old in [v for v in self.versions if v <= self.current - self.KEPT]:
            del self.versions[old]
        return self.about(self.current)

    def about(self, version):
        v = self.versions[version]
        return {"created_time": v["created_time"], "custom_metadata": None, "deletion_time": v["deletion_time"],
                "destroyed": v["destroyed"], "version": version}

    def delete(self, version):
        if version in self.versions and not self.versions[version]["destroyed"]:
            self.versions[version]["deletion_time"] = timestamp()

    def undelete(self, version):
        if version in self.versions and not self.versions[version]["destroyed"]:
            self.versions[version]["deletion_time"] = ""

    def destroy(self, version):
        if version in self.versions:
            self.versions[version].update(data=None, destroyed=True)

    def is_readable(self, version):
        return not self.versions[version]["deletion_time"] and not self.versions[version]["destroyed"]


class Token:
    def __init__(self, text, ttl, max_ttl, renewable, namespace, policies, read_only=False):
        self.text, self.ttl, self.period, self.max_ttl, self.renewable = text, ttl, ttl, max_ttl, renewable
        self.namespace, self.policies, self.read_only = namespace, policies, read_only
        self.created = self.from_ = time.time()
        self.accessor = secrets.token_urlsafe(18)

    def is_expired(self):
        return self.ttl > 0 and time.time() >= self.from_ + self.ttl

    def left(self):
        return max(0, int(self.from_ + self.ttl - time.time())) if self.ttl else 0

    def renew(self):
        """A renewal never passes the token's maximum life."""
        self.from_ = time.time()
        self.ttl = min(self.period, self.created + self.max_ttl - self.from_) if self.max_ttl else self.period


class Vault:
    def __init__(self, options):
        """`options`: root_token, mount, namespaces (besides the root), role_id, secret_id, approle_mount, token_ttl,
        token_max_ttl, token_renewable."""
        self.options = options
        self.lock = threading.RLock()
        self.entries, self.tokens = {}, {}
        self.switches = {"sealed": False, "latency": 0.0, "answer": None, "not_yet": 0, "unversioned": False,
                         "drop_after_write": 0}
        self.counts = {"requests": 0, "logins": 0, "renewals": 0, "lookups": 0, "probes": 0, "writes": 0, "reads": 0}
        self.add_token(options["root_token"], 0, 0, False, "", ["root"])

    def add_token(self, text, ttl, max_ttl, renewable, namespace, policies, read_only=False):
        self.tokens[text] = Token(text, ttl, max_ttl, renewable, namespace, policies, read_only)
        return self.tokens[text]

    # The listener's side.

    def answer(self, request):
        with self.lock:
            try:
                return self.route(request)
            except Refused as refused:
                return refused.status, {"errors": refused.errors}

    def route(self, request):
        self.counts["requests"] += 1
        if request.headers.get("X-Vault-Request") != "true":
            raise Refused(412, 'missing "X-Vault-Request" header')
        if not request.path.startswith("/v1/"):
            raise Refused(404)
        path = request.path[len("/v1/"):]
        namespace = (request.headers.get("X-Vault-Namespace") or "").strip("/")
        if path == "sys/health":
            return self.health(request, namespace)
        if self.switches["sealed"]:
            raise Refused(503, "Vault is sealed")
        if self.switches["answer"]:
            raise Refused(self.switches["answer"], "request path \"%s\": rate limit quota exceeded" % path
                          if self.switches["answer"] == 429 else "out of service")
        if namespace and namespace not in self.options["namespaces"]:
            raise Refused(404, f'no handler for route "{path}". route entry not found.')
        if path == f"auth/{self.options['approle_mount']}/login":
            return self.log_in(request, namespace)
        token = self.authenticated(request, namespace)
        if path == "auth/token/lookup-self":
            self.need(request, "GET", "POST")
            return self.look_up(token)
        if path == "auth/token/renew-self":
            self.need(request, "POST", "PUT")
            return self.renew(token)
        if path == "auth/token/revoke-self":
            del self.tokens[token.text]
            return 204, None
        return self.key_value(request, path, namespace, token)

    @staticmethod
    def need(request, *methods):
        if request.method not in methods:
            raise Refused(405, "1 error occurred:\n\t* unsupported operation\n\n")

    @staticmethod
    def envelope(data=None, auth=None):
        return {"request_id": str(uuid.uuid4()), "lease_id": "", "renewable": False, "lease_duration": 0, "data": data,
                "wrap_info": None, "warnings": None, "auth": auth}

    def health(self, request, namespace):
        self.need(request, "GET", "HEAD")
        self.counts["probes"] += 1
        if namespace:
            raise Refused(403, "permission denied")
        sealed, status = self.switches["sealed"], 200
        if sealed:
            status = 503
        elif self.switches["answer"] in (429, 472, 473):
            ok = {429: "standbyok", 473: "perfstandbyok"}.get(self.switches["answer"])
            status = 200 if request.query.get(ok) == "true" else self.switches["answer"]
        return status, {"initialized": True, "sealed": sealed, "standby": False, "performance_standby": False,
                        "replication_performance_mode": "disabled", "replication_dr_mode": "disabled",
                        "server_time_utc": int(time.time()), "version": "1.15.6", "enterprise": False,
                        "cluster_name": "vault-cluster-stand-in", "cluster_id": str(uuid.UUID(int=1))}

    # Tokens.

    def authenticated(self, request, namespace):
        token = self.tokens.get(request.headers.get("X-Vault-Token") or "")
        if token is None or token.is_expired():
            if token is not None:
                del self.tokens[token.text]
            raise Refused(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n")
        if token.namespace and namespace != token.namespace and not namespace.startswith(token.namespace + "/"):
            raise Refused(403, "permission denied")
        return token

    def log_in(self, request, namespace):
        self.need(request, "POST", "PUT")
        body, options = request.json(), self.options
        if body.get("role_id") != options["role_id"] or body.get("secret_id") != options["secret_id"]:
            raise Refused(400, "invalid role or secret ID")
        self.counts["logins"] += 1
        text = "hvs." + secrets.token_urlsafe(40) if options["token_renewable"] else "hvb." + secrets.token_urlsafe(90)
        token = self.add_token(text, options["token_ttl"], options["token_max_ttl"], options["token_renewable"],
                               namespace, ["default", "portcullis"])
        return 200, self.envelope(auth=self.auth_of(token))

    @staticmethod
    def auth_of(token):
        return {"client_token": token.text, "accessor": token.accessor, "policies": token.policies,
                "token_policies": token.policies, "metadata": {"role_name": "portcullis"},
                "lease_duration": int(token.ttl), "renewable": token.renewable, "entity_id": str(uuid.UUID(int=2)),
                "token_type": "service" if token.text.startswith("hvs") else "batch", "orphan": True,
                "mfa_requirement": None, "num_uses": 0}

    def look_up(self, token):
        self.counts["lookups"] += 1
        expiry = timestamp(token.from_ + token.ttl) if token.ttl else None
        return 200, self.envelope({"accessor": token.accessor, "creation_time": int(token.created),
                                   "creation_ttl": int(token.period), "display_name": "portcullis", "entity_id": "",
                                   "expire_time": expiry, "explicit_max_ttl": int(token.max_ttl), "id": token.text,
                                   "issue_time": timestamp(token.created), "meta": None, "num_uses": 0, "orphan": True,
                                   "path": "auth/approle/login", "policies": token.policies,
                                   "renewable": token.renewable, "ttl": token.left(), "type": "service"})

    def renew(self, token):
        if not token.renewable:
            raise Refused(400, "lease is not renewable")
        self.counts["renewals"] += 1
        token.renew()
        return 200, self.envelope(auth=self.auth_of(token))

    # Secrets.

    def key_value(self, request, path, namespace, token):
        mount = self.options["mount"]
        match = re.fullmatch(re.escape(mount) + r"/(\w+)/(.+)", path)
        if not match or match.group(1) not in KV_OPERATIONS:
            raise Refused(404, f'no handler for route "{path}". route entry not found.')
        operation, key = match.group(1), (namespace, match.group(2))
        if token.read_only and request.method != "GET":
            raise Refused(403, "1 error occurred:\n\t* permission denied\n\n")
        if self.switches["not_yet"] > 0:
            self.switches["not_yet"] -= 1
            raise Refused(412, "required index state not present")
        return getattr(self, "kv_" + operation)(request, key)

    def kv_data(self, request, key):
        entry = self.entries.get(key)
        if request.method == "GET":
            self.counts["reads"] += 1
            version = int(request.query.get("version") or 0) or (entry.current if entry else 0)
            if entry is None or version not in entry.versions:
                raise Refused(404)
            readable = entry.is_readable(version)
            data = {"data": entry.versions[version]["data"] if readable else None, "metadata": entry.about(version)}
            return 200 if readable else 404, self.envelope(data)
        if request.method == "DELETE":
            if entry:
                entry.delete(entry.current)
            return 204, None
        self.need(request, "POST", "PUT")
        self.counts["writes"] += 1
        body = request.json()
        if self.switches["unversioned"]:  # what KV version 1 does with the same request
            return 204, None
        data, options = body.get("data"), body.get("options") or {}
        if not isinstance(data, dict):
            raise Refused(400, "no data provided")
        if "cas" in options and int(options["cas"]) != (entry.current if entry else 0):
            raise Refused(400, "check-and-set parameter did not match the current version")
        if entry is None:
            entry = self.entries[key] = Entry()
        return 200, self.envelope(entry.write(data))

    def kv_metadata(self, request, key):
        entry = self.entries.get(key)
        if request.method == "DELETE":
            self.entries.pop(key, None)
            return 204, None
        if request.method == "LIST" or request.query.get("list") == "true":
            return self.list(key)
        self.need(request, "GET")
        if entry is None:
            raise Refused(404)
        versions = {str(v): {k: entry.about(v)[k] for k in ("created_time", "deletion_time", "destroyed")}
                    for v in entry.versions}
        return 200, self.envelope({"cas_required": False, "created_time": entry.created, "current_version": entry.current,
                                   "custom_metadata": None, "delete_version_after": "0s", "max_versions": 0,
                                   "oldest_version": min(entry.versions, default=0), "updated_time": timestamp(),
                                   "versions": versions})

    def list(self, key):
        prefix = key[1].rstrip("/") + "/"
        below = {path[len(prefix):] for namespace, path in self.entries if namespace == key[0] and path.startswith(prefix)}
        names = sorted({name.split("/")[0] + ("/" if "/" in name else "") for name in below})
        if not names:
            raise Refused(404)
        return 200, self.envelope({"keys": names})

    def each_version(self, request, key, act):
        self.need(request, "POST", "PUT")
        versions = request.json().get("versions") or []
        if not versions:
            raise Refused(400, "No version number provided")
        if key in self.entries:
            for version in versions:
                act(self.entries[key], int(version))
        return 204, None

    def kv_delete(self, request, key):
        return self.each_version(request, key, Entry.delete)

    def kv_undelete(self, request, key):
        return self.each_version(request, key, Entry.undelete)

    def kv_destroy(self, request, key):
        return self.each_version(request, key, Entry.destroy)
