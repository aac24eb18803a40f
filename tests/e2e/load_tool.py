"""The C++ load tool (tests/load) as a Python call."""
import json
import os
import subprocess


class Load:
    """Started in the background; result() waits for it."""

    def __init__(self, program, port, path="/", log=None, **options):
        command = [program, "--target", f"127.0.0.1:{port}", "--path", path]
        for name, value in options.items():
            flag = "--" + name.replace("_", "-")
            if value is True:
                command.append(flag)
            elif isinstance(value, (list, tuple)):
                for item in value:
                    command += [flag, str(item)]
            elif value is not None:
                command += [flag, str(value)]
        if log:
            command += ["--log", str(log)]
        self.log = log
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self, timeout=180):
        out, err = self.process.communicate(timeout=timeout)
        assert self.process.returncode == 0, err
        return json.loads(out)

    def responses(self):
        """[(sent ns, received ns, status)] of every response, from the log."""
        with open(self.log) as f:
            return [tuple(map(int, line.split())) for line in f]

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def find(binary):
    """PORTCULLIS_LOAD, or `tests/paced` in the build folder of the binary."""
    path = os.environ.get("PORTCULLIS_LOAD") or os.path.join(os.path.dirname(binary), "tests", "paced")
    assert os.access(path, os.X_OK), f"the load tool is not built: {path} (target paced)"
    return path
