# SPDX-License-Identifier: Apache-2.0
"""Kernels that spill registers.

  compile REPORT COMMAND…       runs nvcc (with -Xptxas -v) and keeps what ptxas says in REPORT
  check REPORT ARCHITECTURE…    fails where a kernel spills, or where nothing was compiled for an architecture
"""
import pathlib
import re
import subprocess
import sys

KERNEL = re.compile(r"Compiling entry function '(\w+)' for '(\w+)'.*?(\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers",
                    re.DOTALL)


def compiled(report, *command):
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(ran.stdout + ran.stderr)
    pathlib.Path(report).write_text(ran.stdout + ran.stderr, encoding="utf-8")


def check(report, *architectures):
    kernels = KERNEL.findall(pathlib.Path(report).read_text(encoding="utf-8"))
    for name, architecture, stores, loads, registers in kernels:
        print(f"{architecture} {name}: {registers} registers, {stores} bytes of spill stores, {loads} of spill loads")
    missing = set(architectures) - {architecture for _, architecture, *_ in kernels}
    spilling = [f"{name} for {architecture}" for name, architecture, stores, loads, _ in kernels if int(stores) or int(loads)]
    if missing:
        sys.exit(f"nothing was compiled for {', '.join(sorted(missing))}")
    if spilling:
        sys.exit(f"spills registers: {', '.join(spilling)}")


if __name__ == "__main__":
    {"compile": compiled, "check": check}[sys.argv[1]](*sys.argv[2:])
