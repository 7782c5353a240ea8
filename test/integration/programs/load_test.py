"""Load generators that check what they read."""

import shutil
import subprocess
import unittest

from on_places import Programs, on_places

# Those of stress-ng that do what an archive may see; each for a second. Hard links, quotas and the like are not here.
STRESSORS = ("chmod chown dentry dir dirdeep fallocate fault fcntl filename flock fstat getdent "
             "hdd iomix lockf lockofd mknod mmap msync open readahead rename revio seek sendfile sync-file touch "
             "utime").split()


def known_stressors():
    shown = subprocess.run(["stress-ng", "--stressors"], capture_output=True, text=True, check=True).stdout.split()
    return [name for name in STRESSORS if name in shown]


class Load(Programs):
    def fio(self, name, *options):
        self.sh('fio --output-format=terse --minimal --directory="$1" "${@:2}"', self.here, f"--name={name}", "--verify=md5",
                "--verify_fatal=1", "--do_verify=1", "--randrepeat=1", "--fallocate=none", *options, cwd=self.there)

    def test_fio_random_writes(self):
        self.fio("random", "--rw=randwrite", "--bsrange=1k-64k", "--size=6m", "--numjobs=2", "--fsync=50", "--ioengine=psync")

    def test_fio_overwrites_what_is_there(self):
        for _ in range(2):
            self.fio("over", "--rw=write", "--bs=128k", "--size=8m", "--overwrite=1", "--ioengine=sync", "--end_fsync=1")
        self.fio("over", "--rw=randwrite", "--bs=4k", "--size=4m", "--overwrite=1", "--ioengine=psync")

    def test_fio_mapped_and_vectored(self):
        self.fio("mapped", "--rw=randwrite", "--bs=4k", "--size=4m", "--ioengine=mmap")
        self.fio("vectored", "--rw=randwrite", "--bs=16k", "--size=4m", "--ioengine=pvsync", "--nrfiles=8")
        self.fio("many", "--rw=write", "--bs=8k", "--size=4m", "--nrfiles=100", "--openfiles=20", "--ioengine=sync")

    def test_fio_mixed(self):
        self.fio("mixed", "--rw=randrw", "--bs=4k", "--size=4m", "--iodepth=8", "--ioengine=libaio", "--numjobs=2")

    def stress(self, name, folder):
        work = folder / f"stress-{name}"
        work.mkdir()
        done = subprocess.run(["stress-ng", f"--{name}", "1", "--timeout", "1", "--temp-path", work, "--verify", "--hdd-bytes", "8m",
                               "--iomix-bytes", "4m", "--fallocate-bytes", "8m", "--sync-file-bytes", "4m", "--seek-size", "4m",
                               "--readahead-bytes", "4m", "--mmap-bytes", "4m", "--mmap-file", "--msync-bytes", "1m",
                               "--revio-bytes", "4m", "--sendfile-size", "1m", "--dentries", "512",
                               "--dir-dirs", "128", "--dirdeep-dirs", "2", "--dirdeep-inodes", "300"],
                              capture_output=True, text=True, timeout=60, cwd=work, stdin=subprocess.DEVNULL, check=False)
        shutil.rmtree(work)
        return done

    def test_stress(self):
        if not self.place.is_mount:
            return  # where the mount fails, the same is asked of an ordinary folder
        for name in known_stressors():
            with self.subTest(stressor=name):
                on_mount = self.stress(name, self.here)
                if on_mount.returncode != 0:
                    self.assertEqual(on_mount.returncode, self.stress(name, self.there).returncode,
                                     on_mount.stdout + on_mount.stderr)


on_places(globals(), Load)

if __name__ == "__main__":
    unittest.main()
