#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""busybox-tar.py FILE: a root file system of busybox as a tar archive, the same bytes each time."""
import io
import subprocess
import sys
import tarfile

BUSYBOX = "/bin/busybox"
DIRECTORIES = {"bin": 0o755, "dev": 0o755, "etc": 0o755, "home": 0o755, "proc": 0o755, "root": 0o755,
               "run": 0o755, "sys": 0o755, "tmp": 0o1777, "usr": 0o755, "var": 0o755, "www": 0o755}
TEXTS = {"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n",
         "etc/group": "root:x:0:\nuser:x:1000:\nstaff:x:50:user\n",
         "www/index.html": "hello\n"}


def entry(name, kind, mode, **more):
    info = tarfile.TarInfo(f"./{name}" if name else ".")
    info.type, info.mode = kind, mode
    for key, value in more.items():
        setattr(info, key, value)
    return info


def main():
    with open(BUSYBOX, "rb") as file:
        files = {"bin/busybox": (0o755, file.read())}
    files.update((name, (0o644, text.encode())) for name, text in TEXTS.items())
    applets = subprocess.run([BUSYBOX, "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    entries = [(entry("", tarfile.DIRTYPE, 0o755), None)]
    entries += [(entry(name, tarfile.DIRTYPE, mode), None) for name, mode in DIRECTORIES.items()]
    entries += [(entry(name, tarfile.REGTYPE, mode, size=len(data)), io.BytesIO(data))
                for name, (mode, data) in files.items()]
    entries += [(entry(f"bin/{applet}", tarfile.SYMTYPE, 0o777, linkname="busybox"), None)
                for applet in applets if applet != "busybox"]
    with tarfile.open(sys.argv[1], "w", format=tarfile.GNU_FORMAT) as archive:
        for info, data in sorted(entries, key=lambda pair: pair[0].name):
            archive.addfile(info, data)


main()
