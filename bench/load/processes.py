"""Starting, pinning, measuring and ending the programs of a benchmark run. Every process started here is
ended by its own id when the group closes, also after a failure or Ctrl-C."""
import os
import shutil
import signal
import socket
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """The run cannot go on; the text says why."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process, log, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    with open(log, errors="replace") as f:
        raise Failed(f"{process.args} does not serve on {port}:\n{f.read()[-3000:]}")


class Processes:
    """A context manager that owns processes."""

    def __init__(self, directory):
        self.directory = directory
        self.running = []

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            self.end(process)

    def start(self, name, command, core, port=None, env=None):
        log = os.path.join(self.directory, name + ".log")
        if shutil.which("taskset"):
            command = ["taskset", "-c", str(core)] + command
        with open(log, "w") as out:
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                       env={**os.environ, **(env or {})}, start_new_session=True)
        self.running.append(process)
        if port is not None:
            wait_for_port(port, process, log)
        return process

    @staticmethod
    def end(process):
        if process.poll() is not None:
            return
        family = tree(process.pid)
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pid in family[1:]:  # workers that outlived their parent
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def tree(pid):
    """The process and all its descendants."""
    found = [pid]
    for parent in found:
        try:
            tasks = os.listdir(f"/proc/{parent}/task")
        except FileNotFoundError:
            continue
        for task in tasks:
            try:
                with open(f"/proc/{parent}/task/{task}/children") as f:
                    found += [int(child) for child in f.read().split()]
            except FileNotFoundError:
                pass
    return found


def cpu_seconds(pid):
    """(user, system) of the process, its threads and its descendants so far."""
    user = system = 0
    for member in tree(pid):
        try:
            with open(f"/proc/{member}/stat") as f:
                fields = f.read().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        user += int(fields[11])
        system += int(fields[12])
    return user / TICK, system / TICK
