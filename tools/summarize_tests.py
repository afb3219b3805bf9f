#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sums up a results folder of tools/test: GoogleTest's and ctest's XML and the list of steps.

Every test of a GoogleTest program counts by itself; other programs and steps count as one. A program that
ctest calls failed although its own report knows no failure (it crashed, or ran out of time) is one failure.
"""
import collections
import json
import pathlib
import sys
import xml.etree.ElementTree


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []

    def add(self, outcome, name, reason=""):
        if outcome == "passed":
            self.passed += 1
        elif outcome == "skipped":
            self.skipped.append((name, reason))
        else:
            self.failed.append(name)


def add_steps(tally, path):
    for line in path.read_text().splitlines():
        outcome, name = line.split("\t")
        tally.add(outcome, name)


def skip_reason(test):
    # GoogleTest reports a skip as "file:line\nmessage".
    message = " ".join(skip.get("message", "") for skip in test.iter("skipped"))
    return " ".join(message.splitlines()[1:] or [message]).strip()


def gtest_outcome(test):
    if test.find("failure") is not None:
        return "failed"
    if test.get("result") == "skipped":
        return "skipped"
    return "passed"


def add_gtest(tally, preset, path):
    """Adds one program's report; returns its number of failures."""
    before = len(tally.failed)
    for test in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        if test.get("status") == "notrun":
            continue
        tally.add(gtest_outcome(test), f"{preset}: {test.get('classname')}.{test.get('name')}", skip_reason(test))
    return len(tally.failed) - before


def programs_of(folder):
    """ctest's name of each test, and the program that it runs."""
    listing = json.loads((folder / "tests.json").read_text())
    return {
        test["name"]: pathlib.Path(test["command"][0]).name
        for test in listing["tests"]
        if test.get("command")
    }


def add_suite(tally, folder):
    preset = folder.name
    programs = programs_of(folder)
    failures = collections.Counter()
    reported = set()
    for path in sorted(folder.glob("*.xml")):
        if path.name == "ctest.xml":
            continue
        # A program that runs more than once writes NAME.xml, NAME_1.xml, …
        stem = path.stem
        program = stem if stem in programs.values() else stem.rpartition("_")[0]
        reported.add(program)
        failures[program] += add_gtest(tally, preset, path)
    cases = xml.etree.ElementTree.parse(folder / "ctest.xml").getroot().iter("testcase")
    for case in cases:
        program = programs.get(case.get("name"), "")
        status = {"run": "passed", "notrun": "skipped", "disabled": "skipped"}.get(case.get("status"), "failed")
        if program in reported and status == "passed":
            continue
        if program in reported and failures[program] > 0:
            continue
        said = (case.findtext("system-out") or "").strip().splitlines()
        reason = said[-1] if said else "ctest did not run it"
        tally.add(status, f"{preset}: {case.get('name')} (whole program)", reason)


def main():
    results = pathlib.Path(sys.argv[1])
    tally = Tally()
    if (results / "steps.tsv").exists():
        add_steps(tally, results / "steps.tsv")
    for folder in sorted(path for path in results.iterdir() if path.is_dir()):
        if (folder / "ctest.xml").exists():
            add_suite(tally, folder)
        else:
            tally.add("failed", f"{folder.name}: no results")
    for name, reason in tally.skipped:
        print(f"SKIPPED {name}: {reason or 'no reason given'}")
    for name in tally.failed:
        print(f"FAILED  {name}")
    print(f"{tally.passed} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped")
    return 1 if tally.failed else 0


sys.exit(main())
