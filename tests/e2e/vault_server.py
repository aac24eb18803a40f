"""The stand-in for HashiCorp Vault (tests/support/vault_server.py) as a child of a test, and the gateway's configuration
for it.

    with VaultServer(tls=True) as vault:
        gateway = system(vault.into)       # secrets in it, by AppRole
        vault.pause(); vault.resume(); vault.kill(); vault.start()
        vault.tell({"paths": True})
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "..", "support", "vault_server.py")
SECRET_ID_VARIABLE = "PORTCULLIS_E2E_VAULT_SECRET_ID"
SECRET_ID = "c0ffee00-secret-id-of-the-stand-in"
ROOT_TOKEN = "hvs.root-of-the-stand-in-000000000000"


class VaultServer:
    def __init__(self, tls=False, timeout="500ms", options=()):
        """`timeout` is the gateway's, for a call; `options` are further ones of the program."""
        self.folder = tempfile.mkdtemp(prefix="portcullis-vault-")
        self.tls, self.timeout, self.options = tls, timeout, list(options)
        self.port, self.process = 0, None
        self.start()

    def start(self):
        """On the same port as before, with the entries and tokens it had."""
        command = [sys.executable, PROGRAM, "--port", str(self.port), "--folder", self.folder,
                   "--state", os.path.join(self.folder, "state"), *self.options]
        if self.tls:
            command.append("--tls")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = json.loads(self.process.stdout.readline())
        self.port, self.address, self.ca = ready["port"], ready["address"], ready["ca"]

    def into(self, config):
        """Puts a system's secrets here."""
        os.environ[SECRET_ID_VARIABLE] = SECRET_ID
        vault = {"address": self.address, "timeout": self.timeout,
                 "auth": {"approle": {"role_id": "7e1f0b6a-role", "secret_id": "${env:%s}" % SECRET_ID_VARIABLE}}}
        if self.ca:
            vault["ca"] = self.ca
        config["stores"]["secrets"] = {"vault": vault}

    def tell(self, command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def set(self, **switches):
        self.tell({"set": switches})

    def key_paths(self):
        return [path for _, path in self.tell({"paths": True}) if path.startswith("api_keys/")]

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def close(self):
        if self.process.poll() is None:
            self.resume()
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
