"""An archive of its own in a scratch folder, driven through the program's command line as an operator would."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

PROGRAM = os.environ["GEOGRIDD"]
CONFIG = """\
cluster: testing
metadata: {{ url: 'sqlite:{root}/metadata.db' }}
nodes:
{nodes}
classes:
  - {{ name: thumb.jpg, match: '_\\d+x\\d+\\.jpg$', replicas: 2, backups: 0 }}
  - {{ name: others, replicas: {replicas}, backups: 1 }}
storage: {{ min_free: 1MiB }}
"""


class Archive:
    def __init__(self, nodes=("n1", "n2", "n3"), replicas=2):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="geogrid-cli-"))
        self.nodes = nodes
        for node in nodes:
            self.volume(node).mkdir()
        self.config = self.root / "geogridd.yaml"
        lines = "\n".join(f"  {n}: {{ path: '{self.volume(n)}' }}" for n in nodes)
        self.config.write_text(CONFIG.format(root=self.root, nodes=lines, replicas=replicas))

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def volume(self, node):
        return self.root / node

    def put(self, node, path, content, mtime=1375696800):
        """Writes a file straight into a node's folder, past geogridd."""
        name = os.fsencode(self.volume(node)) + b"/" + (path if isinstance(path, bytes) else path.encode())
        os.makedirs(os.path.dirname(name), exist_ok=True)
        with open(name, "wb") as file:
            file.write(content)
        os.utime(name, (mtime, mtime))

    def run(self, *arguments, config=None):
        return subprocess.run(
            [PROGRAM, "--config", str(config or self.config), *arguments],
            capture_output=True, timeout=60, stdin=subprocess.DEVNULL, check=False,
        )

    def ok(self, *arguments):
        done = self.run(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout.decode()}\n{done.stderr.decode()}"
        return done.stdout.decode()

    def json(self, *arguments, code=0):
        done = self.run(*arguments, "--json")
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stderr.decode()}"
        return json.loads(done.stdout)

    def set_up(self):
        self.ok("init")
        for node in self.nodes:
            self.ok("node", "add", node)

    def walk(self, node):
        return self.ok("--role=storage", "--action=walk", f"--replica={node}")

    def replicate(self, node):
        return self.ok("--role=storage", "--action=replicate", "--once", f"--replica={node}")

    def settle(self):
        for node in self.nodes:
            self.walk(node)
        for node in self.nodes:
            self.replicate(node)

    def holders(self, path):
        return sorted(copy["node"] for copy in self.json("locate", path)["copies"])

    def snapshot(self):
        """Every name under the volumes with its bytes' digest, to show that nothing was changed."""
        seen = {}
        for node in self.nodes:
            for folder, _, files in os.walk(os.fsencode(self.volume(node))):
                for name in files:
                    full = os.path.join(folder, name)
                    with open(full, "rb") as file:
                        seen[full] = hashlib.md5(file.read()).hexdigest()
        return seen
