# SPDX-License-Identifier: Apache-2.0
"""What benchmarks leave nothing behind with, also when they are ended early."""
import signal
import subprocess
import sys


def end_in_order():
    """On SIGTERM as on an exception."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def run_part(argv, env):
    """A benchmark of its own, which is ended with this one."""
    with subprocess.Popen(argv, env=env) as process:
        try:
            status = process.wait()
        except BaseException:
            process.terminate()
            raise
    if status:
        sys.exit(f"bench: {argv[0]}: exit status {status}")


def unmount_below(top):
    """What is mounted below a directory."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        places = [line.split()[4] for line in file]
    for place in reversed([place for place in places if place.startswith(f"{top}/")]):
        subprocess.run(["umount", "-l", place], check=False, stderr=subprocess.DEVNULL)
