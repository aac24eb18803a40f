"""A PostgreSQL server of a test's own: Debian's, on loopback, its data in a temporary folder.

    with PostgresServer() as server:
        url = server.new_database()
        server.pause()      # SIGSTOP for all of it: connections open, no answers
        server.resume()
        server.kill()       # SIGKILL, as a power cut would
        server.start()      # recovers, same port and data

PostgreSQL refuses to run as root: then everything here runs as the `postgres` user that the package made.
"""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from ports import free_port

USER, PASSWORD = "portcullis", "not-a-secret-of-anyone"
FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=100",
        "autovacuum=off", "logging_collector=off", "log_min_messages=fatal"]


def binaries():
    """The folder of the newest server that is installed."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: float(path.split("/")[4]))
    if not found:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
    return os.path.dirname(found[-1])


def _as_server(command):
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]


class PostgresServer:
    def __init__(self, settings=()):
        """`settings` are further lines of postgresql.conf, such as "max_connections=12"."""
        self.folder = tempfile.mkdtemp(prefix="portcullis-postgres-")
        self.data = os.path.join(self.folder, "data")
        self.port = free_port()
        self._process = None
        self._databases = 0
        self._paused = []
        os.chmod(self.folder, 0o700)
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        try:
            self._create([*FAST, *settings])
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _create(self, settings):
        password = os.path.join(self.folder, "password")
        with open(password, "w", encoding="ascii") as file:
            file.write(PASSWORD)
        os.chmod(password, 0o644)  # the folder is 0700
        self._run("initdb", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", f"--username={USER}",
                  "--auth=scram-sha-256", f"--pwfile={password}", "--pgdata", self.data)
        lines = ["listen_addresses='127.0.0.1'", f"port={self.port}", f"unix_socket_directories='{self.folder}'", *settings]
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")

    def _run(self, program, *arguments, **more):
        command = _as_server([os.path.join(binaries(), program), *arguments])
        if "input" not in more:
            more["stdin"] = subprocess.DEVNULL
        done = subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env={**os.environ, "PGPASSWORD": PASSWORD}, check=False, **more)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode()

    def start(self, wait=30):
        """Starts it, and waits until it answers."""
        self._process = subprocess.Popen(_as_server([os.path.join(binaries(), "postgres"), "-D", self.data]), cwd=self.folder,
                                         stdin=subprocess.DEVNULL, stdout=open(os.path.join(self.folder, "log"), "ab"),
                                         stderr=subprocess.STDOUT)
        end = time.monotonic() + wait
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise RuntimeError(f"postgres ended at its start: {self.log()[-2000:]}")
            try:
                self._run("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "1")
                return
            except RuntimeError:
                time.sleep(0.05)
        raise RuntimeError(f"postgres did not start: {self.log()[-2000:]}")

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def processes(self):
        """The server's and its children's ids."""
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self._process.pid)], capture_output=True, text=True, check=False)
        return [self._process.pid, *map(int, children.stdout.split())]

    def pause(self):
        """SIGSTOP for the whole server: the kernel still accepts connections, nobody answers on them."""
        os.kill(self._process.pid, signal.SIGSTOP)  # first, so that no child is born meanwhile
        self._paused = self.processes()
        for process in self._paused:
            _signal(process, signal.SIGSTOP)

    def resume(self):
        for process in reversed(self._paused):
            _signal(process, signal.SIGCONT)
        self._paused = []

    def stop(self):
        """In good order, clients disconnected. The data stays: start() goes on with it."""
        self._end(signal.SIGINT)

    def kill(self):
        """As a power cut would; the children end with it."""
        self._end(signal.SIGKILL)

    def _end(self, how):
        if self._process is None:
            return
        self.resume()
        children = self.processes()[1:] if how == signal.SIGKILL else []
        for process in [self._process.pid, *children]:
            _signal(process, how)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def restart(self):
        self.stop()
        self.start()

    def close(self):
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    # Databases

    def new_database(self, name=None):
        """An empty one; its address, password included."""
        self._databases += 1
        name = name or f"test_{self._databases}"
        self.sql(f'CREATE DATABASE "{name}"', database="postgres")
        return self.url(name)

    def url(self, database):
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def sql(self, text, database="test_1"):
        """Runs `text` and gives its rows as lines, columns separated by '|'."""
        return self._run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port),
                         "-U", USER, "-d", database, "-c", text, timeout=60).strip()

    def dump(self, database="test_1"):
        """All of a database, as SQL text."""
        return self._run("pg_dump", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database, timeout=60)

    def restore(self, dump, database):
        """Makes `database` from what dump() gave; it is created, and must not exist."""
        self.sql(f'CREATE DATABASE "{database}"', database="postgres")
        self._run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER,
                  "-d", database, input=dump.encode(), timeout=60)
        return self.url(database)

    def is_listening(self):
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _signal(process, how):
    try:
        os.kill(process, how)
    except ProcessLookupError:
        pass
