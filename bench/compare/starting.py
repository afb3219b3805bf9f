# SPDX-License-Identifier: Apache-2.0
"""Starting programs that may fail or not come to an end, and leaving none of them behind."""
import os
import pathlib
import signal
import subprocess
import time

# How long a program may take to end when it is told to, before it is made to.
GRACE_SECONDS = 5.0


class RunFailed(Exception):
    """A program failed, or printed wrong data."""


class TookTooLong(RunFailed):
    """A program was ended because its time was up."""


def _live_members(session):
    """Processes of a session that have not ended."""
    members = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # "pid (name) state ppid pgrp session …"; the name may hold anything.
            state, _, _, its_session, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # gone meanwhile
        if int(its_session) == session and state != "Z":
            members.append(int(entry.name))
    return members


def _end(process):
    """Ends the process, which leads a session, and all that it started."""
    process.terminate()  # launchers take their ranks with them
    try:
        process.wait(timeout=GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    give_up = time.monotonic() + GRACE_SECONDS
    while (members := _live_members(process.pid)) and time.monotonic() < give_up:
        for pid in members:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)
    process.wait()


def run(command, seconds, environment=None):
    """Runs a program to its end without input; returns what it wrote to standard output."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          start_new_session=True, env={**os.environ, **(environment or {})}) as process:
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as expired:
            _end(process)
            raise TookTooLong(f"no end after {seconds:g} s: {' '.join(command)}") from expired
        except BaseException:
            _end(process)
            raise
    if process.returncode != 0:
        raise RunFailed(f"exit code {process.returncode}: {' '.join(command)}\n{(output + errors)[-4000:]}")
    return output
