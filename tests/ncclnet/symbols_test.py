# SPDX-License-Identifier: Apache-2.0
"""The symbols of libnccl-net-atoll.so: the tables that NCCL looks for and nothing else, since it is loaded into programs that may use Atoll themselves;
and no library that only some machines have."""
import subprocess
import sys
import unittest

NM, LIBRARY = sys.argv[1:3]


class Symbols(unittest.TestCase):
    def test_the_tables_of_all_versions_and_nothing_else_are_shown(self):
        lines = subprocess.run([NM, "-D", "--defined-only", LIBRARY], check=True, capture_output=True, text=True).stdout.splitlines()
        self.assertEqual(sorted(line.split()[2] for line in lines), sorted(f"ncclNetPlugin_v{version}" for version in range(8, 13)))

    def test_what_only_some_machines_have_is_not_needed(self):
        needed = subprocess.run(["objdump", "-p", LIBRARY], check=True, capture_output=True, text=True).stdout
        for library in ("libcuda", "libibverbs", "libucp", "libatoll", "libnccl"):
            self.assertNotIn(f"NEEDED               {library}", needed)

    def test_it_stays_where_it_is_when_nccl_unloads_it(self):
        headers = subprocess.run(["objdump", "-p", LIBRARY], check=True, capture_output=True, text=True).stdout
        flags = [int(line.split()[1], 16) for line in headers.splitlines() if line.split()[:1] == ["FLAGS_1"]]
        self.assertTrue(flags and flags[0] & 0x8)  # DF_1_NODELETE: it has a thread


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
