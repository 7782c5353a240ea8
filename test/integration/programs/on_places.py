"""What the tests of programs share: each runs in an ordinary folder and on a mount, in a folder of its own."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from mounted import MountedPlace, PlainPlace

PLACES = {"plain": PlainPlace, "mount": MountedPlace}


class Programs:
    """For a TestCase. GEOGRID_TEST_PLACE=plain or =mount runs the tests in one of the places only."""

    place_kind = None

    @classmethod
    def setUpClass(cls):
        cls.place = PLACES[cls.place_kind]()
        cls.elsewhere = pathlib.Path(tempfile.mkdtemp(prefix="geogrid-elsewhere-"))

    @classmethod
    def tearDownClass(cls):
        try:
            cls.place.end(cls)
        finally:
            shutil.rmtree(cls.elsewhere, ignore_errors=True)

    def setUp(self):
        name = self.id().rsplit(".", 1)[-1]
        self.here = self.place.folder / name
        self.here.mkdir()
        self.there = self.elsewhere / name
        self.there.mkdir()

    def sh(self, script, *arguments, cwd=None, code=0):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script, "sh", *map(str, arguments)], cwd=cwd or self.here,
                              capture_output=True, timeout=120, stdin=subprocess.DEVNULL, check=False,
                              env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(self.elsewhere)})
        self.assertEqual(done.returncode, code, script + "\n" + done.stdout.decode(errors="replace")[-3000:] +
                         done.stderr.decode(errors="replace")[-3000:])
        return done.stdout.decode(errors="surrogateescape")


def on_places(namespace, base):
    """Defines BASEOnPlain and BASEOnMount, as far as they are asked for."""
    wanted = os.environ.get("GEOGRID_TEST_PLACE")
    for kind in PLACES:
        if wanted in (None, kind):
            name = f"{base.__name__}On{kind.capitalize()}"
            namespace[name] = type(name, (base, __import__("unittest").TestCase), {"place_kind": kind, "__module__": base.__module__})
