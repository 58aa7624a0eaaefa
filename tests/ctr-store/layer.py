#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""layer.py < LINES > LAYER: a tar archive, entry by entry.

A line is KIND NAME [FIELD=VALUE…]; kinds are file, dir, symlink, link, char, block, fifo. Fields:
data, target, mode (octal), uid, gid, mtime (may have a fraction), dev (MAJOR:MINOR), and
xattr.NAME; a value @N stands for N bytes "x", %HEX for bytes.
"""
import io
import shlex
import sys
import tarfile

KINDS = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "symlink": tarfile.SYMTYPE,
         "link": tarfile.LNKTYPE, "char": tarfile.CHRTYPE, "block": tarfile.BLKTYPE,
         "fifo": tarfile.FIFOTYPE}


def value_bytes(text):
    if text.startswith("@"):
        return b"x" * int(text[1:])
    if text.startswith("%"):
        return bytes.fromhex(text[1:])
    return text.encode("utf-8", "surrogateescape")


def entry(line):
    kind, name, *fields = shlex.split(line)
    info = tarfile.TarInfo(name)
    info.type = KINDS[kind]
    info.mode = 0o755 if kind == "dir" else 0o644
    data = b""
    for field in fields:
        key, value = field.split("=", 1)
        if key == "data":
            data = value_bytes(value)
        elif key == "target":
            info.linkname = value
        elif key == "mode":
            info.mode = int(value, 8)
        elif key in ("uid", "gid"):
            setattr(info, key, int(value))
        elif key == "mtime":
            info.pax_headers["mtime"] = value
            info.mtime = int(float(value))
        elif key == "dev":
            info.devmajor, info.devminor = map(int, value.split(":"))
        elif key.startswith("xattr."):
            info.pax_headers["SCHILY." + key] = value_bytes(value).decode("utf-8", "surrogateescape")
        else:
            sys.exit("no field " + key)
    info.size = len(data)
    return info, data


# names are bytes
sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT,
                  errors="surrogateescape") as tar:
    for text in sys.stdin:
        if text.strip():
            made, content = entry(text)
            tar.addfile(made, io.BytesIO(content))
