# SPDX-License-Identifier: Apache-2.0
"""What the machine boots: a kernel of Debian's, and an initramfs of busybox, the modules and the script `init`. Made once and kept in a
cache, whose entries are named after what they are made from; an entry is complete as soon as it is there."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import platform
import shutil
import subprocess
import tempfile
import time

import kernel
from failures import Unavailable

HERE = pathlib.Path(__file__).resolve().parent
UNUSED = 30 * 24 * 3600  # seconds after which an entry that nobody used goes

# By the command that is looked for.
PACKAGES = {"qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static", "cpio": "cpio", "depmod": "kmod", "modprobe": "kmod",
            "ip": "iproute2", "rdma": "iproute2"}


def prepared():
    """The paths of the kernel and of the initramfs. Raises Unavailable where they are not to be had."""
    if platform.machine() != "x86_64":
        raise Unavailable(f"the guest is an x86-64 machine that runs this one's programs, and this one is {platform.machine()}")
    missing = sorted({package for command, package in PACKAGES.items() if not kernel.which(command)})
    if missing:
        raise Unavailable(f"packages are missing: as root, tools/rxe-vm --install, or apt-get install --no-install-recommends {' '.join(missing)}")
    busybox = pathlib.Path(kernel.which("busybox"))
    if subprocess.run(["ldd", busybox], capture_output=True, check=False).returncode == 0:
        raise Unavailable(f"{busybox} needs libraries, which the guest has not yet when it starts: apt-get install busybox-static")

    cache = folder()
    kernel_entry = entry(cache, "kernel-" + _digest(HERE / "kernel.py"), kernel.fetch)
    name = "initramfs-" + _digest(HERE / "boot.py", HERE / "init", busybox, seed=kernel_entry.name)
    initramfs = entry(cache, name, lambda draft: _make_initramfs(draft, kernel_entry / "modules", busybox))
    return kernel_entry / "vmlinux", initramfs


def folder():
    """Where the cache is."""
    if os.environ.get("RXE_VM_CACHE"):
        return pathlib.Path(os.environ["RXE_VM_CACHE"]).resolve()
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache").resolve() / "atoll" / "rxe-vm"


def _digest(*files, seed=""):
    digest = hashlib.sha256(seed.encode())
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def entry(cache, name, make):
    """The path of an entry. Where there is none, make(path) makes it; of several processes that want it, one does."""
    path = cache / name
    if not path.exists():
        with _locked(cache):
            if not path.exists():
                _remove_old(cache)
                with tempfile.TemporaryDirectory(prefix="draft-", dir=cache) as draft:
                    make(pathlib.Path(draft) / name)
                    (pathlib.Path(draft) / name).rename(path)
    with contextlib.suppress(OSError):  # the cache may be somebody else's
        os.utime(path)
    return path


@contextlib.contextmanager
def _locked(cache):
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = open(cache / "lock", "w", encoding="utf-8")
    except OSError as failure:
        raise Unavailable(f"nothing can be kept in {cache}: {failure.strerror} (RXE_VM_CACHE can name another folder)") from failure
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_old(cache):
    """Removes what nobody used for long, and drafts of processes that were killed: whoever calls this holds the lock, so nobody is at one."""
    for path in [*cache.glob("draft-*"), *cache.glob("kernel-*"), *cache.glob("initramfs-*")]:
        if not path.name.startswith("draft-") and time.time() - path.stat().st_mtime < UNUSED:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _make_initramfs(archive, modules, busybox):
    with tempfile.TemporaryDirectory() as scratch:
        top = pathlib.Path(scratch)
        (top / "bin").mkdir()
        shutil.copy(busybox, top / "bin" / "busybox")
        shutil.copytree(modules, top / "modules")
        shutil.copy(HERE / "init", top / "init")
        (top / "init").chmod(0o755)
        names = "".join(f"{path.relative_to(top)}\n" for path in sorted(top.rglob("*")))
        kernel.run("cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet", "-O", archive, input=names, cwd=top)
