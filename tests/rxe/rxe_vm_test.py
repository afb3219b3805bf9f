# SPDX-License-Identifier: Apache-2.0
"""The virtual machine of tools/rxe-vm: what comes out of it, and what is refused. Run by ctest; ends with 77 where there is no such machine."""

import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

from virtual_machine import ROOT, boot, run_tests, rxe_vm


class Command(unittest.TestCase):
    def test_status_output_files_and_environment_come_through(self):
        inside = ('echo "$GREETING $OTHER $PWD $RXE_NODES $(ls /sys/class/infiniband)"; seq 100000; echo problem >&2; '
                  'echo result >/run/out/file; echo lost >written_in_the_guest; exit 7')
        with tempfile.TemporaryDirectory() as folder:
            # Commas separate what QEMU is told.
            out, here = pathlib.Path(folder) / "a, b", pathlib.Path(folder) / "it's here"
            here.mkdir()
            run = rxe_vm("--nodes", "1", "--env", "GREETING=it's  me", "--env", "OTHER", "--env", "NOT_SET", "--out", out, "--", "sh", "-c", inside,
                         cwd=here, env={**os.environ, "OTHER": "more"})
            first, *numbers = run.stdout.splitlines()
            self.assertEqual((run.returncode, run.stderr), (7, "problem\n"))
            self.assertEqual(first, f"it's  me more {here} 1 rxe1")
            self.assertEqual(numbers, [str(number) for number in range(1, 100001)])
            self.assertEqual((out / "file").read_text(), "result\n")
            self.assertEqual(list(here.iterdir()), [])

    def test_time_limit_ends_one_that_does_not_want_to_end(self):
        run = rxe_vm("--nodes", "0", "--timeout", "2", "--", "sh", "-c", "trap '' TERM; echo begun; while :; do sleep 1; done")
        self.assertEqual((run.returncode, run.stdout), (124, "begun\n"))


class Trouble(unittest.TestCase):
    def test_wrong_arguments_are_refused(self):
        for arguments, complaint in (
                (["--nodes", "10", "--", "true"], "argument --nodes: '10' is not a whole number from 0 to 9"),
                (["--nodes", "two", "--", "true"], "argument --nodes: 'two' is not a whole number"),
                (["--timeout", "0", "--", "true"], "argument --timeout: '0'"),
                (["--mtu"], "argument --mtu: expected one argument"),
                (["--env", "A-B=1", "--", "true"], "argument --env: 'A-B=1' is not NAME or NAME=VALUE"),
                (["--out", "/proc/none", "--", "true"], "argument --out: no folder can be made of '/proc/none'"),
                (["--node", "2", "--", "true"], "'--node' is no option"),
                (["true"], "'true' is no option; the command goes behind --"),
                ([], "no command"), (["--"], "no command"), (["--prepare", "--", "true"], "--prepare runs no command")):
            with self.subTest(arguments=arguments):
                run = rxe_vm(*arguments)
                self.assertEqual((run.returncode, run.stdout), (2, ""))
                self.assertIn(complaint, run.stderr)

    def test_machine_that_fails_is_told_from_a_command_that_does(self):
        with tempfile.TemporaryDirectory() as folder:
            emulator = pathlib.Path(folder) / "qemu-system-x86_64"
            emulator.write_text("#!/bin/sh\necho no such machine >&2\nexit 1\n")
            emulator.chmod(0o755)
            run = rxe_vm("--", "true", env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
            self.assertEqual((run.returncode, run.stdout), (125, ""))
            self.assertIn("the machine gave no exit status: it stopped without one", run.stderr)
            self.assertIn("no such machine", run.stderr)

    def test_missing_packages_are_named(self):
        run = subprocess.run([sys.executable, "-B", ROOT / "tools" / "rxe" / "rxe_vm.py", "--prepare"], env={"PATH": "/nonexistent"},
                             capture_output=True, text=True, check=False)
        self.assertEqual((run.returncode, run.stdout), (125, ""))
        self.assertRegex(run.stderr, "packages are missing: .*busybox-static.*qemu-system-x86")


class Cache(unittest.TestCase):
    def test_one_of_several_makes_an_entry(self):
        made = []

        def make(path):
            made.append(path)
            path.write_text("whole")

        with tempfile.TemporaryDirectory() as folder:
            cache = pathlib.Path(folder) / "cache"
            users = [threading.Thread(target=boot.entry, args=(cache, "kernel-1", make)) for _ in range(8)]
            for user in users:
                user.start()
            for user in users:
                user.join()
            self.assertEqual(len(made), 1)
            self.assertEqual((cache / "kernel-1").read_text(), "whole")

    def test_failure_leaves_no_entry_and_old_entries_go(self):
        def fail(path):
            path.write_text("half")
            raise OSError("disk full")

        with tempfile.TemporaryDirectory() as folder:
            cache = pathlib.Path(folder)
            for name in "kernel-old", "kernel-new":
                (cache / name).mkdir()
            os.utime(cache / "kernel-old", (0, 0))
            with self.assertRaisesRegex(OSError, "disk full"):
                boot.entry(cache, "kernel-1", fail)
            self.assertEqual({path.name for path in cache.iterdir()}, {"kernel-new", "lock"})


if __name__ == "__main__":
    run_tests()
