"""What was deleted: listed, restored, purged."""

import datetime
import os
import unittest

from archive import Archive


def day(ago):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=ago)).strftime("%Y-%m-%d")


class Trash(unittest.TestCase):
    def setUp(self):
        self.archive = Archive(nodes=("n1", "n2"))
        self.addCleanup(self.archive.close)
        self.archive.set_up()

    def discard(self, node, path, content, ago=1, suffix=""):
        path = path if isinstance(path, bytes) else path.encode()
        self.archive.put(node, f".geogrid/trash/{day(ago)}{suffix}/".encode() + path, content)

    def files(self, *arguments, code=0):
        return self.archive.json("trash", "list", *arguments, code=code)["files"]

    def test_a_list_of_what_and_where(self):
        self.assertIn("Nothing", self.archive.ok("trash", "list"))
        self.discard("n1", "photos/1.jpg", b"one")
        self.discard("n2", "photos/1.jpg", b"one")
        self.discard("n2", "photos/sub/2.jpg", b"twotwo", ago=3)
        self.assertEqual(
            [(f["date"], f["path"], f["size"], f["nodes"]) for f in self.files()],
            [(day(1), "/photos/1.jpg", 3, ["n1", "n2"]), (day(3), "/photos/sub/2.jpg", 6, ["n2"])])
        text = self.archive.ok("trash", "list", "/photos/sub")
        self.assertIn("/photos/sub/2.jpg", text)
        self.assertNotIn("1.jpg", text)
        self.assertEqual(len(self.files("/photos/1.jpg")), 1)
        self.assertEqual(len(self.files(f"--date={day(3)}")), 1)

    def test_a_file_is_restored_and_counts(self):
        for node in ("n1", "n2"):
            self.discard(node, "photos/1.jpg", b"one")
        before = self.archive.snapshot()
        self.archive.ok("trash", "restore", "/photos/1.jpg", "--dry-run")
        self.assertEqual(self.archive.snapshot(), before)
        done = self.archive.json("trash", "restore", "/photos/1.jpg")
        self.assertEqual(done["files"][0]["nodes"], ["n1", "n2"])
        self.assertEqual(self.archive.holders("/photos/1.jpg"), ["n1", "n2"])
        self.assertEqual((self.archive.volume("n2") / "photos/1.jpg").read_bytes(), b"one")
        self.assertEqual(self.files(), [])
        self.archive.ok("verify", "--deep")

    def test_nothing_is_restored_over_something(self):
        self.archive.put("n1", "photos/1.jpg", b"new")
        self.archive.walk("n1")
        self.discard("n1", "photos/1.jpg", b"old")
        done = self.archive.run("trash", "restore", "/photos/1.jpg")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"--to=PATH", done.stdout)
        self.assertEqual((self.archive.volume("n1") / "photos/1.jpg").read_bytes(), b"new")
        self.archive.ok("trash", "restore", "/photos/1.jpg", "--to=/photos/old.jpg")
        self.assertEqual((self.archive.volume("n1") / "photos/old.jpg").read_bytes(), b"old")
        self.assertEqual(self.archive.holders("/photos/old.jpg"), ["n1"])

    def test_the_newest_day_unless_another_is_named(self):
        self.discard("n1", "a.txt", b"older", ago=3)
        self.discard("n1", "a.txt", b"newer", ago=2)
        self.discard("n1", "a.txt", b"newest", ago=2, suffix=".1")
        self.archive.ok("trash", "restore", "/a.txt")
        self.assertEqual((self.archive.volume("n1") / "a.txt").read_bytes(), b"newest")
        self.archive.ok("trash", "restore", "/a.txt", f"--date={day(3)}", "--to=/b.txt")
        self.assertEqual((self.archive.volume("n1") / "b.txt").read_bytes(), b"older")
        done = self.archive.run("trash", "restore", "/a.txt", "--date=1999-01-01")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"1999-01-01", done.stderr)

    def test_a_folder_of_any_names(self):
        names = [b"new\nline", b"quote'\"", b"\xff\xfe", b"x" * 255, b"-rf", b"plain"]
        for i, name in enumerate(names):
            self.discard(("n1", "n2")[i % 2], b"odd/sub/" + name, b"content of " + name)
        done = self.archive.json("trash", "restore", "/odd")
        self.assertEqual(len(done["files"]), len(names))
        self.assertEqual([f["error"] for f in done["files"]], [None] * len(names))
        found = set()
        for node in ("n1", "n2"):
            folder = os.fsencode(self.archive.volume(node)) + b"/odd/sub"
            for name in os.listdir(folder):
                with open(folder + b"/" + name, "rb") as file:
                    self.assertEqual(file.read(), b"content of " + name)
                found.add(name)
        self.assertEqual(found, set(names))
        self.archive.ok("verify", "--deep")

    def test_what_differs_between_nodes_is_not_mixed(self):
        self.discard("n1", "a.txt", b"one")
        self.discard("n2", "a.txt", b"two")
        self.archive.ok("trash", "restore", "/a.txt")
        self.assertEqual(len(self.archive.holders("/a.txt")), 1)
        self.assertEqual(len(self.files("/a.txt")), 1)
        self.archive.ok("verify", "--deep")

    def test_purging(self):
        self.discard("n1", "old.txt", b"old", ago=9)
        self.discard("n1", "young.txt", b"young", ago=2)
        self.discard("n2", "photos/1.jpg", b"one", ago=1)
        self.assertEqual(self.archive.json("trash", "purge", "--dry-run")["nodes"][0]["files"], 1)
        self.assertEqual(len(self.files()), 3)
        self.archive.ok("trash", "purge")  # trash.keep is a week
        self.assertEqual([f["path"] for f in self.files()], ["/photos/1.jpg", "/young.txt"])
        self.archive.ok("trash", "purge", "/photos")
        self.assertEqual([f["path"] for f in self.files()], ["/young.txt"])
        self.archive.ok("trash", "purge", "--older-than=1d")
        self.assertEqual(self.files(), [])

    def test_nonsense(self):
        for arguments in (["restore"], ["restore", "/a", "--to=/../b"], ["purge", "--older-than=soon"], []):
            done = self.archive.run("trash", *arguments)
            self.assertEqual(done.returncode, 2, (arguments, done.stderr))
        done = self.archive.run("trash", "restore", "/nothing")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"trash list", done.stderr)


if __name__ == "__main__":
    unittest.main()
