import json
import os
import shutil
import sqlite3
import unittest

from archive import Archive


class Base(unittest.TestCase):
    def setUp(self):
        self.archive = Archive()
        self.addCleanup(self.archive.close)

    def refused(self, *arguments, code, text):
        done = self.archive.run(*arguments)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        self.assertIn(text, done.stderr.decode())
        return done


class Init(Base):
    def test_before_it_everything_says_init(self):
        self.refused("status", code=1, text="geogridd init")
        self.refused("node", "add", "n1", code=1, text="geogridd init")
        self.assertFalse((self.archive.volume("n1") / ".geogrid").exists())
        self.assertFalse((self.archive.root / "metadata.db").exists())

    def test_dry_run_creates_nothing(self):
        self.assertIn("Would create", self.archive.ok("init", "--dry-run"))
        self.assertFalse((self.archive.root / "metadata.db").exists())

    def test_twice_is_harmless(self):
        first = self.archive.json("init")
        self.assertTrue(first["created"])
        again = self.archive.json("init")
        self.assertFalse(again["created"])
        self.assertEqual(first["uuid"], again["uuid"])

    def test_the_database_is_private(self):
        self.archive.ok("init")
        self.assertEqual(os.stat(self.archive.root / "metadata.db").st_mode & 0o777, 0o600)


class ForeignStores(Base):
    def test_another_clusters_store_is_refused(self):
        self.archive.ok("init")
        config = self.archive.config
        config.write_text(config.read_text().replace("cluster: testing", "cluster: other"))
        self.refused("status", code=3, text="testing")
        self.refused("init", code=3, text="testing")

    def test_somebody_elses_database_is_left_alone(self):
        file = self.archive.root / "metadata.db"
        with sqlite3.connect(file) as db:
            db.execute("CREATE TABLE recipes (name TEXT)")
        db.close()
        before = file.read_bytes()
        self.refused("init", code=3, text="metadata.db")
        self.refused("status", code=3, text="metadata.db")
        self.assertEqual(file.read_bytes(), before)

    def test_a_file_that_is_no_database_is_left_alone(self):
        file = self.archive.root / "metadata.db"
        file.write_bytes(b"These are my recipes.\n" * 100)
        before = file.read_bytes()
        self.refused("status", code=3, text="metadata.db")
        self.assertEqual(file.read_bytes(), before)

    def test_a_newer_schema_is_refused(self):
        self.archive.ok("init")
        with sqlite3.connect(self.archive.root / "metadata.db") as db:
            changed = db.execute("UPDATE meta SET value = CAST('9999' AS BLOB) WHERE CAST(name AS TEXT) LIKE '%schema%'").rowcount
            self.assertEqual(changed, 1)
        db.close()
        self.refused("status", code=1, text="update geogridd")


class Nodes(Base):
    def setUp(self):
        super().setUp()
        self.archive.ok("init")

    def test_an_empty_volume_is_active_at_once_and_a_filled_one_joins(self):
        self.archive.put("n2", "photos/1.jpg", b"photo")
        self.assertEqual(self.archive.json("node", "add", "n1")["state"], "active")
        self.assertEqual(self.archive.json("node", "add", "n2")["state"], "joining")
        self.archive.walk("n2")
        states = {n["name"]: n["state"] for n in self.archive.json("node", "list")}
        self.assertEqual(states, {"n1": "active", "n2": "active"})

    def test_the_marker_names_cluster_and_node(self):
        node = self.archive.json("node", "add", "n1", "--zone=attic")
        marker = json.loads((self.archive.volume("n1") / ".geogrid/volume").read_text())
        self.assertIn(node["volume_uuid"], marker.values())
        self.assertIn("n1", marker.values())
        self.assertEqual(node["zone"], "attic")

    def test_twice_is_harmless(self):
        self.archive.ok("node", "add", "n1")
        self.assertIn("already", self.archive.ok("node", "add", "n1"))

    def test_dry_run_marks_nothing(self):
        self.archive.ok("node", "add", "n1", "--dry-run")
        self.assertFalse((self.archive.volume("n1") / ".geogrid").exists())
        self.assertEqual(self.archive.json("node", "list"), [])

    def test_a_node_that_the_config_does_not_know(self):
        self.refused("node", "add", "jam", code=2, text="nodes:")

    def test_a_cloned_volume_is_refused(self):
        self.archive.ok("node", "add", "n1")
        shutil.copytree(self.archive.volume("n1") / ".geogrid", self.archive.volume("n2") / ".geogrid")
        before = self.archive.snapshot()
        self.refused("node", "add", "n2", code=3, text="n1")
        self.assertEqual(self.archive.snapshot(), before)

    def test_another_clusters_volume_is_refused(self):
        other = Archive()
        self.addCleanup(other.close)
        other.set_up()
        shutil.copytree(other.volume("n1") / ".geogrid", self.archive.volume("n1") / ".geogrid")
        before = self.archive.snapshot()
        self.refused("node", "add", "n1", code=3, text="testing")
        self.assertEqual(self.archive.snapshot(), before)

    def test_states_are_set_and_checked(self):
        self.archive.ok("node", "add", "n1")
        self.assertEqual(self.archive.json("node", "set", "n1", "--state=readonly")["state"], "readonly")
        self.assertEqual(self.archive.json("node", "set", "n1", "--weight=2.5")["weight"], 2.5)
        self.refused("node", "set", "jam", "--state=active", code=1, text="jam")

    def test_a_node_that_still_counts_copies_cannot_be_retired(self):
        self.archive.put("n1", "photos/1.jpg", b"photo")
        self.archive.ok("node", "add", "n1")
        self.archive.walk("n1")
        self.refused("node", "retire", "n1", code=3, text="n1")
        self.archive.ok("node", "add", "n2")
        self.archive.ok("node", "retire", "n2")


if __name__ == "__main__":
    unittest.main()
