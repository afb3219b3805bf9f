# SPDX-License-Identifier: Apache-2.0
"""Runs scripts/*.sh in one boot of the virtual machine, each as a test of its own. Run by ctest, with the build folder as the argument; ends
with 77 where there is no such machine. With --long after the folder it runs long/*.sh, for which ctest has no time.

A script runs under bash, in this repository's root. It finds the build folder in BUILD and functions in tests/rxe/functions.sh, and fails by a
status that is not 0. It finds all links up and unlimited, and leaves them so."""

import pathlib
import re
import sys
import tempfile
import unittest

from virtual_machine import ROOT, run_tests, rxe_vm

BUILD = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/release").resolve()
LONG = "--long" in sys.argv
if LONG:
    sys.argv.remove("--long")
HERE = pathlib.Path(__file__).resolve().parent
LIMIT = 1800 if LONG else 300  # seconds, of all scripts together


class Scripts(unittest.TestCase):
    outcomes = {}  # status and output by script

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as out:
            run = rxe_vm("--nodes", "4", "--timeout", str(LIMIT), "--env", f"BUILD={BUILD}", "--out", out, "--", "bash",
                         HERE / "run_scripts.sh", *SCRIPTS, cwd=ROOT)
            for script in SCRIPTS:
                status, log = pathlib.Path(out) / f"{script.stem}.status", pathlib.Path(out) / f"{script.stem}.log"
                if status.exists():
                    cls.outcomes[script] = int(status.read_text()), log.read_text(errors="replace")
        if run.returncode:
            raise AssertionError(f"the machine's run ended with {run.returncode}, after {list(cls.outcomes)}:\n{run.stdout}{run.stderr}")

    def check(self, script):
        status, log = self.outcomes[script]
        self.assertEqual(status, 0, log)


SCRIPTS = sorted((HERE / ("long" if LONG else "scripts")).glob("*.sh"))
for each in SCRIPTS:
    setattr(Scripts, "test_" + re.sub(r"\W", "_", each.stem), lambda self, script=each: self.check(script))

if __name__ == "__main__":
    run_tests()
