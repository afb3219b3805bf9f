# SPDX-License-Identifier: Apache-2.0
"""What the tests of this folder share."""

import pathlib
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RXE_VM = ROOT / "tools" / "rxe-vm"
sys.path.insert(0, str(ROOT / "tools" / "rxe"))

import boot  # noqa: E402 (found by the line above)
from failures import Unavailable  # noqa: E402


def rxe_vm(*arguments, **options):
    return subprocess.run([RXE_VM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options)


def run_tests():
    """The end of a program of tests. Where the machine cannot be had it says why and ends with 77, which ctest takes for skipped."""
    try:
        boot.prepared()
        if not shutil.which("ibv_rc_pingpong"):
            raise Unavailable("ibv_rc_pingpong is not there (package ibverbs-utils)")
    except Unavailable as reason:
        print(f"skipped: no virtual machine with soft-RoCE: {' '.join(str(reason).split())}")
        sys.exit(77)
    unittest.main()
