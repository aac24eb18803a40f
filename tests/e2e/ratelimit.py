"""Reading the rate-limit fields of draft-ietf-httpapi-ratelimit-headers, and the sliding-window rule."""
import bisect
import re

ITEM = re.compile(r'"([^"]+)"((?:;[a-z]+=\d+)*)')


def items(value):
    """'"burst";r=19;t=19, "day";r=1;t=2' -> {'burst': {'r': 19, 't': 19}, ...}"""
    result = {}
    for part in value.split(","):
        match = ITEM.fullmatch(part.strip())
        assert match, f"not an item of a RateLimit list: {part!r}"
        result[match[1]] = {name: int(number) for name, number in
                            (pair.split("=") for pair in match[2].split(";") if pair)}
    return result


def policies(response):
    return items(response.one("RateLimit-Policy"))


def levels(response):
    return items(response.one("RateLimit"))


def legacy(response):
    return tuple(int(response.one(f"X-RateLimit-{name}")) for name in ("Limit", "Remaining", "Reset"))


def worst_window(admitted, rate, burst):
    """Over every window [a, b] that starts with the sending of an admitted request and ends with an answer:
    the largest excess of requests that lay wholly inside it over burst + rate x (b - a). A request was charged
    at some moment between the two, so an excess above 0 is certain proof of a broken limit; `admitted` is
    [(sent ns, received ns)]."""
    worst, answers = float("-inf"), []
    for sent, received in sorted(admitted, reverse=True):
        bisect.insort(answers, received)
        for count, end in enumerate(answers, 1):
            worst = max(worst, count - burst - rate * (end - sent) / 1e9)
    return worst
