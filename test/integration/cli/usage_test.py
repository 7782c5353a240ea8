import subprocess
import unittest

from archive import PROGRAM, Archive


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=30, check=False)


class Usage(unittest.TestCase):
    def test_help_and_version_go_to_stdout(self):
        for option in ("--help", "--version"):
            done = run(option)
            self.assertEqual(done.returncode, 0)
            self.assertIn(b"geogridd", done.stdout)
            self.assertEqual(done.stderr, b"")

    def test_nonsense_is_a_usage_error_and_prints_no_data(self):
        for arguments in (
            [], ["nonsense"], ["--nonsense"], ["--role=cook"], ["--role=storage", "status"], ["--role=storage,storage"],
            ["--role=storage", "--action=dance"], ["--role=client,storage", "--action=walk"], ["node"], ["node", "add"],
            ["node", "set", "n1"], ["node", "set", "n1", "--state=asleep"], ["locate"], ["queue", "--limit=0"],
        ):
            with self.subTest(arguments=arguments):
                done = run(*arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(done.stdout, b"")
                self.assertNotEqual(done.stderr, b"")

    def test_a_missing_config_says_which(self):
        done = run("--config=/nowhere/geogridd.yaml", "status")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"/nowhere/geogridd.yaml", done.stderr)


class CheckConfig(unittest.TestCase):
    def setUp(self):
        self.archive = Archive()
        self.addCleanup(self.archive.close)

    def test_a_good_one_passes(self):
        self.assertIn("no faults", self.archive.ok("check-config"))
        self.assertEqual(self.archive.json("check-config")["faults"], [])

    def test_every_fault_has_its_place(self):
        text = self.archive.config.read_text().replace("min_free", "min_fre") + "lug: { level: info }\n"
        self.archive.config.write_text(text)
        done = self.archive.run("check-config")
        self.assertEqual(done.returncode, 2)
        lines = done.stderr.decode().splitlines()
        self.assertEqual(len(lines), 2, lines)
        for line, near in zip(lines, ("min_free", "log")):
            self.assertRegex(line, rf"^{self.archive.config}:\d+:\d+: ")
            self.assertIn(near, line)
        faults = self.archive.json("check-config", code=2)["faults"]
        self.assertEqual(len(faults), 2)

    def test_other_commands_refuse_a_faulty_one(self):
        self.archive.config.write_text("cluster: [")
        done = self.archive.run("status")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"geogridd.yaml:1:", done.stderr)


if __name__ == "__main__":
    unittest.main()
