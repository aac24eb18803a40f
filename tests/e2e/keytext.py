"""Keys as text (DESIGN.md section 5), for making well-formed ones that no store knows."""
import random
import re
import zlib

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SHAPE = re.compile(r"^([a-z0-9]{2,8})_(live|test)_([0-9A-Za-z]{16})([0-9A-Za-z]{32})([0-9A-Za-z]{6})$")


def checksum(text):
    value, digits = zlib.crc32(text.encode()), ""
    for _ in range(6):
        value, digit = divmod(value, 62)
        digits = BASE62[digit] + digits
    return digits


def make(brand="pc", environment="live", key_id=None, secret=None, source=random):
    """A key with a right checksum; what is not given is random."""
    key_id = key_id or "".join(source.choices(BASE62, k=16))
    secret = secret or "".join(source.choices(BASE62, k=32))
    head = f"{brand}_{environment}_{key_id}{secret}"
    return head + checksum(head)


def secret_of(key):
    return SHAPE.match(key).group(4)


def misspelt(key):
    """The key with its last character changed: the shape holds, the checksum does not."""
    return key[:-1] + ("a" if key[-1] != "a" else "b")
