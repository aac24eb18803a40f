"""Medians, spreads and ratios as a Markdown table."""
from statistics import median


def spread(values, digits=1):
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def ratio_to(rounds, reference, field="total"):
    """The median of the per-round ratios: drift of the machine's speed cancels within a round."""
    return median(a[field] / b[field] for a, b in zip(rounds, reference))


def table(results, floor, reference):
    """`results`: name -> list of rounds. `floor` and `reference` are names in it, or None."""
    head = ["proxy", "µs CPU per request", "user", "system", "requests/s", "p50 µs", "p99 µs", "× floor",
            f"× {reference}" if reference else "", f"user × {reference}" if reference else ""]
    head = [title for title in head if title]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, rounds in results.items():
        column = lambda field: [r[field] for r in rounds]
        row = [name, spread(column("total")), spread(column("user")), spread(column("system")),
               f"{median(column('rate')):.0f}", f"{median(column('p50')):.0f}", f"{median(column('p99')):.0f}",
               f"{ratio_to(rounds, results[floor]):.2f}" if floor else "–"]
        if reference:
            row += [f"{ratio_to(rounds, results[reference]):.2f}", f"{ratio_to(rounds, results[reference], 'user'):.2f}"]
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def redis_table(results):
    """What limits in Redis cost: the proxy's own time, and Redis's, as ratios to a call per request from nginx and to
    the gateway's limits in memory."""
    nginx, memory = results.get("nginx with Lua, a Redis call per request"), results.get("portcullis")
    head = ["proxy", "µs CPU per request", "Redis's own µs per request", "× nginx with a Redis call",
            "Redis × nginx's", "× portcullis in memory"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, rounds in results.items():
        if not any(r["redis"] for r in rounds):
            continue
        redis = [r["redis"] for r in rounds]
        row = [name, spread([r["total"] for r in rounds]), spread(redis, 2),
               f"{ratio_to(rounds, nginx):.2f}" if nginx else "–",
               f"{ratio_to(rounds, nginx, 'redis'):.3f}" if nginx else "–",
               f"{ratio_to(rounds, memory):.2f}" if memory else "–"]
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)
