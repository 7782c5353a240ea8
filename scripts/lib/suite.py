#!/usr/bin/env python3
"""Joins tests of several build folders into one suite, so that one run of ctest tells the whole story.

  suite.py targets NAME FOLDER only|not LABELS NAMES
                     the programs that the chosen tests of a build folder need, one a line
  suite.py join OUT NAMES NAME=FOLDER=only|not=LABELS...
                     writes OUT/CTestTestfile.cmake; tests are called NAME/TEST, and only those that match NAMES are taken

`only LABELS` chooses tests with a label that matches the regular expression, `not LABELS` those without.
"""
import json
import os
import re
import subprocess
import sys


def tests_of(folder, mode, labels):
    shown = subprocess.run(["ctest", "--show-only=json-v1"], cwd=folder, check=True, capture_output=True).stdout
    for test in json.loads(shown)["tests"]:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        matches = any(re.search(labels, label) for label in properties.get("LABELS", []))
        if matches == (mode == "only"):
            yield test["name"], test.get("command", []), properties


def targets(suite, folder, mode, labels, names):
    known = subprocess.run(["ninja", "-C", folder, "-t", "targets", "all"], check=True, capture_output=True, text=True).stdout
    known = {line.split(":")[0] for line in known.splitlines()}
    wanted = {name for name, _, _ in tests_of(folder, mode, labels) if re.search(names, f"{suite}/{name}")}
    return sorted((wanted & known) | {"geogridd"}) if wanted else []


def quoted(value):
    """A CMake argument; lists become CMake lists."""
    if isinstance(value, bool):
        return "ON" if value else "OFF"
    if isinstance(value, list):
        value = ";".join(str(v).replace(";", "\\;") for v in value)
    return "[==[" + str(value) + "]==]"


def entry(suite, name, command, properties):
    if not command:
        sys.exit(f"suite.py: {suite}: the program of the test {name} was not built")
    if "DEPENDS" in properties:
        properties["DEPENDS"] = [f"{suite}/{other}" for other in properties["DEPENDS"]]
    full = quoted(f"{suite}/{name}")
    lines = [f"add_test({full} {' '.join(quoted(word) for word in command)})"]
    if properties:
        pairs = " ".join(f"{key} {quoted(value)}" for key, value in sorted(properties.items()))
        lines.append(f"set_tests_properties({full} PROPERTIES {pairs})")
    return "\n".join(lines)


def join(out, names, specs):
    os.makedirs(out, exist_ok=True)
    lines = []
    for spec in specs:
        suite, folder, mode, labels = spec.split("=", 3)
        lines += [entry(suite, *test) for test in tests_of(folder, mode, labels) if re.search(names, f"{suite}/{test[0]}")]
    with open(os.path.join(out, "CTestTestfile.cmake"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if sys.argv[1:2] == ["targets"] and len(sys.argv) == 7:
    print("".join(f"{target}\n" for target in targets(*sys.argv[2:])), end="")
elif sys.argv[1:2] == ["join"] and len(sys.argv) > 4:
    join(sys.argv[2], sys.argv[3], sys.argv[4:])
else:
    sys.exit(__doc__)
