# SPDX-License-Identifier: Apache-2.0
"""The symbols of libnccl.so.2: all of NCCL's (symbols.txt: those of 2.30.7, read off the library), each with its twin, and no others.

A program that was linked to NCCL does not start where one of them is missing."""
import pathlib
import subprocess
import sys
import unittest

NM, LIBRARY, LIST = sys.argv[1:4]


class Symbols(unittest.TestCase):
    def setUp(self):
        lines = subprocess.run([NM, "-D", "--defined-only", LIBRARY], check=True, capture_output=True, text=True).stdout.splitlines()
        self.kinds = {line.split()[2]: line.split()[1] for line in lines}
        self.names = pathlib.Path(LIST).read_text(encoding="utf-8").split()

    def test_every_function_of_nccl_is_there(self):
        self.assertEqual([name for name in self.names if name not in self.kinds], [])

    def test_every_function_has_a_strong_twin_and_is_weak_itself(self):
        for name in self.names:
            with self.subTest(function=name):
                self.assertEqual(self.kinds.get(name), "W")
                self.assertEqual(self.kinds.get("p" + name), "T")

    def test_nothing_else_is_shown(self):
        known = set(self.names) | {"p" + name for name in self.names}
        self.assertEqual(sorted(set(self.kinds) - known), [])

    def test_no_library_of_cuda_is_needed(self):
        needed = subprocess.run(["objdump", "-p", LIBRARY], check=True, capture_output=True, text=True).stdout
        self.assertNotIn("libcudart", needed)
        self.assertNotIn("libcuda.so", needed)
        self.assertIn("libnccl.so.2", [line.split()[1] for line in needed.splitlines() if "SONAME" in line])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
