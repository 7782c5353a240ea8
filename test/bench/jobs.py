"""The storage role's work beside what does the same from a shell: walking (hashing) a tree, and copying it to another node."""
import shutil


def walk(lab, table):
    files = lab.args.files
    cold = {"find \\| xargs -P2 md5sum": [], "geogridd": []}
    quiet = {"rsync -an": [], "geogridd": []}
    copy = lab.scratch / "copy"
    lab.call(["cp", "-a", lab.tree, copy])
    for _ in range(lab.args.rounds):
        lab.go_cold()
        shell = f"find '{lab.tree}' -path '*/.geogrid' -prune -o -type f -print0 | xargs -0 -P2 -n64 md5sum >/dev/null"
        cold["find \\| xargs -P2 md5sum"].append(files / lab.call(["sh", "-c", shell]))
        if lab.geogridd:
            config = lab.archive({"n1": lab.tree}, 1)
            lab.go_cold()
            cold["geogridd"].append(files / lab.action(config, "walk", "n1"))
            quiet["geogridd"].append(files / lab.action(config, "walk", "n1"))
        lab.call(["rsync", "-an", "--exclude=/.geogrid", f"{lab.tree}/", copy])
        quiet["rsync -an"].append(files / lab.call(["rsync", "-an", "--exclude=/.geogrid", f"{lab.tree}/", copy]))
    shutil.rmtree(copy)
    shutil.rmtree(lab.tree / ".geogrid", ignore_errors=True)
    table.add("walk with digests, cold", "files/s", cold, "find \\| xargs -P2 md5sum", "≥ 0.8 (goal 1.0)")
    table.add("walk, nothing changed", "files/s", quiet, "rsync -an", "(goal 1.0)")


def replicate(lab, table):
    files = lab.args.files
    rates = {"rsync -a": [], "cp -a": [], "geogridd": []}
    target = lab.scratch / "target"

    def emptied():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        lab.go_cold()

    for _ in range(lab.args.rounds):
        emptied()
        rates["rsync -a"].append(files / lab.call(["rsync", "-a", "--exclude=/.geogrid", f"{lab.tree}/", target]))
        emptied()
        rates["cp -a"].append(files / lab.call(["cp", "-a", f"{lab.tree}/.", target]))
        if lab.geogridd:
            emptied()
            config = lab.archive({"n1": lab.tree, "n2": target}, 2)
            lab.action(config, "walk", "n1")
            lab.go_cold()
            rates["geogridd"].append(files / lab.action(config, "replicate", "n2", "--once"))
            check_copies(lab, target)
    shutil.rmtree(target)
    shutil.rmtree(lab.tree / ".geogrid", ignore_errors=True)
    table.add("replicate, verified and recorded, cold", "files/s", rates, "rsync -a", "≥ 1.0 (goal 1.2)")


def check_copies(lab, target):
    """A fast replication that left something out would be no replication."""
    found = sum(1 for path in target.rglob("*.jpg") if ".geogrid" not in path.parts)
    if found != lab.args.files:
        raise SystemExit(f"bench: geogridd copied {found} of {lab.args.files} files")
