# SPDX-License-Identifier: Apache-2.0
"""Boots the machine, has it run the command and passes on what that says.

The guest has three of this machine's folders: / (read only), a job folder with its orders, in which it leaves the exit status, and
/run/out. Output comes by virtio's ports, one for standard output and one for errors, since the serial port is slow and loses what is not read
in time."""

import contextlib
import os
import pathlib
import selectors
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import kernel
import network
from failures import Failed

HERE = pathlib.Path(__file__).resolve().parent
MARGIN = 180  # seconds for what is not the command: a boot takes 5 where nobody else is about, 40 on a busy machine
TOLD_LINES = 25  # of the console, when something went wrong
TIME_OVER = 124

# Nobody attacks this guest, so what protects kernels and costs time stays off.
KERNEL_OPTIONS = ("console=ttyS0 panic=-1 mitigations=off nopti nokaslr random.trust_cpu=on cryptomgr.notests no_timer_check audit=0")


def run(vmlinux, initramfs, options):
    """Runs options.command; gives its exit status, or TIME_OVER."""
    with tempfile.TemporaryDirectory(prefix="rxe-vm-") as scratch:
        job = pathlib.Path(scratch) / "job"
        job.mkdir()
        out = options.out or pathlib.Path(scratch) / "out"
        out.mkdir(exist_ok=True)
        _write_orders(job, options)
        limit = options.timeout + MARGIN
        ended = _emulate(_command(vmlinux, initramfs, job, out, options), job, limit)
        console = (job / "console").read_text(encoding="utf-8", errors="replace") if (job / "console").exists() else ""
        if options.verbose:
            sys.stderr.write(console)
            console = ""
        if (job / "status").exists():
            return int((job / "status").read_text(encoding="utf-8"))
        if not ended and (job / "began").exists():
            print(f"rxe-vm: the command did not end within {options.timeout} s, nor when it was killed", file=sys.stderr)
            return TIME_OVER
        why = "it stopped without one" if ended else f"it took more than {limit} s"
        said = (console + (job / "emulator").read_text(encoding="utf-8", errors="replace")).splitlines()[-TOLD_LINES:]
        raise Failed("\n  ".join([f"the machine gave no exit status: {why}; its last words, of which --verbose has more:", *said]))


def _write_orders(job, options):
    """What guest.sh reads."""
    shutil.copy(HERE / "guest.sh", job)
    for name, text in network.batches(options.nodes, options.mtu).items():
        (job / name).write_text(text, encoding="utf-8")
    variables = []
    for name, value in options.env:
        value = os.environ.get(name) if value is None else value
        if value is not None:
            variables.append(f"export {name}={shlex.quote(value)}")
    orders = [f"export RXE_NODES={options.nodes}", f"folder={shlex.quote(os.getcwd())}", f"limit={options.timeout}",
              f"command=({shlex.join(options.command)})"]
    for name, lines in ("orders", orders), ("environment", variables):
        (job / name).write_bytes(os.fsencode("".join(f"{line}\n" for line in lines)))


def _command(vmlinux, initramfs, job, out, options):
    """The emulator's, to which the ports for output are still to be added."""
    def quoted(path):  # as QEMU's options want it
        return str(path).replace(",", ",,")

    command = [
        # The machine does not outlive this process, however that ends.
        kernel.which("setpriv"), "--pdeathsig", "KILL", "--",
        kernel.which("qemu-system-x86_64"), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        # Emulated always: /dev/kvm may be there and not work. The machine type microvm hangs at times.
        "-machine", "pc", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(options.smp), "-m", str(options.mem),
        "-kernel", vmlinux, "-initrd", initramfs, "-append", KERNEL_OPTIONS + ("" if options.verbose else " quiet"),
        "-chardev", f"file,id=console,path={quoted(job / 'console')}", "-serial", "chardev:console",
        "-device", "virtio-serial-pci",
    ]
    for tag, path, also in (("host", "/", ",readonly=on,multidevs=remap"), ("job", job, ""), ("out", out, "")):
        command += ["-fsdev", f"local,id={tag},path={quoted(path)},security_model=none{also}",
                    "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
    return list(map(str, command))


def _emulate(command, job, limit):
    """Runs the emulator and passes on the guest's output. False if it had to be stopped."""
    streams, ends = {}, []
    for number, stream in enumerate((sys.stdout, sys.stderr), start=1):
        # The emulator's own standard output would not do: such a port counts as unplugged when standard input ends.
        reading, writing = os.pipe()
        streams[reading] = stream.fileno()
        ends.append(writing)
        command += ["-add-fd", f"fd={writing},set={number}", "-chardev", f"file,id=port{number},path=/dev/fdset/{number},append=on",
                    "-device", f"virtserialport,nr={number},chardev=port{number}"]
    with open(job / "emulator", "wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=ends)
    for end in ends:
        os.close(end)
    try:
        with selectors.DefaultSelector() as ready:
            for reading, stream in streams.items():
                ready.register(reading, selectors.EVENT_READ, stream)
            deadline = time.monotonic() + limit
            while ready.get_map() and time.monotonic() < deadline:
                for key, _ in ready.select(deadline - time.monotonic()):
                    text = os.read(key.fd, 1 << 16)
                    if not text:
                        ready.unregister(key.fd)
                    while text:
                        text = text[os.write(key.data, text):]
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
            return True
        return False
    finally:
        process.kill()
        process.wait()
        for reading in streams:
            os.close(reading)
