"""Programs that keep their files on the mount: git, SQLite, image tools, PHP, editors."""

import os
import sqlite3
import subprocess
import sys
import unittest

from on_places import Programs, on_places

GIT = "export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b\n"

# Counts how many rows it sees, which never become fewer, until there are enough.
SQLITE_READER = """
import sqlite3, sys
database, wanted, seen = sqlite3.connect(sys.argv[1], timeout=60), int(sys.argv[2]), 0
while seen < wanted:
    count, total = database.execute("select count(*), coalesce(sum(n), 0) from t").fetchone()
    assert count >= seen and total == count * (count - 1) // 2, (count, seen, total)
    seen = count
"""

PHP_UPLOADS = r"""
chdir($argv[1]);
for ($i = 0; $i < 40; $i++) {
    $content = str_repeat("upload $argv[2] $i ", 500 + $i);
    $tmp = tempnam(".", "up");
    if (realpath(dirname($tmp)) != getcwd()) { echo "elsewhere: $tmp\n"; exit(1); }
    if (file_put_contents($tmp, $content) !== strlen($content)) exit(2);
    if (!chmod($tmp, 0644) || !rename($tmp, "photo$i.jpg")) exit(3);
    $read = file_get_contents("photo$i.jpg");
    if (!preg_match('/^upload \d+ ' . $i . ' /', $read) || strlen($read) % (500 + $i)) { echo "half: $i\n"; exit(4); }
    if (file_put_contents("log", "$argv[2] $i\n", FILE_APPEND | LOCK_EX) === false) exit(5);
    $f = fopen("counter", "c+");
    if (!flock($f, LOCK_EX)) exit(6);
    $n = (int)stream_get_contents($f);
    rewind($f); ftruncate($f, 0); fwrite($f, $n + 1); fflush($f);
    flock($f, LOCK_UN); fclose($f);
    if (@fopen("photo$i.jpg", "x")) exit(7);
    clearstatcache();
    if (!is_file("photo$i.jpg") || filesize("photo$i.jpg") != strlen($read)) {
        if (filesize("photo$i.jpg") < 1000) exit(8);
    }
}
"""


