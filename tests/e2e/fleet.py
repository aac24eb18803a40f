"""Several nodes on the same stores: every node is a System of its own (folder, ports, configuration, log), and they
share the metadata, the secrets and the demo API.

    fleet = Fleet(binary, folder, {"metadata": {...}, "secrets": {...}})
    admin = fleet.add("admin")
    nodes = [fleet.add("gateway") for _ in range(7)]

Without `secrets` the nodes share a sealed local folder."""
import json
import os

from system import System, wait_until


class Node(System):
    """A System with a role. `name` is what it calls itself in the answers of the admin API."""

    def __init__(self, binary, directory, role, change, **options):
        self.role = role
        super().__init__(binary, directory, change, **options)

    def serve_arguments(self):
        return [*super().serve_arguments(), "--role", self.role]

    @property
    def name(self):
        """Of the last start."""
        names = []
        for line in self.logs().splitlines():
            if '"serve.started"' in line:
                names.append(json.loads(line)["node"])
        return names[-1] if names else None


class Fleet:
    def __init__(self, binary, directory, stores, change=None, environment=None, upstream=None):
        """`change` and `environment` are for every node."""
        self.binary, self.directory, self.change = binary, str(directory), change
        self.environment, self.upstream = environment or {}, upstream
        self.stores = {"secrets": {"local": os.path.join(self.directory, "shared", "secrets")}, **stores}
        self.nodes = []
        os.makedirs(os.path.join(self.directory, "shared"), mode=0o700, exist_ok=True)

    def add(self, role="all", start=True, change=None):
        """Another node. It is started, and ready, when this returns."""
        directory = os.path.join(self.directory, f"node{len(self.nodes)}")
        os.makedirs(directory)

        def configure(config):
            config["stores"].update(self.stores)
            if self.nodes:
                config["upstreams"]["demo"] = self.nodes[0].config["upstreams"]["demo"]
            for step in (self.change, change):
                if step:
                    step(config)
        node = Node(self.binary, directory, role, configure, upstream_port=self.upstream.port if self.upstream else None,
                    demo=not self.nodes)
        node.environment.update(self.environment)
        if self.nodes:
            node.use_bootstrap_key(self.nodes[0].bootstrap_key)
        self.nodes.append(node)
        if start:
            node.start()
        return node

    def in_parallel(self, nodes):
        """Starts nodes that were added with start=False."""
        for node in nodes:
            node.start(ready=False)
        for node in nodes:
            assert wait_until(node.is_ready, 30), f"not ready\n{node.logs()[-4000:]}"

    def close(self):
        """Ends all nodes, then reports the first that did not end well."""
        problems = []
        for node in reversed(self.nodes):
            try:
                node.close()
            except Exception as problem:
                problems.append(problem)
        if problems:
            raise problems[0]
