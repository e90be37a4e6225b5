"""The kernel's filter for the drawing child: a classic BPF program over seccomp(2)'s record.

An allow-list: memory, threads, clocks and the pipes that are open already. What is not on it gets
EPERM: sockets, processes, programs, signals to others, writing opens, new executable memory.
"""

import errno
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# linux/filter.h: struct sock_filter { __u16 code; __u8 jt; __u8 jf; __u32 k; }
_INSTRUCTION: Final = struct.Struct("=HBBI")
_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_IF_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_IF_ANY_BIT: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K

# linux/seccomp.h: struct seccomp_data { int nr; __u32 arch; __u64 instruction_pointer, args[6]; }
_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_ARGUMENTS: Final = 16  # low halves: both architectures are little-endian
_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000  # the whole process
_REFUSE: Final = 0x00050000  # | errno

_WRITING: Final = 0o1 | 0o2 | 0o100 | 0o1000 | 0o20000000  # O_WRONLY, RDWR, CREAT, TRUNC, TMPFILE
_EXECUTABLE: Final = 4  # PROT_EXEC
_THREAD: Final = 0x00010000  # CLONE_THREAD
_CLONE3: Final = 435  # its flags lie in memory that a filter cannot read

_FREE: Final = (
    "read", "write", "readv", "writev", "pread64", "lseek", "close", "fstat", "newfstatat", "statx",
    "getdents64", "ppoll", "munmap", "mremap", "brk", "madvise", "futex", "rseq", "sched_yield",
    "sched_getaffinity", "set_robust_list", "set_tid_address", "gettid", "getpid", "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "clock_gettime", "clock_getres",
    "clock_nanosleep", "nanosleep", "sysinfo", "uname", "getcwd", "getrandom", "exit", "exit_group",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Machine:
    """An architecture: its AUDIT_ARCH_ number (linux/audit.h) and its system calls' numbers."""

    audit: int
    calls: dict[str, int]


# arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h
MACHINES: Final = {
    "x86_64": Machine(
        0xC000003E,
        {
            "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "mmap": 9, "mprotect": 10,
            "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15,
            "pread64": 17, "readv": 19, "writev": 20, "sched_yield": 24, "mremap": 25,
            "madvise": 28, "nanosleep": 35, "getpid": 39, "clone": 56, "exit": 60, "uname": 63,
            "getcwd": 79, "sysinfo": 99, "sigaltstack": 131, "gettid": 186, "futex": 202,
            "sched_getaffinity": 204, "getdents64": 217, "set_tid_address": 218,
            "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
            "openat": 257, "newfstatat": 262, "ppoll": 271, "set_robust_list": 273,
            "seccomp": 317, "getrandom": 318, "statx": 332, "rseq": 334,
        },
    ),
    "aarch64": Machine(
        0xC00000B7,
        {
            "getcwd": 17, "openat": 56, "close": 57, "getdents64": 61, "lseek": 62, "read": 63,
            "write": 64, "readv": 65, "writev": 66, "pread64": 67, "ppoll": 73, "newfstatat": 79,
            "fstat": 80, "exit": 93, "exit_group": 94, "set_tid_address": 96, "futex": 98,
            "set_robust_list": 99, "nanosleep": 101, "clock_gettime": 113, "clock_getres": 114,
            "clock_nanosleep": 115, "sched_getaffinity": 123, "sched_yield": 124,
            "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139,
            "uname": 160, "getpid": 172, "gettid": 178, "sysinfo": 179, "brk": 214, "munmap": 215,
            "mremap": 216, "clone": 220, "mmap": 222, "mprotect": 226, "madvise": 233,
            "seccomp": 277, "getrandom": 278, "statx": 291, "rseq": 293,
        },
    ),
}  # fmt: skip


def program(machine: Machine, *, may_open: bool) -> bytes:
    """Return the filter as an array of instructions.

    `may_open`: files may be opened for reading (something else says which), else none.
    """
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL),  # another table of numbers: every comparison below would lie
        (_LOAD, 0, 0, _NUMBER),
        *_when(_CLONE3, [(_RETURN, 0, 0, _REFUSE | errno.ENOSYS)]),  # libc then takes clone
    ]
    for name in _FREE:
        steps += _when(machine.calls[name], [(_RETURN, 0, 0, _ALLOW)])
    if may_open:
        steps += _when(machine.calls["openat"], _unless(2, _WRITING))
    for name in ("mmap", "mprotect"):
        steps += _when(machine.calls[name], _unless(2, _EXECUTABLE))
    threads = [
        (_LOAD, 0, 0, _ARGUMENTS),
        (_IF_ANY_BIT, 0, 1, _THREAD),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE | errno.EPERM),
    ]
    steps += _when(machine.calls["clone"], threads)
    steps.append((_RETURN, 0, 0, _REFUSE | errno.EPERM))
    return b"".join(_INSTRUCTION.pack(*step) for step in steps)


def length(of_program: bytes) -> int:
    """Return the number of a program's instructions."""
    return len(of_program) // _INSTRUCTION.size


type _Step = tuple[int, int, int, int]


def _when(number: int, then: Sequence[_Step]) -> list[_Step]:
    """Return steps for one system call; the number is still loaded for the next."""
    return [(_IF_EQUAL, 0, len(then), number), *then]


def _unless(argument: int, bits: int) -> list[_Step]:
    """Return steps that allow the call unless its argument has one of these bits."""
    return [
        (_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
        (_IF_ANY_BIT, 0, 1, bits),
        (_RETURN, 0, 0, _REFUSE | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