class Tools(Programs):
    def test_git(self):
        source = self.there / "source"
        self.sh(GIT + """git init -q -b main "$1" && cd "$1"
            for i in $(seq 12); do mkdir -p d$i; for j in 1 2 3 4 5; do echo "$i $j" > d$i/f$j; head -c 20000 /dev/urandom > blob$((i % 3)); done
            git add . && git commit -qm "commit $i"; done""", source, cwd=self.there)
        self.sh(GIT + """git clone -q "$1" work && cd work && git fsck --full --strict && git status --porcelain && git log --oneline | wc -l
            for i in 1 2 3; do echo change >> d1/f1; git mv d2/f$i d3/moved$i; git commit -qam "change $i"; done
            git checkout -q -b other HEAD~2 && echo other > d4/other && git add . && git commit -qm other
            git checkout -q main && git merge -q -m merge other && git stash list && git gc -q --prune=now && git fsck --full --strict
            test -z "$(git status --porcelain)" && git repack -adq && git worktree add -q ../tree other && git push -q "$1" main:pushed""",
                source)
        self.sh(GIT + "git clone -q work second && cd second && git fsck --full && test -e d4/other && cd .. && "
                "git clone -q --no-hardlinks --mirror work bare && git -C bare fsck && diff -r -x .git work second")

    def test_sqlite_journals(self):
        for mode in ("delete", "truncate", "persist", "wal", "memory"):
            database = sqlite3.connect(self.here / f"{mode}.db", timeout=60)
            self.assertEqual(database.execute(f"pragma journal_mode={mode}").fetchone()[0], mode)
            database.execute("create table t (n integer primary key, text)")
            for batch in range(5):
                with database:
                    database.executemany("insert into t values (?, ?)", [(batch * 100 + i, "x" * (i * 7)) for i in range(100)])
            try:
                with database:
                    database.execute("delete from t")
                    raise KeyError
            except KeyError:
                pass
            database.execute("vacuum")
            database.close()
            self.assertEqual(self.sh(f"sqlite3 {mode}.db 'pragma integrity_check; select count(*), sum(n) from t'"),
                             "ok\n500|124750\n")

    def test_sqlite_with_readers(self):
        for mode in ("delete", "wal"):
            path = self.here / f"{mode}.db"
            database = sqlite3.connect(path, timeout=60)
            database.execute(f"pragma journal_mode={mode}")
            database.execute("pragma synchronous=normal")
            database.execute("create table t (n integer)")
            database.commit()
            readers = [subprocess.Popen([sys.executable, "-c", SQLITE_READER, path, "60"]) for _ in range(2)]
            for n in range(60):
                with database:
                    database.execute("insert into t values (?)", (n,))
            self.assertEqual([reader.wait(60) for reader in readers], [0, 0], mode)
            database.close()
            self.assertEqual(self.sh(f"sqlite3 {mode}.db 'pragma integrity_check'"), "ok\n")

    def test_thumbnails(self):
        self.sh("for i in 1 2 3 4; do gm convert -size 640x480 plasma: $i.jpg; done; "
                "gm mogrify -format png 1.jpg; gm identify *.jpg *.png")
        self.sh("for i in 1 2 3 4; do gm convert $i.jpg -resize 120x120 ${i}_120x120.jpg; gm mogrify -rotate 90 $i.jpg; done")
        self.assertEqual(self.sh("gm identify -format '%w %h ' 1.jpg 1_120x120.jpg").split(), ["480", "640", "120", "90"])
        self.sh("gm montage *_120x120.jpg sheet.png; gm identify -verbose sheet.png >/dev/null; for i in *.jpg; do gm convert $i ppm:- | wc -c; done")

    def test_php_uploads(self):
        script = self.elsewhere / "uploads.php"
        script.write_text("<?php" + PHP_UPLOADS)
        writers = [subprocess.Popen(["php", script, self.here, str(n)]) for n in range(3)]
        self.assertEqual([writer.wait(120) for writer in writers], [0, 0, 0])
        self.assertEqual((self.here / "counter").read_text(), "120")
        self.assertEqual(len((self.here / "log").read_text().splitlines()), 120)
        self.assertEqual(sorted(os.listdir(self.here)), sorted([f"photo{i}.jpg" for i in range(40)] + ["counter", "log"]))

    def test_editors_save(self):
        file = self.here / "text"
        file.write_text("one\n")
        # vim, as it does by default, and with backupcopy=yes; emacs; sed; GNOME; KDE.
        self.sh("mv text text~; printf 'one\\ntwo\\n' > text; chmod --reference=text~ text; rm text~")
        self.sh("cp -p text text~; printf 'one\\ntwo\\nthree\\n' > text")
        self.sh("sed -i s/two/TWO/ text; sed -i.bak '$a four' text; test -e text.bak")
        self.sh("perl -pi -e 's/four/FOUR/' text; perl -i.orig -pe 's/one/ONE/' text")
        self.sh("printf x > .goutputstream-1; cat text >> .goutputstream-1; mv .goutputstream-1 text; sed -i '1s/^x//' text")
        self.sh("exec 3<> text; printf 'One' >&3; exec 3>&-; truncate -s -1 text; echo >> text; echo five >> text; sort text -o sorted")
        self.sh("dd if=text of=text conv=notrunc bs=1 count=3 seek=0 status=none; patch -s text <<'END'\n"
                "--- text\n+++ text\n@@ -4,2 +4,3 @@\n FOUR\n-five\n+FIVE\n+six\nEND") if os.path.exists("/usr/bin/patch") else None
        content = file.read_text().splitlines()
        self.assertEqual(content[:4], ["One", "TWO", "three", "FOUR"])

    def test_logs_and_pipes(self):
        self.sh("{ echo a; sleep .1; echo b; } > out; test \"$(cat out)\" = $'a\\nb'")
        self.sh("seq 1000 | tee log | sort -R | sort -n > sorted; cmp log sorted; (echo x; seq 5) >> log; test $(wc -l < log) = 1006")
        self.sh("split -b 1000 log part.; cat part.* > joined; cmp log joined; gzip -k log; zcmp log log.gz; "
                "head -c 100 /dev/zero | dd of=sparse bs=100 seek=1000 status=none; test $(stat -c %s sparse) = 100100")
        self.sh("mktemp -p . x.XXXX; mktemp -d -p . d.XXXX; touch -r log out; test $(stat -c %Y out) = $(stat -c %Y log); "
                "cp -u log out; logger=log; mv log log.1; : > log; ln -s log.1 current; tail -n 1 current")


on_places(globals(), Tools)

if __name__ == "__main__":
    unittest.main()
