"""Writing through the mount beside mergerfs and the bare disk: fresh folders for each run, three nodes each."""
import subprocess

from mounts import MERGERFS, Geogridd

PHASES = ["create", "overwrite", "rename", "delete", "sequential"]
THREADS = [1, 4]


class Fresh:
    """Folders that nothing was deleted from a moment ago: ext4 takes its time to use such inodes again."""

    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        self.runs = 0

    def folder(self):
        self.runs += 1
        folder = self.lab.scratch / f"write-{self.name.replace(' ', '-')}-{self.runs}"
        for node in ("n1", "n2", "n3", "mount"):
            (folder / node).mkdir(parents=True)
        return folder


class Disk(Fresh):
    def __init__(self, lab):
        super().__init__(lab, "disk")

    def __enter__(self):
        return self.folder() / "n1"

    def __exit__(self, *_):
        pass


class Mergerfs(Fresh):
    def __init__(self, lab):
        super().__init__(lab, "mergerfs")
        self.mount = None

    def __enter__(self):
        folder = self.folder()
        self.mount = folder / "mount"
        branches = ":".join(str(folder / node) for node in ("n1", "n2", "n3"))
        self.lab.call(["mergerfs", "-o", MERGERFS + ",category.create=epmfs,minfreespace=1G", branches, self.mount])
        return self.mount

    def __exit__(self, *_):
        self.lab.call(["umount", self.mount])


class Written(Fresh):
    def __init__(self, lab):
        super().__init__(lab, "geogridd")
        self.mounted = None

    def __enter__(self):
        folder = self.folder()
        nodes = {node: folder / node for node in ("n1", "n2", "n3")}
        config = self.lab.archive(nodes, 1, folder / "mount", read_only=False)
        self.mounted = Geogridd(self.lab, False)
        self.mounted.root = folder / "mount"
        self.mounted.config = {False: config}
        return self.mounted.__enter__()

    def __exit__(self, *exception):
        self.mounted.__exit__(*exception)


def phases(lab, root, threads):
    """Operations a second (MB/s for the sequential file), by phase."""
    command = [lab.program("photo_writing"), root, f"--files={lab.args.files // 4}", f"--threads={threads}",
               f"--big={1024 if threads == 1 else 0}"]
    if lab.args.size:
        command.append(f"--size={lab.args.size}")
    out = subprocess.run(command, capture_output=True, text=True, check=False)
    if out.returncode != 0:
        raise SystemExit(f"bench: {out.stderr}")
    rates = {}
    for line in out.stdout.splitlines():
        phase, operations, seconds, size = line.split()
        rates[phase] = (int(size) / 1e6 if phase == "sequential" else int(operations)) / float(seconds)
    return rates


def write(lab, table):
    systems = [Disk(lab), Mergerfs(lab)] + ([Written(lab)] if lab.geogridd else [])
    for threads in THREADS:
        rates = {phase: {system.name: [] for system in systems} for phase in PHASES}
        for _ in range(lab.args.rounds):
            for system in systems:
                lab.go_cold()
                with system as root:
                    for phase, rate in phases(lab, root, threads).items():
                        rates[phase][system.name].append(rate)
        for phase, samples in rates.items():
            if any(samples.values()):
                unit = "MB/s" if phase == "sequential" else "per second"
                bar = "≥ 1.0" if phase == "sequential" else "≥ 0.8"
                table.add(f"{phase}, {threads} thread{'s' if threads > 1 else ''}", unit, samples, "mergerfs", bar)
