"""Reading the rate-limit fields of draft-ietf-httpapi-ratelimit-headers, and the sliding-window rule."""
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
    # By falling time of sending, each request's answer joins the windows that end with it or later: a tree over the
    # answers keeps, for each part of them, the largest of count - rate x end.
    ends = sorted(received for _, received in admitted)
    size = 1
    while size < len(ends):
        size *= 2
    best, added = [float("-inf")] * (2 * size), [0] * (2 * size)

    def join(place):
        """One more in every window that ends at `place` or later, and `place` itself becomes an end."""
        node, low, high, path = 1, 0, size, []
        while high - low > 1:
            path.append(node)
            middle = (low + high) // 2
            if place < middle:
                best[2 * node + 1] += 1
                added[2 * node + 1] += 1
                node, high = 2 * node, middle
            else:
                node, low = 2 * node + 1, middle
        # What was added to the parts around it counts for it too: a window that ends here holds those before.
        best[node] = before(place) + 1 - rate * ends[place] / 1e9 - sum(added[n] for n in path)
        added[node] = 0
        for above in reversed(path):
            best[above] = max(best[2 * above], best[2 * above + 1]) + added[above]

    counts = [0] * (len(ends) + 1)

    def before(place):
        """How many have joined at a place up to this one (a Fenwick tree), this one not yet."""
        total, at = 0, place + 1
        while at:
            total += counts[at]
            at -= at & -at
        at = place + 1
        while at <= len(ends):
            counts[at] += 1
            at += at & -at
        return total

    places = {}
    for place, end in enumerate(ends):
        places.setdefault(end, []).append(place)
    worst = float("-inf")
    for sent, received in sorted(admitted, reverse=True):
        join(places[received].pop())
        worst = max(worst, best[1] + rate * sent / 1e9)
    return worst - burst
