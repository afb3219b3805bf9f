# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel with the modules that the guest loads. The package is unpacked, never installed."""

import lzma
import os
import pathlib
import shutil
import struct
import subprocess
import sys

from failures import Failed, Unavailable

# Modules that the guest loads, with what they depend on. soft-RoCE asks the crypto layer for crc32 by name, which depmod does not see.
MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay", "veth", "bridge", "sch_tbf", "sch_netem", "crc32_generic",
           "ib_uverbs", "rdma_ucm", "rdma_rxe")


def which(command):
    """The path of a command, or None. Users who are not root seldom have the folders of administrators' commands in their PATH."""
    return shutil.which(command, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")


def run(command, *arguments, failure=Failed, **options):
    """What a command prints; where it fails, an exception of that class is raised."""
    path = which(command)
    if path is None:
        raise Unavailable(f"there is no {command}, which Debian and its kin have")
    options.setdefault("input", "")
    done = subprocess.run([path, *map(str, arguments)], capture_output=True, text=True, check=False, **options)
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if not line.startswith("W:")]  # apt's warnings
        raise failure("\n  ".join([f"{command} {' '.join(map(str, arguments))} failed:", *said]))
    return done.stdout


def fetch(target):
    """Makes the folder `target`: `vmlinux`, and `modules` with the file `order`, in which they are to be loaded."""
    target.mkdir()
    package = _download(target)
    unpacked = target / "unpacked"
    run("dpkg-deb", "-x", package, unpacked)
    package.unlink()
    version = next((unpacked / "lib" / "modules").iterdir()).name
    run("depmod", "-b", unpacked, version)
    modules = target / "modules"
    modules.mkdir()
    order = _load_order(unpacked, version)
    for path in order:
        shutil.copy(path, modules)
    (modules / "order").write_text("".join(f"{path.name}\n" for path in order), encoding="utf-8")
    (target / "vmlinux").write_bytes(_vmlinux((unpacked / "boot" / f"vmlinuz-{version}").read_bytes()))
    shutil.rmtree(unpacked)


def _download(folder):
    """The path of the package. It is what linux-image-amd64, which has no files itself, stands for."""
    try:
        depends = run("apt-cache", "depends", "linux-image-amd64").splitlines()
    except Failed:  # lists that do not have it
        depends = []
    names = [line.split()[-1] for line in depends if line.strip().startswith("Depends: linux-image-")]
    if not names:
        raise Unavailable("the package lists of this machine do not have linux-image-amd64: as root, apt-get update")
    print(f"rxe-vm: fetching {names[0]} and making what is booted, once", file=sys.stderr)
    run("apt-get", "download", names[0], failure=Unavailable, cwd=folder)
    return next(folder.glob("*.deb"))


def _load_order(unpacked, version):
    """The paths of MODULES and of what they depend on, that before them."""
    order = {}
    for module in MODULES:
        for line in run("modprobe", "-d", unpacked, "-S", version, "--show-depends", module).splitlines():
            words = line.split()
            if words[0] == "insmod":  # others are built in
                order[pathlib.Path(words[1])] = None
    return list(order)


def _vmlinux(image):
    """The kernel proper out of a bzImage, which saves the guest the time to unpack it. The kernel's Documentation/x86/boot.rst has the
    fields of the header; payload and its length are counted from the end of the set-up code."""
    setup_sectors = image[0x1F1] or 4
    start, length = struct.unpack_from("<II", image, 0x248)
    start += (setup_sectors + 1) * 512
    payload = image[start:start + length]
    if not payload.startswith(b"\xfd7zXZ"):
        raise Failed(f"the kernel is packed in a way that is not known here: it begins with {payload[:6].hex()}")
    # What was packed is followed by its size.
    kernel = lzma.LZMADecompressor().decompress(payload)
    if not kernel.startswith(b"\x7fELF") or len(kernel) != struct.unpack("<I", payload[-4:])[0]:
        raise Failed("what is packed in the kernel's image is not a whole kernel")
    return kernel
