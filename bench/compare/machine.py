# SPDX-License-Identifier: Apache-2.0
"""The machine and the moment of a comparison."""
import datetime
import os
import pathlib
import platform
import subprocess


def _first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout or done.stderr).strip().splitlines()[0] if (done.stdout or done.stderr).strip() else ""


def _field(path, key):
    try:
        for line in pathlib.Path(path).read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == key:
                return value.strip()
    except OSError:
        pass
    return ""


def describe():
    """What a reader needs to judge the numbers by."""
    here = str(pathlib.Path(__file__).parent)
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cpu": _field("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory": _field("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "") if hasattr(platform, "freedesktop_os_release") else "",
        "mpirun": _first_line(["mpirun", "--version"]),
        "commit": _first_line(["git", "-C", here, "rev-parse", "HEAD"]),
        "load_at_start": list(os.getloadavg()),
    }
