#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""List all that is in a directory, one JSON object a line, so that two trees can be compared.

list-tree.py DIRECTORY [no-times]

Of each path: mode, owner, device, content, target, extended attributes, the first path of the same
file, and the modification time of all but whiteouts, and with no-times of directories neither.
"""
import hashlib
import json
import os
import stat
import sys

TIMES = "no-times" not in sys.argv[2:]
first_path = {}


def digest(path):
    hasher = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()


def describe(path):
    st = os.lstat(path)
    is_dir = stat.S_ISDIR(st.st_mode)
    facts = {"mode": oct(st.st_mode), "owner": [st.st_uid, st.st_gid],
             "attributes": {name: os.getxattr(path, name, follow_symlinks=False).hex()
                            for name in sorted(os.listxattr(path, follow_symlinks=False))}}
    if not stat.S_ISCHR(st.st_mode) or st.st_rdev != 0:
        facts["time"] = st.st_mtime_ns if TIMES or not is_dir else 0
    if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
        facts["device"] = [os.major(st.st_rdev), os.minor(st.st_rdev)]
    if stat.S_ISLNK(st.st_mode):
        facts["target"] = os.readlink(path).decode(errors="surrogateescape")
    if is_dir:
        return facts
    facts["first"] = first_path.setdefault((st.st_dev, st.st_ino), shown(path))
    if stat.S_ISREG(st.st_mode):
        facts["size"] = st.st_size
        if facts["first"] == shown(path):
            facts["content"] = digest(path)
    return facts


def shown(path):
    return path.decode(errors="backslashreplace")


# from within, since a path may be as long as paths can be
os.chdir(sys.argv[1])
waiting = [b"."]
while waiting:
    at = waiting.pop()
    print(json.dumps({"path": shown(at), **describe(at)}, sort_keys=True))
    if stat.S_ISDIR(os.lstat(at).st_mode):
        waiting += [name if at == b"." else at + b"/" + name
                    for name in sorted(os.listdir(at), reverse=True)]
