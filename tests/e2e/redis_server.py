"""Debian's redis-server for a test: its own folder, a free port of the loopback address, ended by its own pid.

    server = RedisServer(folder)         # started and answering
    server.pause(); server.resume()      # SIGSTOP: the socket stays open, nothing is answered
    server.stop(); server.start()        # what it held is gone
    with server.slowed(0.1) as slow:     # a port that leads to it, every byte 100 ms late each way
        ...
"""
import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import threading
import time

from ports import free_port


class RedisError(Exception):
    """What Redis itself answered with an error."""


class RedisServer:
    def __init__(self, folder, *arguments, password=None):
        self.folder = os.path.join(str(folder), "redis")
        os.makedirs(self.folder, exist_ok=True)
        self.port = free_port()
        self.password = password
        self.arguments = list(arguments) + (["--requirepass", password] if password else [])
        self.process = None
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self):
        assert self.process is None, "it runs already"
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, "--save", "",
                 "--appendonly", "no", *self.arguments], stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while True:
            try:
                self.ask("PING")
                return
            except (OSError, RedisError):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.01)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        """As a crash; what it held is gone. Nothing if it does not run."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process = None

    close = stop

    def restart_empty(self):
        self.stop()
        self.start()

    def ask(self, *words, timeout=5):
        """One command on a connection of its own: text, number, None or a list. RedisError for an error."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            stream = connection.makefile("rwb")
            if self.password:
                _send(stream, ("AUTH", self.password))
                _receive(stream)
            _send(stream, words)
            return _receive(stream)

    def calls(self):
        """How often each command has been called, from INFO commandstats: {"evalsha": 12, ...}."""
        found = {}
        for line in self.ask("INFO", "commandstats").splitlines():
            if line.startswith("cmdstat_"):
                name, _, figures = line.partition(":")
                found[name[len("cmdstat_"):].lower()] = int(figures.split(",")[0].partition("=")[2])
        return found

    def cpu_seconds(self):
        """User and system time of its process so far."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @contextlib.contextmanager
    def slowed(self, seconds):
        """A SlowProxy in front of it, on a port of its own."""
        proxy = SlowProxy(self.port, seconds)
        try:
            yield proxy
        finally:
            proxy.close()


class SlowProxy:
    """Passes bytes on late. `delay` may be changed at any time, and holds for what comes afterwards."""

    def __init__(self, to_port, delay=0.0):
        self.to_port, self.delay, self.port = to_port, delay, free_port()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(5), "the proxy does not start"

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader, writer):
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, reader, writer):
        queue = asyncio.Queue()
        sending = asyncio.ensure_future(self._send(queue, writer))
        try:
            while chunk := await reader.read(65536):
                queue.put_nowait((self._loop.time() + self.delay, chunk))
        except OSError:
            pass
        queue.put_nowait((self._loop.time() + self.delay, b""))
        await sending

    async def _send(self, queue, writer):
        try:
            while True:
                due, chunk = await queue.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                if not chunk:
                    break
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        writer.close()


def _send(stream, words):
    parts = [str(word).encode() if not isinstance(word, bytes) else word for word in words]
    stream.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
    stream.flush()


def _receive(stream):
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise OSError("Redis closed the connection")
    kind, rest = line[:1], line[1:-2]
    if kind == b"-":
        raise RedisError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"+":
        return rest.decode()
    size = int(rest)
    if size < 0:
        return None
    if kind == b"$":
        return stream.read(size + 2)[:-2].decode("utf-8", "surrogateescape")
    return [_receive(stream) for _ in range(size)]
