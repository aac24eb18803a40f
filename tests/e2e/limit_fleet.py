"""Several gateways that share limits in one Redis. Until they share a database too, each has a copy of one that the
keys were made in."""
import os
import shutil

COMMAND_TIMEOUT = 0.020


class Fleet:
    """`nodes` gateways of one worker each; `key` is known to all of them. `change(config)` for every node."""

    def __init__(self, system, redis_url, nodes, change, command_timeout="20ms"):
        def configure(config):
            config["gateway"]["workers"] = 1
            config["stores"]["limits"] = {"redis": {"url": redis_url, "command_timeout": command_timeout}}
            config["log"] = {"level": "info", "access": "off"}
            change(config)

        first = system(configure, start=False)
        made = first.create_key()
        self.key, self.key_id = made["key"], made["key_id"]
        self.nodes = [first]
        for _ in range(nodes - 1):
            other = system(configure, start=False, demo=False, tenant=None)
            shutil.copytree(first.path("data"), other.path("data"), dirs_exist_ok=True)
            other.config["upstreams"] = first.config["upstreams"]
            other.write_config()
            self.nodes.append(other)
        for node in self.nodes:
            node.start()

    @property
    def field(self):
        return f"X-API-Key: {self.key}"

    def warm(self, path):
        """Every node knows the key afterwards; `path` must charge nothing."""
        for node in self.nodes:
            node.ask("GET", path, [("X-API-Key", self.key)])


def limit_times(metrics):
    """[(upper bound in seconds, requests in it)] of the limit stage."""
    series = []
    for name, value in metrics.items():
        if name.startswith("portcullis_limit_duration_seconds_bucket"):
            bound = name.split('le="')[1].split('"')[0]
            series.append((float("inf") if bound == "+Inf" else float(bound), value))
    series.sort()
    return [(bound, count - (series[i - 1][1] if i else 0)) for i, (bound, count) in enumerate(series)]


def quantile(times, share):
    """The bound of the bucket that holds it."""
    total, below = sum(count for _, count in times), 0
    assert total > 0
    for bound, count in times:
        below += count
        if below >= share * total:
            return bound
    return float("inf")


def since(before, after):
    return [(bound, count - earlier) for (bound, count), (_, earlier) in zip(after, before)]
