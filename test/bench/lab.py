"""The bench's tools: scratch folders, caches, timed commands, geogridd's own set-up, and the table of results."""
import os
import platform
import shutil
import statistics
import subprocess
import time


class Lab:
    def __init__(self, args):
        self.args = args
        self.scratch = args.scratch
        self.tree = args.scratch / "disk"
        self.names = args.scratch / "names"
        self.log = args.scratch / "log"
        self.geogridd = None if args.peers_only else args.build / "geogridd"
        self.running = []

    # --- set-up -------------------------------------------------------------------------------------------------

    def prepare(self):
        """The workload's tree, whole, at self.tree, and its names in self.names."""
        if self.scratch.exists():
            raise SystemExit(f"bench: {self.scratch} exists; remove it or name another --scratch")
        self.scratch.mkdir(parents=True)
        self.make_tree([self.tree], self.names)

    def program(self, name):
        path = self.args.build / "test/bench" / name
        if not path.exists():
            raise SystemExit(f"bench: {path} is not built")
        return path

    def make_tree(self, folders, names=None):
        command = [self.program("photo_tree"), "--spread=" + ",".join(map(str, folders)), f"--files={self.args.files}"]
        if self.args.size:
            command.append(f"--size={self.args.size}")
        if names:
            command.append(f"--list={names}")
        self.call(command)

    def describe(self):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        return (f"{self.args.files} files, {self.args.rounds} interleaved rounds, medians; {os.cpu_count()} cores, {memory:.0f} GiB, "
                f"kernel {platform.release()}, {time.strftime('%Y-%m-%d')}.")

    # --- running things -----------------------------------------------------------------------------------------

    def call(self, command, **more):
        """Runs a command to its end; its output goes to the log. Returns the seconds it took."""
        with open(self.log, "ab") as log:
            log.write(("$ " + " ".join(map(str, command)) + "\n").encode())
            log.flush()
            began = time.monotonic()
            done = subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **more)
            seconds = time.monotonic() - began
        if done.returncode != 0:
            tail = subprocess.run(["tail", "-n", "20", self.log], capture_output=True, text=True).stdout
            raise SystemExit(f"bench: {' '.join(map(str, command))} ended with {done.returncode}:\n{tail}")
        return seconds

    def start(self, command):
        """Starts a program that runs until stop()."""
        with open(self.log, "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.running.append(process)
        return process

    def stop(self, process):
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise SystemExit("bench: a program did not stop within 30 s")
        finally:
            self.running.remove(process)

    def close(self):
        for process in list(self.running):
            process.kill()
            process.wait()
        for line in open("/proc/self/mounts", encoding="utf-8").read().splitlines():
            if line.split()[1].startswith(f"{self.scratch}/"):
                subprocess.run(["umount", "-l", line.split()[1]], check=False)

    @staticmethod
    def wait_for(what, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise SystemExit(f"bench: {what} did not happen within {seconds} s")
            time.sleep(0.02)

    @staticmethod
    def go_cold():
        os.sync()
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
            file.write("3\n")

    # --- geogridd -----------------------------------------------------------------------------------------------

    def archive(self, nodes, replicas, mountpoint=None, read_only=True):
        """A fresh archive of geogridd's over the given node folders (name -> path): its configuration file."""
        home = self.scratch / "geogrid"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        for path in nodes.values():
            shutil.rmtree(path / ".geogrid", ignore_errors=True)
        config = home / "geogridd.yaml"
        lines = ["cluster: bench", f"metadata: {{ url: 'sqlite:{home}/metadata.db' }}", "nodes:"]
        lines += [f"  {name}: {{ path: {path} }}" for name, path in nodes.items()]
        lines += ["classes:", f"  - {{ name: photos, replicas: {replicas}, backups: 0 }}", "storage: { min_free: 1GiB }"]
        if mountpoint:
            mountpoint.mkdir(exist_ok=True)
            lines += ["client:", f"  mounts: [ {{ mountpoint: {mountpoint}, read_only: {str(read_only).lower()} }} ]"]
        lines += ["log: { level: warning }"]
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.call([self.geogridd, "init", f"--config={config}"])
        for name, path in nodes.items():
            self.call([self.geogridd, "node", "add", name, f"--path={path}", f"--config={config}"])
        return config

    def action(self, config, action, node, *more):
        return self.call([self.geogridd, "--role=storage", f"--action={action}", f"--replica={node}", f"--config={config}", *more])


class Table:
    """Rows of rates (higher is better), a list of samples each; or single figures."""

    def __init__(self):
        self.rows = []

    def add(self, job, unit, samples, against, bar=""):
        """samples: system -> list of rates. The ratios are those of geogridd's medians to that of `against`."""
        medians = {system: statistics.median(rates) for system, rates in samples.items() if rates}
        ours = [s for s in medians if s.startswith("geogridd")]
        ratios = [s.replace("geogridd", "").strip() + f" {medians[s] / medians[against]:.2f}" for s in ours]
        ratio = f"{', '.join(r.strip() for r in ratios)} × {against}" if ours else "–"
        figures = ", ".join(f"{system} {self.figure(value)}" for system, value in medians.items())
        self.rows.append((job, unit, figures, ratio, bar))

    def note(self, job, unit, value, bar=""):
        self.rows.append((job, unit, self.figure(value), "–", bar))

    @staticmethod
    def figure(value):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

    def markdown(self):
        lines = ["| job | unit | medians | geogridd | bar |", "| --- | --- | --- | ---: | --- |"]
        return "\n".join(lines + [f"| {' | '.join(row)} |" for row in self.rows])
