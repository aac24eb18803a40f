"""Upstreams that misbehave on purpose, and that remember every byte they were sent.

A behaviour is a function (connection, request) -> bool: it writes whatever raw bytes it likes and says whether
the connection goes on. `ScriptedUpstream.behave` may be replaced by a test at any time."""
import socket
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


class Request:
    def __init__(self, raw_head, connection):
        self.raw_head, self.connection, self.body = raw_head, connection, b""
        self.trailers = b""
        lines = raw_head.split(b"\r\n")
        self.method, self.target, self.version = lines[0].decode("latin-1").split(" ", 2)
        self.fields = []
        for line in lines[1:]:
            if line:
                name, _, value = line.partition(b":")
                self.fields.append((name.decode("latin-1"), value.strip().decode("latin-1")))

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    def names(self):
        return [name.lower() for name, _ in self.fields]


class Connection:
    """What a behaviour gets to speak through."""

    def __init__(self, sock, number, upstream):
        self.socket, self.number, self.upstream, self.buffer = sock, number, upstream, b""

    def send(self, *parts, pause=0):
        """Sends the parts one after another, each in a segment of its own when `pause` is given."""
        for part in parts:
            self.socket.sendall(part)
            if pause:
                time.sleep(pause)

    def reset(self):
        """Ends the connection with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    def fill(self):
        data = self.socket.recv(262144)
        self.upstream.note(self.number, data)
        self.buffer += data
        return bool(data)

    def until(self, mark):
        while mark not in self.buffer:
            if not self.fill():
                return None
        text, _, self.buffer = self.buffer.partition(mark)
        return text

    def exactly(self, size):
        while len(self.buffer) < size:
            if not self.fill():
                return None
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def read_body(self, request):
        """The request's body by its framing; fills request.body and request.trailers. False if truncated."""
        if (request.get("Transfer-Encoding") or "").lower() == "chunked":
            while True:
                size = self.until(b"\r\n")
                if size is None:
                    return False
                length = int(size.split(b";")[0], 16)
                if length == 0:
                    break
                data = self.exactly(length + 2)
                if data is None:
                    return False
                request.body += data[:-2]
            while line := self.until(b"\r\n"):
                request.trailers += line + b"\r\n"
            return line is not None
        data = self.exactly(int(request.get("Content-Length") or 0))
        request.body = data or b""
        return data is not None


class ScriptedUpstream:
    def __init__(self):
        self.behave = answer(OK)
        self.reads_body = True       # before behave() is called
        self.requests = []           # in the order their heads arrived
        self.connections = 0
        self.bytes = {}              # connection number -> everything received
        self.incomplete = 0          # requests whose body never came whole
        self.lock = threading.Lock()
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.stopped = False
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while not self.stopped:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections += 1
                number = self.connections
                self.bytes[number] = b""
                self.open.add(sock)
            threading.Thread(target=self.serve, args=(sock, number), daemon=True).start()

    def serve(self, sock, number):
        connection = Connection(sock, number, self)
        try:
            while self.serve_one(connection):
                pass
        except (OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.open.discard(sock)
            sock.close()

    def serve_one(self, connection):
        head = connection.until(b"\r\n\r\n")
        if head is None:
            return False
        request = Request(head, connection.number)
        with self.lock:
            self.requests.append(request)
        if self.reads_body and not connection.read_body(request):
            with self.lock:
                self.incomplete += 1
            return False
        return self.behave(connection, request)

    def note(self, number, data):
        with self.lock:
            self.bytes[number] += data

    def saw(self):
        """Everything it was ever sent."""
        with self.lock:
            return b"".join(self.bytes.values())

    def last(self):
        with self.lock:
            return self.requests[-1]

    def wait_for(self, condition, seconds=5):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.01)
        return False

    def stop(self):
        if self.stopped:
            return
        self.stopped = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for sock in self.open:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def answer(data, keep=True):
    """Answers every request with these bytes."""
    def behave(connection, _):
        connection.send(data)
        return keep
    return behave


def answer_and_close(data):
    return answer(data, keep=False)


def in_pieces(data, size=1, pause=0):
    def behave(connection, _):
        connection.send(*[data[i:i + size] for i in range(0, len(data), size)], pause=pause)
        return True
    return behave


def close_at_once(_connection, _request):
    return False


def reset_at_once(connection, _request):
    connection.reset()
    return False


def never_answer(connection, _request):
    while connection.fill():  # until the gateway gives up
        pass
    return False


def by_path(**behaviours):
    """`by_path(first=..., second=...)`: the target's last segment chooses."""
    def behave(connection, request):
        name = request.target.split("?")[0].rsplit("/", 1)[-1]
        return behaviours.get(name, answer(OK))(connection, request)
    return behave
