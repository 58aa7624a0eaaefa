#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make-tar.py TAR ENTRY...: write a tar archive exactly as told, hostile ones too.

An ENTRY is KIND:NAME[:KEY=VALUE]...  KIND is dir, file, link (hard; to=TARGET), symlink (to=TARGET),
char, block (dev=MAJOR,MINOR), fifo; or opaque and whiteout, which write the marker files for NAME.
KEYs: mode (octal), uid, gid, mtime, text (content), size (that many bytes, no zeros),
and xattr.NAME. A NAME holds no colon.
"""
import io
import sys
import tarfile

KINDS = {"dir": tarfile.DIRTYPE, "file": tarfile.REGTYPE, "link": tarfile.LNKTYPE,
         "symlink": tarfile.SYMTYPE, "char": tarfile.CHRTYPE, "block": tarfile.BLKTYPE,
         "fifo": tarfile.FIFOTYPE}


def entry(word):
    kind, name, *pairs = word.split(":")
    keys = dict(pair.split("=", 1) for pair in pairs)
    if kind == "whiteout":
        head, _, tail = name.rpartition("/")
        kind, name = "file", (head + "/" if head else "") + ".wh." + tail
    if kind == "opaque":
        kind, name = "file", name + "/.wh..wh..opq"
    info = tarfile.TarInfo(name)
    info.type = KINDS[kind]
    info.mode = int(keys.get("mode", "755" if kind == "dir" else "644"), 8)
    info.uid, info.gid = int(keys.get("uid", 0)), int(keys.get("gid", 0))
    info.mtime = float(keys["mtime"]) if "." in keys.get("mtime", "") else int(keys.get("mtime", 0))
    info.linkname = keys.get("to", "")
    if "dev" in keys:
        info.devmajor, info.devminor = map(int, keys["dev"].split(","))
    info.pax_headers = {"SCHILY.xattr." + key[6:]: value for key, value in keys.items()
                        if key.startswith("xattr.")}
    data = b"x" * int(keys["size"]) if "size" in keys else keys.get("text", "").encode()
    info.size = len(data) if kind == "file" else 0
    return info, data


def main():
    with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
        for word in sys.argv[2:]:
            info, data = entry(word)
            tar.addfile(info, io.BytesIO(data))


main()
