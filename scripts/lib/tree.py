"""What the checks share: the files of the project, and C++ text without comments and strings."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tracked(*suffixes):
    """The project's own files, relative to ROOT: what git tracks or would, or all of a tree without git."""
    try:
        out = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             check=True, capture_output=True).stdout
        names = [n.decode("utf-8", "surrogateescape") for n in out.split(b"\0") if n]
    except (OSError, subprocess.CalledProcessError):
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")
                 if p.is_file() and p.relative_to(ROOT).parts[0] not in ("build", ".git")]
    names = sorted(n for n in set(names) if (ROOT / n).is_file())
    return [n for n in names if not suffixes or n.endswith(suffixes)]


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


_TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)


def code_of(name):
    """The C++ text of a file with comments and literals blanked out; line numbers stay as they are."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    # Digit separators (10'000) look like the start of a character literal.
    text = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "_", text_of(name))
    return _TOKENS.sub(blank, text)
