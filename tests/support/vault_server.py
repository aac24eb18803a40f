#!/usr/bin/env python3
"""A stand-in for HashiCorp Vault and OpenBao (vault_api.py says what it knows), over HTTP or HTTPS on loopback.

Started as a child; prints one JSON line when it is ready:

    {"address": "https://127.0.0.1:12345", "port": 12345, "ca": "/tmp/.../ca.pem"}

and then obeys one JSON object per line on standard input, answering each with a line:

    {"set": {"sealed": true}}            switches: sealed, latency (seconds), answer (a status for everything), not_yet (how
                                         many requests to answer 412), unversioned, drop_after_write (how many writes to do
                                         and then break the connection instead of answering)
    {"counts": true}                     how many requests, logins, renewals, lookups, probes, writes and reads there were
    {"paths": true}                      the paths that exist, with namespace
    {"entry": "a/b", "namespace": ""}    versions of an entry, or null
    {"put": "a/b", "data": {...}}        writes an entry as another author
    {"alter": "a/b", "how": "delete"}    delete, undelete or destroy its current version, as an operator would
    {"token": {"text":..., "ttl":...}}   issues a token (text, ttl, max_ttl, renewable, namespace, read_only)
    {"revoke_tokens": true}              all but the root token
    {"drop_connections": true}           closes every connection

It ends when standard input does. With --state FILE its entries and tokens outlive it, as a real server's do.
Certificates are made with openssl at start, in --folder: a CA of its own, and one for --names.
"""
import argparse
import http.server
import json
import os
import pickle
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]

from ports import free_port  # noqa: E402
from vault_api import Entry, Request, Vault  # noqa: E402

CHUNKED_FROM = 2048  # Go's server sends larger bodies in chunks


def make_certificates(folder, names):
    """ca.pem, server.pem and server.key for `names` (comma-separated), made anew unless they are there."""
    def at(name):
        return os.path.join(folder, name)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    if os.path.exists(at("server.pem")):
        return
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "2", "-subj", "/CN=stand-in CA",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    alternatives = ",".join(("IP:" if name.replace(".", "").isdigit() or ":" in name else "DNS:") + name for name in names.split(","))
    with open(at("server.ext"), "w") as f:
        f.write(f"subjectAltName={alternatives}\nbasicConstraints=critical,CA:FALSE\n")
    openssl("req", *key, "-keyout", at("server.key"), "-out", at("server.csr"), "-subj", "/CN=vault stand-in")
    openssl("x509", "-req", "-in", at("server.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial",
            "-out", at("server.pem"), "-days", "2", "-extfile", at("server.ext"))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "stand-in", ""
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self):
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self):
        self.server.connections.discard(self.connection)
        try:
            super().finish()
        except OSError:
            pass

    def serve(self):
        server, vault = self.server, self.server.vault
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        url = urllib.parse.urlsplit(self.path)
        if vault.switches["latency"]:
            time.sleep(vault.switches["latency"])
        query = dict(urllib.parse.parse_qsl(url.query))
        status, answer = vault.answer(Request(self.command, urllib.parse.unquote(url.path), query, self.headers, body))
        server.save()
        if status == 200 and self.command == "POST" and "/data/" in url.path and vault.switches["drop_after_write"] > 0:
            vault.switches["drop_after_write"] -= 1
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.reply(status, answer)

    def reply(self, status, answer):
        data = b"" if answer is None else json.dumps(answer).encode() + b"\n"
        self.send_response(status)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Type", "application/json")
        if status == 204:
            self.end_headers()
        elif len(data) < CHUNKED_FROM:
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        else:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(data), 4096):
                piece = data[start:start + 4096]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = do_LIST = do_HEAD = do_PATCH = serve

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port, vault, tls, state):
        super().__init__(("127.0.0.1", port), Handler)
        self.vault, self.tls, self.state = vault, tls, state
        self.connections, self.saving = set(), threading.Lock()

    def finish_request(self, request, client_address):
        """On the connection's own thread, so that a client that never shakes hands holds up nobody."""
        if self.tls:
            request.settimeout(10)
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except OSError:
                return
            request.settimeout(None)
        super().finish_request(request, client_address)
        if self.tls:
            request.close()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def save(self):
        if not self.state:
            return
        with self.saving, self.vault.lock:
            with open(self.state + ".new", "wb") as f:
                pickle.dump((self.vault.entries, self.vault.tokens), f)
            os.replace(self.state + ".new", self.state)

    def load(self):
        if self.state and os.path.exists(self.state):
            with open(self.state, "rb") as f:
                self.vault.entries, self.vault.tokens = pickle.load(f)

    def obey(self, command):
        vault = self.vault
        with vault.lock:
            if "set" in command:
                vault.switches.update(command["set"])
            if "counts" in command:
                return vault.counts
            if "paths" in command:
                return [list(key) for key in sorted(vault.entries)]
            key = (command.get("namespace", ""), command.get("entry") or command.get("alter") or command.get("put"))
            if "put" in command:
                vault.entries.setdefault(key, Entry()).write(command["data"])
            if "entry" in command:
                entry = vault.entries.get(key)
                return entry and {"current": entry.current, "versions": entry.versions}
            if "alter" in command:
                entry = vault.entries[key]
                getattr(entry, command["how"])(entry.current)
            if "token" in command:
                token = {"ttl": 0, "max_ttl": 0, "renewable": False, "namespace": "", "policies": ["portcullis"], **command["token"]}
                vault.add_token(**token)
            if "revoke_tokens" in command:
                vault.tokens = {text: token for text, token in vault.tokens.items() if text == vault.options["root_token"]}
        if "drop_connections" in command:
            for connection in list(self.connections):
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.save()
        return True


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--folder", default="", help="for the certificates")
    parser.add_argument("--names", default="127.0.0.1,localhost", help="of the certificate")
    parser.add_argument("--state", default="")
    parser.add_argument("--root-token", default="hvs.root-of-the-stand-in-000000000000")
    parser.add_argument("--mount", default="secret")
    parser.add_argument("--namespaces", default="")
    parser.add_argument("--role-id", default="7e1f0b6a-role")
    parser.add_argument("--secret-id", default="c0ffee00-secret-id-of-the-stand-in")
    parser.add_argument("--approle-mount", default="approle")
    parser.add_argument("--token-ttl", type=float, default=1200)
    parser.add_argument("--token-max-ttl", type=float, default=0)
    parser.add_argument("--batch-tokens", action="store_true")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    options = dict(vars(arguments), namespaces=arguments.namespaces.split(","), token_renewable=not arguments.batch_tokens)
    tls = None
    if arguments.tls:
        make_certificates(arguments.folder, arguments.names)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        tls.load_cert_chain(os.path.join(arguments.folder, "server.pem"), os.path.join(arguments.folder, "server.key"))
    server = Server(arguments.port or free_port(), Vault(options), tls, arguments.state)
    server.load()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    port = server.server_address[1]
    ready = {"address": f"{'https' if tls else 'http'}://127.0.0.1:{port}", "port": port,
             "ca": os.path.join(arguments.folder, "ca.pem") if tls else ""}
    print(json.dumps(ready), flush=True)
    for line in sys.stdin:
        print(json.dumps(server.obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
