"""Programs that copy trees: in, out, and again."""

import os
import unittest

from mounted import picture
from on_places import Programs, on_places

TREE = r"""
mkdir -p photos/AB photos/CD/deep/er empty sticky 'odd names' shared
for i in $(seq 30); do head -c $((i * 3001)) /dev/urandom > photos/AB/$i.jpg; done
for i in $(seq 10); do echo "text $i" > photos/CD/deep/er/$i.txt; done
head -c 3000000 /dev/urandom > photos/large.tif
: > photos/nothing
printf x > 'odd names/ leading and trailing '
printf x > 'odd names/new
line'
printf x > $'odd names/\xff\xfe'
printf x > 'odd names/-rf'
printf x > "odd names/$(printf 'n%.0s' $(seq 255))"
ln -s AB/1.jpg photos/first
ln -s /etc/passwd photos/outside
ln -s nowhere photos/dangling
mkfifo photos/fifo
chmod 0400 photos/AB/3.jpg; chmod 0755 photos/AB/4.jpg; chmod 1777 sticky; chmod 2775 shared; chmod 0700 photos/CD
chown 1234:2345 photos/AB/5.jpg photos/CD
touch -d '1999-12-31 23:59:59.123456789' photos/AB/6.jpg
touch -d '2038-02-01' photos/AB/7.jpg
find . -name '*.txt' -exec touch -d '2013-08-05 10:00:00.5' {} +
touch -d '2013-08-05' photos/CD photos
"""


def tree_of(folder):
    """With the times of files and links as programs copy them."""
    return picture(folder)


class Copying(Programs):
    def make_tree(self, where):
        self.sh(TREE, cwd=where)

    def test_tar(self):
        self.make_tree(self.there)
        pax = "--format=pax --pax-option=exthdr.name=%d/%f,delete=atime,delete=ctime --sort=name "  # keeps nanoseconds
        self.sh('tar ' + pax + '-C "$1" -cf "$1.tar" . && tar -C "$2" -xpf "$1.tar"', self.there, self.here)
        self.assertEqual(tree_of(self.here), tree_of(self.there))
        self.sh('diff -r --no-dereference "$1/photos/AB" "$2/photos/AB"', self.there, self.here)
        self.sh('tar ' + pax + '-C "$1" -cf "$2" . && cmp "$2" "$3.tar"', self.here, self.elsewhere / "out.tar", self.there)
        self.sh('tar -C "$1" -df "$2.tar"', self.here, self.there)
        self.sh('tar -C "$1" -xpf "$2.tar" --overwrite', self.here, self.there)
        self.assertEqual(tree_of(self.here), tree_of(self.there))
        self.sh('rm -rf photos && tar -czf all.tgz "odd names" && mkdir x && tar -C x -xzf all.tgz && diff -r "odd names" "x/odd names"')

    def test_rsync(self):
        self.make_tree(self.there)
        back = self.elsewhere / "back"
        self.sh('rsync -a --numeric-ids "$1/" "$2/"', self.there, self.here)
        self.assertEqual(tree_of(self.here), tree_of(self.there))
        again = self.sh('rsync -ai --numeric-ids "$1/" "$2/"', self.there, self.here)
        self.assertEqual([line for line in again.splitlines() if line[:2] != ".d"], [], "nothing to do the second time")
        self.assertEqual(self.sh('rsync -aic --numeric-ids "$1/" "$2/" | grep "^>f" || true', self.there, self.here), "")
        self.sh('rsync -a --numeric-ids "$1/" "$2/"', self.here, back)
        self.assertEqual(tree_of(back), tree_of(self.there))
        self.sh('echo more >> "$1/photos/AB/9.jpg"; rm "$1/photos/AB/10.jpg"; mv "$1/photos/CD" "$1/photos/EF"; '
                'rsync -a --numeric-ids --delete --inplace "$1/" "$2/"', self.there, self.here)
        self.assertEqual(tree_of(self.here), tree_of(self.there))
        self.sh('echo "and more" >> "$1/photos/large.tif"; rsync -a --numeric-ids --no-whole-file "$1/" "$2/"', self.there, self.here)
        self.assertEqual(tree_of(self.here), tree_of(self.there))

    def test_cp_mv_rm(self):
        self.make_tree(self.there)
        self.sh('cp -a "$1/." a', self.there)
        self.assertEqual(tree_of(self.here / "a"), tree_of(self.there))
        self.sh("cp -a a b && cp -a --reflink=auto --sparse=always a/photos/large.tif c && cmp c a/photos/large.tif")
        self.assertEqual(tree_of(self.here / "b"), tree_of(self.there))
        self.sh("mv b d && mkdir e && mv d e/f && mv e/f/photos e/g && mv e/g/AB/1.jpg e/g/AB/one.jpg")
        self.assertEqual(len(os.listdir(self.here / "e/g/AB")), 30)
        self.sh('mv "$1" "$2/moved in" && mv e/g "$3"', self.there, self.here, self.elsewhere / "moved out")
        self.assertEqual((self.elsewhere / "moved out/AB/one.jpg").stat().st_size, 3001)
        self.sh("rm -rf a e")
        self.assertEqual(sorted(os.listdir(self.here)), ["c", "moved in"])
        self.sh("cp -a 'moved in' a && install -m 0640 -o 1234 a/photos/AB/2.jpg a/installed && test $(stat -c %a:%u a/installed) = 640:1234")
        self.sh("ln -sfn photos/AB a/link && test $(ls a/link | wc -l) = 30 && cp --backup=numbered a/installed a/photos/AB/3.jpg")
        self.sh("test -e a/photos/AB/3.jpg.~1~ && find a -name '*.txt' -delete && test $(find a -name '*.txt' | wc -l) = 0")


on_places(globals(), Copying)

if __name__ == "__main__":
    unittest.main()
