"""A raw HTTP/1.1 client: what is sent is exactly the bytes given, and what is read is checked for its framing.
Written apart from the gateway on purpose, so that it shares none of its mistakes."""
import json
import socket


class Closed(Exception):
    """The connection ended before a byte of a response."""


class Truncated(Exception):
    """The connection ended in the middle of a response; `response` is what came."""

    def __init__(self, response):
        super().__init__(f"truncated after {len(response.body)} bytes of the body")
        self.response = response


class Malformed(Exception):
    """The bytes received are not an HTTP/1.1 response."""


class Response:
    def __init__(self, version, status, reason, fields):
        self.version, self.status, self.reason, self.fields = version, status, reason, fields
        self.body, self.trailers, self.interim = b"", [], []
        self.framing = None

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def one(self, name):
        """The field's value; it must be there exactly once."""
        values = self.all(name)
        assert len(values) == 1, f"{name}: {values} in {self.fields}"
        return values[0]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.fields} {self.body[:300]!r}>"


class Client:
    """One connection. Use as a context manager."""

    def __init__(self, port, host="127.0.0.1", source=None, timeout=15):
        self.socket = socket.create_connection((host, port), timeout, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.was_reset = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def request(self, method, target, fields=(), body=b"", host="localhost"):
        self.send(compose(method, target, fields, body, host))

    def ask(self, method, target, fields=(), body=b"", host="localhost"):
        self.request(method, target, fields, body, host)
        return self.read(method)

    def fill(self):
        """Reads more; False at the end of the stream."""
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError:
            data, self.was_reset = b"", True
        self.buffer += data
        return bool(data)

    def until(self, mark, response=None):
        while mark not in self.buffer:
            if not self.fill():
                if response is not None:
                    raise Truncated(response)
                if self.buffer:
                    raise Malformed(f"ended in a head: {self.buffer[:200]!r}")
                raise Closed()
        text, _, self.buffer = self.buffer.partition(mark)
        return text

    def read_head(self):
        lines = self.until(b"\r\n\r\n").split(b"\r\n")
        version, _, rest = lines[0].partition(b" ")
        status, _, reason = rest.partition(b" ")
        if version not in (b"HTTP/1.1", b"HTTP/1.0") or len(status) != 3 or not status.isdigit():
            raise Malformed(f"status line {lines[0]!r}")
        fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon or not name or name.strip() != name:
                raise Malformed(f"field line {line!r}")
            fields.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))
        return Response(version.decode(), int(status), reason.decode("latin-1"), fields)

    def read(self, method="GET", keep_body=True):
        """One final response, its body checked to be whole. 1xx heads are in `interim`."""
        interim = []
        while True:
            response = self.read_head()
            if response.status >= 200 or response.status == 101:
                break
            interim.append(response)
        response.interim = interim
        for part in self.body(response, method):
            if keep_body:
                response.body += part
        return response

    def body(self, response, method="GET"):
        """Yields the body's parts as they come."""
        lengths, codings = response.all("Content-Length"), response.all("Transfer-Encoding")
        if codings and lengths:
            raise Malformed("both Content-Length and Transfer-Encoding")
        if len(set(lengths)) > 1 or len(codings) > 1:
            raise Malformed(f"framing {lengths} {codings}")
        if method == "HEAD" or response.status in (204, 304) or response.status == 101:
            response.framing = "none"
        elif codings:
            if codings[0].lower() != "chunked":
                raise Malformed(f"coding {codings}")
            response.framing = "chunked"
            yield from self.chunks(response)
        elif lengths:
            response.framing = "length"
            yield from self.exactly(int(lengths[0]), response)
        else:
            response.framing = "close"
            yield from self.rest()

    def exactly(self, size, response):
        while size > 0:
            if not self.buffer and not self.fill():
                raise Truncated(response)
            part, self.buffer = self.buffer[:size], self.buffer[size:]
            size -= len(part)
            yield part

    def chunks(self, response):
        while True:
            size = self.until(b"\r\n", response)
            try:
                length = int(size.split(b";")[0], 16)
            except ValueError:
                raise Malformed(f"chunk size {size!r}") from None
            if length == 0:
                break
            yield from self.exactly(length, response)
            if b"".join(self.exactly(2, response)) != b"\r\n":
                raise Malformed("no CRLF behind a chunk")
        while line := self.until(b"\r\n", response):
            name, colon, value = line.partition(b":")
            if not colon:
                raise Malformed(f"trailer {line!r}")
            response.trailers.append((name.decode("latin-1"), value.strip().decode("latin-1")))

    def rest(self):
        while True:
            part, self.buffer = self.buffer, b""
            if part:
                yield part
            if not self.fill():
                return

    def is_closed(self, within=3):
        """True if the peer ends the connection without sending anything more."""
        self.socket.settimeout(within)
        try:
            while self.fill():
                pass
        except (TimeoutError, socket.timeout):
            return False
        return self.buffer == b""


def compose(method, target, fields=(), body=b"", host="localhost"):
    lines = [f"{method} {target} HTTP/1.1"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in fields]
    names = {name.lower() for name, _ in fields}
    if body and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(*parts, trailers=""):
    out = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return out + b"0\r\n" + trailers.encode("latin-1") + b"\r\n"


def ask(port, method, target, fields=(), body=b"", host="localhost", source=None):
    """One request on a connection of its own."""
    with Client(port, source=source) as client:
        return client.ask(method, target, fields, body, host)


def bearer(key):
    return [("Authorization", f"Bearer {key}")]


def api_key(key):
    return [("X-API-Key", key)]
