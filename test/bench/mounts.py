"""The mount beside mergerfs over the same three folders, and the bare disk with the same tree in one folder."""
import os
import subprocess

PHASES = ["list", "stat", "miss", "read"]
MERGERFS = ("cache.files=auto-full,cache.entry=3600,cache.attr=3600,cache.negative_entry=3600,cache.readdir=true,cache.symlinks=true,"
            "cache.statfs=3600,async_read=true,category.search=ff,inodecalc=path-hash,xattr=nosys,security_capability=false,"
            "posix_acl=false,threads=2,fsname=bench-mergerfs")


def spread(lab):
    """Three node folders that share the tree's files evenly, one copy each."""
    folders = {f"n{i}": lab.scratch / f"n{i}" for i in (1, 2, 3)}
    if not folders["n1"].exists():
        lab.make_tree(list(folders.values()))
    return folders


class Disk:
    name = "disk"

    def __init__(self, lab):
        self.root = lab.tree

    def __enter__(self):
        return self.root

    def __exit__(self, *_):
        pass


class Mergerfs:
    name = "mergerfs"

    def __init__(self, lab):
        self.lab = lab
        self.root = lab.scratch / "mergerfs"
        self.root.mkdir(exist_ok=True)
        self.branches = ":".join(map(str, spread(lab).values()))

    def __enter__(self):
        self.lab.call(["mergerfs", "-o", MERGERFS, self.branches, self.root])
        return self.root

    def __exit__(self, *_):
        self.lab.call(["umount", self.root])


class Geogridd:
    def __init__(self, lab, read_only):
        self.name = "geogridd read-only" if read_only else "geogridd"
        self.lab = lab
        self.root = lab.scratch / "geogridd"
        self.read_only = read_only
        self.config = None
        self.process = None

    def __enter__(self):
        self.process = self.lab.start([self.lab.geogridd, "--role=client", f"--config={self.config[self.read_only]}"])
        self.lab.wait_for("the mount", lambda: os.path.ismount(self.root) or self.process.poll() is not None)
        if self.process.poll() is not None:
            raise SystemExit(f"bench: geogridd did not mount; see {self.lab.log} (--keep)")
        return self.root

    def __exit__(self, *_):
        self.lab.stop(self.process)


def geogridd_systems(lab):
    """One archive, walked once; two ways to mount it."""
    nodes = spread(lab)
    config = lab.archive(nodes, 1, lab.scratch / "geogridd", read_only=False)
    for node in nodes:
        lab.action(config, "walk", node)
    read_only = config.with_name("read-only.yaml")
    read_only.write_text(config.read_text(encoding="utf-8").replace("read_only: false", "read_only: true"), encoding="utf-8")
    systems = [Geogridd(lab, False), Geogridd(lab, True)]
    for system in systems:
        system.config = {False: config, True: read_only}
    return systems


def workload(lab, root, phase):
    """Rates of the two passes: the cold one, the warm one."""
    out = subprocess.run([lab.program("photo_workload"), root, lab.names, phase], capture_output=True, text=True, check=False)
    if out.returncode != 0:
        raise SystemExit(f"bench: {out.stderr}")
    return [int(line.split()[2]) / float(line.split()[3]) for line in out.stdout.splitlines()]


def mount(lab, table):
    systems = [Disk(lab), Mergerfs(lab)] + (geogridd_systems(lab) if lab.geogridd else [])
    rates = {(phase, heat): {system.name: [] for system in systems} for phase in PHASES for heat in ("cold", "warm")}
    for _ in range(lab.args.rounds):
        for phase in PHASES:
            for system in systems:
                lab.go_cold()
                with system as root:
                    cold, warm = workload(lab, root, phase)
                rates[phase, "cold"][system.name].append(cold)
                rates[phase, "warm"][system.name].append(warm)
    bars = {"list": "≥ 1.0", "stat": "≥ 1.0"}
    for (phase, heat), samples in rates.items():
        label = "miss, other names again" if (phase, heat) == ("miss", "warm") else f"{phase} {heat}"
        table.add(label, "per second", samples, "mergerfs", bars.get(phase, ""))


def memory(lab, table):
    """What an idle client holds, mounted over the tree, before and after all of it was listed and statted."""
    if not lab.geogridd:
        return
    system = geogridd_systems(lab)[0]
    with system as root:
        table.note("client, idle: resident", "MiB", resident(system.process.pid), "≤ 64")
        for phase in ("list", "stat"):
            workload(lab, root, phase)
        table.note(f"client, after touching {lab.args.files} files: resident", "MiB", resident(system.process.pid))


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))
