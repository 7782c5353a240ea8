"""Walk, replicate, and what the operator sees of them."""

import os
import unittest

from archive import Archive


class MainJob(unittest.TestCase):
    def setUp(self):
        self.archive = Archive()
        self.addCleanup(self.archive.close)

    def test_an_uneven_archive_becomes_even(self):
        a = self.archive
        for i in range(40):
            a.put("n1", f"photos/{i % 4}/{i}.jpg", b"photo %d" % i)
        for i in range(20, 30):
            a.put("n2", f"photos/{i % 4}/{i}.jpg", b"photo %d" % i)
        a.put("n3", "photos/only/three.jpg", b"three")
        a.set_up()
        a.settle()
        self.assertEqual(len(a.holders("/photos/0/0.jpg")), 2)
        self.assertEqual(a.holders("/photos/0/20.jpg"), ["n1", "n2"])
        self.assertIn("n3", a.holders("/photos/only/three.jpg"))
        status = a.json("status", code=1)  # the loops do not run, so that the nodes are silent
        self.assertEqual(status["files"], 41)
        self.assertEqual(status["queue"]["files"], 0)
        for path, holder in (("photos/0/0.jpg", a.holders("/photos/0/0.jpg")),):
            for node in holder:
                stat = os.stat(a.volume(node) / path)
                self.assertEqual(stat.st_mtime, 1375696800)
                self.assertEqual((a.volume(node) / path).read_bytes(), b"photo 0")

    def test_names_of_any_bytes_come_through(self):
        a = self.archive
        names = [b"new\nline.jpg", b"quote'\".jpg", b"\xff\xfe.jpg", b"x" * 255, b" lead", b"trail ", b"%s%n", b"-rf", b"*"]
        for name in names:
            a.put("n1", b"photos/" + name, b"content of " + name)
        a.set_up()
        a.settle()
        found = [n for n in a.nodes[1:] for name in names
                 if os.path.exists(os.fsencode(a.volume(n)) + b"/photos/" + name)]
        self.assertEqual(len(found), len(names))
        self.assertEqual(a.json("queue")["files"], 0)

    def test_a_tree_deeper_than_a_path_may_be_long(self):
        a = self.archive
        here = os.open(a.volume("n1"), os.O_DIRECTORY)
        for _ in range(60):
            os.mkdir("d" * 100, dir_fd=here)
            deeper = os.open("d" * 100, os.O_DIRECTORY, dir_fd=here)
            os.close(here)
            here = deeper
        file = os.open("deep.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=here)
        os.write(file, b"deep")
        os.close(file)
        os.close(here)
        a.set_up()
        a.settle()
        path = "/" + "/".join(["d" * 100] * 60) + "/deep.jpg"
        self.assertEqual(len(a.holders(path)), 2)

    def test_other_content_in_the_way_is_kept_aside(self):
        a = Archive(nodes=("n1", "n2"))
        self.addCleanup(a.close)
        a.put("n1", "photos/1.jpg", b"the photo")
        a.put("n2", "photos/1.jpg", b"something else")
        a.ok("init")
        a.ok("node", "add", "n1")
        a.walk("n1")
        a.ok("node", "add", "n2")
        a.walk("n2")
        self.assertEqual(a.holders("/photos/1.jpg"), ["n1"])
        kinds = [f["kind"] for f in a.json("status", code=1)["findings"]]
        self.assertIn("conflict", kinds)
        a.replicate("n2")
        self.assertEqual(a.holders("/photos/1.jpg"), ["n1", "n2"])
        self.assertEqual((a.volume("n2") / "photos/1.jpg").read_bytes(), b"the photo")
        kept = [p for p in (a.volume("n2") / ".geogrid/conflicts").rglob("1.jpg")]
        self.assertEqual([p.read_bytes() for p in kept], [b"something else"])

    def test_a_change_from_outside_is_reported_and_never_spread(self):
        a = self.archive
        a.put("n1", "photos/1.jpg", b"the photo")
        a.set_up()
        a.settle()
        holders = a.holders("/photos/1.jpg")
        other = next(n for n in holders if n != "n1")
        a.put("n1", "photos/1.jpg", b"vandalised", mtime=1400000000)
        a.walk("n1")
        self.assertEqual(a.holders("/photos/1.jpg"), [other])
        findings = a.json("status", code=1)["findings"]
        self.assertEqual([f["kind"] for f in findings], ["changed outside"])
        for node in a.nodes:
            a.replicate(node)
        self.assertEqual((a.volume(other) / "photos/1.jpg").read_bytes(), b"the photo")
        self.assertEqual(len(a.holders("/photos/1.jpg")), 2)

    def test_an_unmounted_disk_is_absent_not_empty(self):
        a = self.archive
        for i in range(10):
            a.put("n1", f"photos/{i}.jpg", b"photo %d" % i)
        a.set_up()
        a.settle()
        a.volume("n1").rename(a.root / "unplugged")
        a.volume("n1").mkdir()  # the empty mount point
        before = a.json("status", code=1)
        done = a.run("--role=storage", "--action=walk", "--replica=n1")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"n1", done.stderr)
        after = a.json("status", code=1)
        self.assertEqual(before["queue"], after["queue"])
        self.assertEqual(os.listdir(a.volume("n1")), [])

    def test_a_mass_of_missing_files_stops_the_walk(self):
        a = self.archive
        for i in range(100):
            a.put("n1", f"photos/{i}.jpg", b"photo %d" % i)
        a.set_up()
        a.settle()
        for i in range(100):
            os.unlink(a.volume("n1") / f"photos/{i}.jpg")
        done = a.run("--role=storage", "--action=walk", "--replica=n1")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(b"brake", done.stderr)

    def test_a_missing_file_is_copied_back(self):
        a = self.archive
        for i in range(100):
            a.put("n1", f"photos/{i}.jpg", b"photo %d" % i)
        a.set_up()
        a.settle()
        os.unlink(a.volume("n1") / "photos/7.jpg")
        a.walk("n1")
        self.assertNotIn("n1", a.holders("/photos/7.jpg"))
        for node in a.nodes:
            a.replicate(node)
        self.assertEqual(len(a.holders("/photos/7.jpg")), 2)

    def test_too_little_space_is_refused(self):
        a = self.archive
        a.put("n1", "photos/1.jpg", b"photo")
        a.set_up()
        a.walk("n1")
        a.config.write_text(a.config.read_text().replace("min_free: 1MiB", "min_free: 900TiB"))
        done = a.run("--role=storage", "--action=replicate", "--once", "--replica=n2")
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_an_action_that_this_role_does_not_have(self):
        self.archive.set_up()
        done = self.archive.run("--role=storage", "--action=check")
        self.assertEqual(done.returncode, 2)

    def test_bad_paths_are_refused(self):
        self.archive.set_up()
        for path in ("/a/../b", "/" + "x" * 256):
            done = self.archive.run("locate", path)
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(done.stdout, b"")
        done = self.archive.run("locate", "/nothing")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"/nothing", done.stderr)

    def test_classes_can_be_applied_again(self):
        a = self.archive
        a.put("n1", "photos/1.jpg", b"photo")
        a.set_up()
        a.settle()
        a.config.write_text(a.config.read_text().replace("name: others, replicas: 2", "name: others, replicas: 3"))
        self.assertEqual(a.json("classify", "--dry-run")["changed"], 1)
        self.assertEqual(a.json("locate", "/photos/1.jpg")["replica_target"], 2)
        self.assertEqual(a.json("classify")["changed"], 1)
        for node in a.nodes:
            a.replicate(node)
        self.assertEqual(a.holders("/photos/1.jpg"), ["n1", "n2", "n3"])

    def test_verify_names_what_differs(self):
        a = self.archive
        for i in range(30):
            a.put("n1", f"photos/{i}.jpg", b"photo %d" % i)
        a.set_up()
        a.settle()
        a.ok("verify")
        other = next(n for n in a.holders("/photos/3.jpg") if n != "n1")
        os.unlink(a.volume("n1") / "photos/3.jpg")
        a.put("n1", "photos/orphan.jpg", b"nobody knows me")
        a.put(other, "photos/3.jpg", b"PHOTO 3")  # same size and time, other bytes
        before = a.snapshot()
        done = a.run("verify", "/photos", "--deep")
        self.assertEqual(done.returncode, 1)
        for text in (b"/photos/3.jpg", b"/photos/orphan.jpg", b"missing", b"damaged"):
            self.assertIn(text, done.stdout)
        self.assertEqual(a.snapshot(), before)
        self.assertEqual(a.holders("/photos/3.jpg"), sorted(["n1", other]))


if __name__ == "__main__":
    unittest.main()
