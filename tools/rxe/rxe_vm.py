# SPDX-License-Identifier: Apache-2.0
"""Runs a command in a virtual machine whose kernel has soft-RoCE: real RoCEv2 on a machine without RDMA hardware, without root.

The guest sees this machine's files as they are now, and the same working directory. What it writes is forgotten, but for /run/out."""

import argparse
import pathlib
import re
import signal
import sys

import boot
import machine
import network
from failures import Failed, Unavailable

FAILED = 125  # as env, timeout and docker say that it is they who failed, not the command
EPILOG = """--install, as the first argument, installs the Debian packages that are missing; alone, it does nothing else.

The exit status is the command's; 124 if its time was over, 125 if the machine failed, 2 for wrong arguments.
Standard output and error are the command's, but for messages that begin with "rxe-vm:", on standard error.

Example: rxe-vm --nodes 3 --env ATOLL_DEBUG=link -- build/release/bin/atoll info"""


def between(least, most):
    """A parser of whole numbers for argparse."""
    def parsed(text):
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)
    return parsed


def variable(text):
    name, equals, value = text.partition("=")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME or NAME=VALUE")
    return name, value if equals else None


def folder(text):
    path = pathlib.Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise argparse.ArgumentTypeError(f"no folder can be made of {text!r}: {failure.strerror}") from failure
    return path.resolve()


def parsed(arguments):
    parser = argparse.ArgumentParser(prog="rxe-vm", description=__doc__, epilog=EPILOG, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter,
                                     usage="rxe-vm [--install] [options] -- COMMAND [ARGUMENT...]\n       rxe-vm [--install] --prepare")
    parser.add_argument("--prepare", action="store_true", help="only fetch the kernel, and make what is booted; everything later works offline")
    parser.add_argument("--nodes", type=between(0, network.MOST_NODES), default=2, metavar="N",
                        help="devices rxe1 to rxeN, at 10.77.0.1 to 10.77.0.N [%(default)s]")
    parser.add_argument("--mtu", type=between(576, 9216), default=9000, help="of the links; 9000 makes RoCE's path MTU 4096 [%(default)s]")
    parser.add_argument("--timeout", type=between(1, 86400), default=300, metavar="SECONDS", help="of the command [%(default)s]")
    parser.add_argument("--smp", type=between(1, 16), default=2, metavar="N", help="virtual cores [%(default)s]")
    parser.add_argument("--mem", type=between(256, 65536), default=1024, metavar="MIB", help="memory, and with it room for files [%(default)s]")
    parser.add_argument("--env", type=variable, action="append", default=[], metavar="NAME[=VALUE]",
                        help="set a variable for the command, or pass on what it is here")
    parser.add_argument("--out", type=folder, metavar="DIR", help="where files that the command leaves in /run/out appear")
    parser.add_argument("--verbose", action="store_true", help="tell what the guest's kernel says, on standard error")
    # The command may have any words in it, so it is told apart before options are looked for.
    options, command = arguments, []
    if "--" in arguments:
        at = arguments.index("--")
        options, command = arguments[:at], arguments[at + 1:]
    parsed_options, extra = parser.parse_known_args(options)
    if extra:
        parser.error(f"{extra[0]!r} is no option; the command goes behind --")
    if parsed_options.prepare and command:
        parser.error("--prepare runs no command")
    if not parsed_options.prepare and not command:
        parser.error("no command; it goes behind --")
    parsed_options.command = command
    return parsed_options


def main(arguments):
    options = parsed(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an orderly end, which takes the machine down
    try:
        kernel, initramfs = boot.prepared()
        if options.prepare:
            return 0
        return machine.run(kernel, initramfs, options)
    except (Unavailable, Failed) as reason:
        print(f"rxe-vm: {reason}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # whoever read the output is gone
        sys.stdout = None
        return 141
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
