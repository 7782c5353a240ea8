"""A folder for programs to work in: on a mount with storage nodes replicating beside it, or an ordinary one to compare with."""

import contextlib
import hashlib
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import time

from archive import PROGRAM, Archive

PATIENCE = 60


def wait_until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return bool(condition())
        time.sleep(0.02)
    return True


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def picture(folder, skip=()):
    """What a tree holds: path below it → what it is."""
    seen = {}
    top = os.fsencode(folder)
    for at, folders, files in os.walk(top):
        if at == top:
            folders[:] = [name for name in folders if name not in skip]
        for name in folders + files:
            path = os.path.join(at, name)
            status = os.lstat(path)
            seen[os.path.relpath(path, top)] = entry(path, status)
    return seen


def entry(path, status):
    kind = stat.S_IFMT(status.st_mode)
    if stat.S_ISREG(status.st_mode):
        return kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, status.st_mtime_ns, status.st_size, digest(path)
    if stat.S_ISLNK(status.st_mode):
        return kind, 0o777, status.st_uid, status.st_gid, 0, 0, os.readlink(path)
    return kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, 0, 0, ""


class PlainPlace:
    is_mount = False

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="geogrid-plain-"))

    def end(self, _):
        shutil.rmtree(self.folder)


class MountedPlace(Archive):
    """An archive of two nodes, a process for each and one for the mount."""

    is_mount = True

    def __init__(self):
        super().__init__(nodes=("n1", "n2"))
        self.folder = self.root / "mnt"
        self.folder.mkdir()
        with open(self.config, "a", encoding="utf-8") as config:
            config.write(f"client: {{ mounts: [ {{ mountpoint: '{self.folder}' }} ] }}\n")
        self.set_up()
        self.processes = {}
        for name, roles in (("n1", "storage"), ("n2", "storage"), ("client", "client")):
            self.start(name, roles)
        if not wait_until(self.mounted):
            raise AssertionError("no mount:\n" + self.logs())

    def start(self, name, roles):
        command = [PROGRAM, "--config", str(self.config), f"--role={roles}"]
        if roles == "storage":
            command.append(f"--replica={name}")
        with open(self.root / f"{name}.log", "ab") as log:
            # pylint: disable=consider-using-with
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def mounted(self):
        if self.processes["client"].poll() is not None:
            raise AssertionError("the client ended:\n" + self.logs())
        with contextlib.suppress(OSError):
            return os.stat(self.folder).st_dev != os.stat(self.root).st_dev
        return False

    def logs(self):
        return "".join(f"--- {path.name}\n{path.read_text(errors='replace')[-6000:]}" for path in sorted(self.root.glob("*.log")))

    def stop_all(self):
        codes = {}
        for name in ("client", "n1", "n2"):
            process = self.processes.pop(name, None)
            if process is None:
                continue
            process.terminate()
            try:
                codes[name] = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                codes[name] = process.wait()
        return codes

    def end(self, test):
        """Every file comes to its copies; the processes end well; the disks hold what the mount showed."""
        try:
            dead = {name: process.poll() for name, process in self.processes.items() if process.poll() is not None}
            assert not dead, f"ended by themselves: {dead}\n{self.logs()}"
            shown = picture(self.folder)
            assert wait_until(lambda: self.json("queue")["files"] == 0), f"not replicated\n{self.json('queue')}\n{self.logs()}"
            codes = self.stop_all()
            assert set(codes.values()) == {0}, f"exit codes {codes}\n{self.logs()}"
            self.check_disks(shown)
        finally:
            self.stop_all()
            subprocess.run(["umount", "-l", str(self.folder)], stderr=subprocess.DEVNULL, check=False)
            self.close()

    def check_disks(self, shown):
        wrong = []
        on_nodes = {node: picture(self.volume(node), skip=(b".geogrid",)) for node in self.nodes}
        for path, what in shown.items():
            if stat.S_ISREG(what[0]):
                copies = [node for node, tree in on_nodes.items() if path in tree and tree[path][4:] == what[4:]]
                if len(copies) < 2:
                    wrong.append(f"{path}: {what}: whole on {copies} only; " + str([t.get(path) for t in on_nodes.values()]))
        for node, tree in on_nodes.items():
            wrong += [f"{path} on {node} is not in the tree: {what}" for path, what in tree.items() if path not in shown]
            wrong += [f"left on {node}: {name}" for name in os.listdir(self.volume(node) / ".geogrid/tmp")]
        assert not wrong, "\n".join(wrong[:20]) + "\n" + self.logs()
        verified = self.run("verify", "--deep")
        assert verified.returncode == 0, verified.stdout.decode() + verified.stderr.decode()
