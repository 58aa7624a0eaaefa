#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""inject.py PID ATTEMPT…: make a running process do what an exploit in it would, and print how the
kernel answered: ATTEMPT, and "done" or the name of the error, one line each.

As an attacker who has taken over its control flow: the process is stopped in a system call, its
registers are set to another call, and it makes that one itself, under all that confines it. What
was is put back, and the process goes on. Only for x86-64; exit status 77 elsewhere.
"""
import ctypes
import errno
import os
import platform
import signal
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long
SINGLESTEP, GETREGS, SETREGS, ATTACH, DETACH = 9, 12, 13, 16, 17
NAMES = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base "
         "gs_base ds es fs gs").split()
Registers = type("Registers", (ctypes.Structure,), {"_fields_": [(n, ctypes.c_ulonglong) for n in NAMES]})
ARGUMENTS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")
RED_ZONE = 1024  # below the stack pointer, with room
AT_FDCWD = -100

# number, arguments; bytes are put into its memory and passed by address. All but the first are
# such that nothing happens where they are allowed, and the error then is another than of those refused.
ATTEMPTS = {
    "open": (257, AT_FDCWD, b"/etc/passwd\0", os.O_RDONLY, 0),
    "write": (257, AT_FDCWD, b"/etc/passwd\0", os.O_WRONLY, 0),
    "create": (257, AT_FDCWD, b"/dev/shm/.\0", os.O_WRONLY | os.O_CREAT, 0o600),
    "remove": (263, AT_FDCWD, b"/etc\0", 0),  # a directory, and not as one
    "open-memory": (257, AT_FDCWD, b"/proc/1/mem\0", os.O_RDWR, 0),
    "socket": (41, 2, 1, 0),
    "unix-socket": (41, 1, 1, 0),
    "connect": (42, -1, 0, 0),
    "execute": (59, b"/nowhere\0", 0, 0),
    "fork": (56, 0xffffffffffffff00, 0, 0, 0, 0),  # clone() with flags that exclude each other
    "trace": (101, 0x4206, 1, 0, 0xffffff),  # PTRACE_SEIZE of process 1, with options that there are not
    "read-memory": (310, 1, 0, 0, 0, 0, 1),
    "kill": (62, 1, 0),
    "setuid": (105, -1),
    "mount": (165, 0, b"/\0", 0, 0x2000 | 0x100000 | 0x40000, 0),  # contradictory flags
    "unshare": (272, 1),
    "setns": (308, -1, 0),
    "chroot": (161, b"/etc/passwd\0"),
    "bpf": (321, 99, 0, 0),
}


def ptrace(request, pid, data=None):
    ctypes.set_errno(0)
    if LIBC.ptrace(request, pid, None, data) < 0 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), f"ptrace {request}")


def wait_stopped(pid):
    _, status = os.waitpid(pid, 0x40000000)  # __WALL
    if not os.WIFSTOPPED(status):
        sys.exit(f"process {pid} has ended: {status:#x}")


def poke(pid, address, data):
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(address)
        memory.write(data)


def make_call(pid, saved, number, *arguments):
    """What the call returns in the process, which then is as before."""
    registers = Registers.from_buffer_copy(saved)
    registers.rax, registers.orig_rax = number, ctypes.c_ulonglong(-1).value
    registers.rip = saved.rip - 2  # the instruction that brought it into the kernel
    address = saved.rsp - RED_ZONE
    for name, value in zip(ARGUMENTS, arguments):
        if isinstance(value, bytes):
            address -= 64
            poke(pid, address, value)
            value = address
        setattr(registers, name, ctypes.c_ulonglong(value).value)
    ptrace(SETREGS, pid, ctypes.byref(registers))
    ptrace(SINGLESTEP, pid)
    wait_stopped(pid)
    ptrace(GETREGS, pid, ctypes.byref(registers))
    return ctypes.c_longlong(registers.rax).value


def instruction(pid, address):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        return memory.read(2)


def attach(pid):
    """Stop it in a system call, where it waits; its registers."""
    registers = Registers()
    for _ in range(100):
        ptrace(ATTACH, pid)
        wait_stopped(pid)
        ptrace(GETREGS, pid, ctypes.byref(registers))
        if instruction(pid, registers.rip - 2) == b"\x0f\x05":
            return registers
        ptrace(DETACH, pid)
        time.sleep(0.01)
    sys.exit(f"process {pid} waits in no system call")


def main():
    if platform.machine() != "x86_64":
        sys.exit(77)
    pid = int(sys.argv[1])
    saved = attach(pid)
    try:
        for attempt in sys.argv[2:]:
            result = make_call(pid, saved, *ATTEMPTS[attempt])
            print(attempt, errno.errorcode.get(-result, "?") if result < 0 else "done", flush=True)
    finally:
        ptrace(SETREGS, pid, ctypes.byref(saved))
        ptrace(DETACH, pid)


if __name__ == "__main__":
    main()
