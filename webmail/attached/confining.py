"""What the drawing child gives up before a stranger's octet is looked at.

Limits of resources everywhere. On Linux also no new privileges, a Landlock domain in which only
fonts can be read (landlock(7)), and a filter of system calls (seccomp(2), `syscall_filter`). Both
are ours over ctypes: what PyPI has for them is a pre-release, unmaintained since 2021, or needs the
system's libseccomp.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from typing import Final

from webmail.attached import limits, syscall_filter

# prctl(2)
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38

_SECCOMP_SET_MODE_FILTER: Final = 1
_SECCOMP_ALL_THREADS: Final = 1  # SECCOMP_FILTER_FLAG_TSYNC

# linux/landlock.h; the numbers are the same on every architecture
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_ABI_VERSION: Final = 1  # a flag of create_ruleset
_PATH_BENEATH: Final = 1
_READ: Final = 1 << 2 | 1 << 3  # READ_FILE, READ_DIR
_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 5: 16}  # ABI: how many rights over files it knows
_NETWORK_SINCE: Final = 4
_SCOPES_SINCE: Final = 6
_RULESET: Final = struct.Struct("=QQQ")  # handled_access_fs, handled_access_net, scoped
_RULE: Final = struct.Struct("=Qi")  # allowed_access, parent_fd; packed

# Where PDFium looks for fonts that a PDF names and does not bring.
_FONTS: Final = ("/usr/share/fonts", "/usr/share/X11/fonts", "/usr/local/share/fonts")


def limit_resources() -> None:
    """Give up memory, time, files and core dumps, and end with the parent."""
    if sys.platform == "linux":
        _control(_PR_SET_PDEATHSIG, signal.SIGKILL)
    memory = limits.DRAWING_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.DRAWING_CPU, limits.DRAWING_CPU))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def have_the_kernel_confine() -> tuple[str, ...]:
    """Give up the network, files, programs and other processes for good.

    Returns what this kernel does not have or refuses, of "landlock" and "seccomp"; () is all done.
    Everything that is to be imported must be: no file of ours can be opened afterwards.
    """
    if sys.platform != "linux":
        return ("landlock", "seccomp")
    lacks = []
    _control(_PR_SET_NO_NEW_PRIVS, 1)
    has_landlock = _take_files_away()
    if not has_landlock:
        lacks.append("landlock")
    if not _filter_calls(may_open=has_landlock):
        lacks.append("seccomp")
    return tuple(lacks)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _control(option: int, value: int) -> None:
    if _libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _call(number: int, *arguments: object) -> int:
    """Make a system call that libc has no name for; returns its value, -1 for an error."""
    wide = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    libc = _libc()
    libc.syscall.restype = ctypes.c_long
    return int(libc.syscall(ctypes.c_long(number), *wide))


def _take_files_away() -> bool:
    """Enter a domain without files (but fonts), without TCP, without others' signals."""
    version = _call(_CREATE_RULESET, None, 0, _ABI_VERSION)
    if version < 1:
        return False
    rights = (1 << max(many for since, many in _RIGHTS.items() if since <= version)) - 1
    ruleset = _RULESET.pack(
        rights,
        0b11 if version >= _NETWORK_SINCE else 0,  # bind, connect
        0b11 if version >= _SCOPES_SINCE else 0,  # abstract sockets, signals
    )
    # Older kernels know a shorter record; what they do not know is zero, which they accept.
    domain = _call(_CREATE_RULESET, ruleset, _RULESET.size, 0)
    if domain < 0:
        return False
    try:
        for directory in _FONTS:
            _allow_reading(domain, directory)
        return _call(_RESTRICT_SELF, domain, 0) == 0
    finally:
        os.close(domain)


def _allow_reading(domain: int, directory: str) -> None:
    """Let files beneath a directory be read; one that is not there, or not ours, is left out."""
    try:
        place = os.open(directory, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        _call(_ADD_RULE, domain, _PATH_BENEATH, _RULE.pack(_READ, place), 0)
    finally:
        os.close(place)


class _Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _filter_calls(*, may_open: bool) -> bool:
    machine = syscall_filter.MACHINES.get(platform.machine())
    if machine is None:
        return False
    steps = syscall_filter.program(machine, may_open=may_open)
    program = _Program(syscall_filter.length(steps), steps)
    number = machine.calls["seccomp"]
    flags = _SECCOMP_ALL_THREADS
    return _call(number, _SECCOMP_SET_MODE_FILTER, flags, ctypes.byref(program)) == 0
