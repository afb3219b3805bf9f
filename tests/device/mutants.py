# SPDX-License-Identifier: Apache-2.0
"""Plants faults in the device code, one at a time, and sees that the tests of it catch each.

On the processors that tests run on, a missing order seldom shows in data; so the tests run under ThreadSanitizer here. That they pass
without a fault, built in the same way, is seen first."""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEADER = "src/exec/cuda/device/leader.h"
WALK = "src/exec/cuda/device/walk.h"
FOLD = "src/exec/cuda/device/fold.h"
TURNS = "src/exec/cuda/device/turns.h"
SPACE = "tests/device/host_space.h"

# Name, file, what stands there (once), what stands there instead.
FAULTS = [
    ("a flag is stored without release", SPACE, "__atomic_store_n(flag, value, __ATOMIC_RELEASE)", "__atomic_store_n(flag, value, __ATOMIC_RELAXED)"),
    ("a flag is loaded without acquire", SPACE, "__atomic_load_n(flag, __ATOMIC_ACQUIRE)", "__atomic_load_n(flag, __ATOMIC_RELAXED)"),
    ("a job is done before all threads know it", WALK, "    x.sync();\n    const Job job", "    const Job job"),
    ("a piece is announced before all threads have moved it", WALK, "x.put(&block.failed, 1);\n    x.sync();", "x.put(&block.failed, 1);"),
    ("a place is used before it is free", LEADER, "acquire(&link.here->consumed) < kMails", "acquire(&link.here->consumed) <= kMails"),
    ("packets are sent on a link that has none", LEADER, "if (fits && link.packetsThere != nullptr)", "if (fits)"),
    ("a packet's flag is not looked at", FOLD, "!take(x, packets + next, operand.number, high)", "(high = dataOf(x.load(packets + next)), false)"),
    ("a chunk is given back while its peer reads it", LEADER, "out.over = out.way != Outgoing::Way::place;", "out.over = true;"),
    ("a lane does not wait for the one before it", LEADER, "return after < 0 ||", "return true ||"),
    ("a lane waits for the tile before the one it needs", LEADER, "tilesMark(tile_ + 1)", "tilesMark(tile_)"),
    ("a message of another call is taken", LEADER, "tag != in.tag || in.window", "in.window"),
    ("an operand is read past what is there", LEADER, "if (there < bytes) bytes = there;", "if (there > bytes) bytes = there;"),
    ("a place is freed before what it holds is folded", LEADER, "    in.unseen -= in.window;\n", "    in.unseen -= in.window;\n    x_.release(&in.link->there->consumed, number);\n"),
    ("a call begins before the one before it in the launch is over", TURNS, "if (!turn.follows) return true;", "return true;"),
    ("a call is over when one lane is", TURNS, "static_cast<std::uint64_t>(turn.blocks)", "1"),
    ("the end of a call is told without release", TURNS, "x.release(&control.call, turn.call + 1);", "x.put(&control.call, turn.call + 1);"),
]


def plant(number, folder):
    """Writes the file with the fault in it below `folder`."""
    _, name, before, after = FAULTS[number]
    text = (ROOT / name).read_text(encoding="utf-8")
    if text.count(before) != 1:
        sys.exit(f"mutants: {before!r} stands in {name} {text.count(before)} times")
    changed = folder / name
    changed.parent.mkdir(parents=True, exist_ok=True)
    changed.write_text(text.replace(before, after), encoding="utf-8")


def failure_of(program):
    """How the tests end: empty where they pass."""
    environment = {**os.environ, "TSAN_OPTIONS": "halt_on_error=1 exitcode=66"}
    environment.pop("GTEST_OUTPUT", None)  # failures wanted here are none of the test run's
    try:
        ran = subprocess.run([program, "--gtest_fail_fast"], env=environment, capture_output=True, text=True, check=False, timeout=300)
    except subprocess.TimeoutExpired:
        return "they do not end"
    return f"exit status {ran.returncode}" if ran.returncode else ""


class Mutants(unittest.TestCase):
    programs = []  # without a fault, and with each

    def test_every_fault_is_caught_and_none_where_there_is_none(self):
        self.assertEqual(len(self.programs), len(FAULTS) + 1)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            failures = list(pool.map(failure_of, self.programs))
        self.assertEqual(failures[0], "", "the tests fail without a fault")
        for (name, *_), failure in zip(FAULTS, failures[1:]):
            with self.subTest(fault=name):
                self.assertTrue(failure, "nothing noticed it")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("count", help="print the number of faults")
    planting = commands.add_parser("plant", help="write the file that a fault is in")
    planting.add_argument("number", type=int)
    planting.add_argument("folder", type=pathlib.Path)
    commands.add_parser("check", help="run the tests without a fault, and with each").add_argument("programs", nargs="+")
    told = parser.parse_args()
    if told.command == "count":
        print(len(FAULTS))
    elif told.command == "plant":
        plant(told.number, told.folder)
    else:
        Mutants.programs = told.programs
        unittest.main(argv=sys.argv[:1])
