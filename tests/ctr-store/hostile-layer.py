#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hostile-layer.py CASE > LAYER: layers that an unpacker must survive, as tar archives.
hostile-layer.py --all DIR: each case, as DIR/CASE.

Each case is a function that adds entries to an archive. The directory beneath which the tests
unpack has a sibling `outside` with the file `canary`, which is what the entries try to reach.
"""
import io
import sys
import tarfile

CANARY = "../outside/canary"


class Layer:
    def __init__(self):
        self.out = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.out, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, name, data=b"", type=tarfile.REGTYPE, **fields):
        info = tarfile.TarInfo(name)
        info.type = type
        info.size = len(data)
        for field, value in fields.items():
            setattr(info, field, value)
        self.tar.addfile(info, io.BytesIO(data))

    def dir(self, name, **fields):
        fields.setdefault("mode", 0o755)
        self.add(name, type=tarfile.DIRTYPE, **fields)

    def symlink(self, name, target):
        self.add(name, type=tarfile.SYMTYPE, linkname=target)

    def link(self, name, target):
        self.add(name, type=tarfile.LNKTYPE, linkname=target)

    def raw(self, data):
        """Blocks that are no entry tarfile would write."""
        self.out.write(data)
        self.tar.offset += len(data)

    def bytes(self):
        self.tar.close()
        return self.out.getvalue()


def header(name, **fields):
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return bytearray(info.tobuf(tarfile.GNU_FORMAT))


def checksummed(block):
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def pax(records):
    """A PAX header with exactly these bytes, and a file "after" that it applies to."""
    padded = records + b"\0" * (-len(records) % 512)
    return bytes(header("pax", type=b"x", size=len(records))) + padded + bytes(header("after"))


CASES = {}


def case(function):
    CASES[function.__name__.replace("_", "-")] = function
    return function


# ---- names ----

@case
def dotdot(layer):
    layer.add(CANARY, b"pwned")


@case
def dotdot_inside(layer):
    layer.add("a/../../outside/canary", b"pwned")


@case
def dotdot_last(layer):
    layer.dir("a/..")


@case
def absolute(layer):
    layer.add("/canary", b"inside")


@case
def root_is_symlink(layer):
    layer.symlink(".", "../outside")
    layer.add("canary", b"pwned")


@case
def root_is_symlink_slash(layer):
    layer.symlink("/", "../outside")
    layer.add("canary", b"pwned")


@case
def root_is_file(layer):
    layer.add(".", b"x")
    layer.add("canary", b"inside")


@case
def root_is_hardlink(layer):
    layer.add("x", b"1")
    layer.link("./.", "x")


@case
def root_is_hardlink_with_mode_of_directory(layer):
    layer.add("x", b"1")
    link = header("./", type=tarfile.LNKTYPE, linkname="x")
    link[100:108] = b"0040755\0"
    layer.raw(checksummed(link))


@case
def long_component(layer):
    layer.add("n" * 256, b"")


@case
def long_path(layer):
    layer.add("/".join(["d" * 200] * 21), b"")


@case
def deep(layer):
    layer.add("/".join(["d"] * 2000), b"deep")


@case
def not_utf8(layer):
    layer.raw(bytes(header("x")))
    layer.raw(pax(b"16 path=caf\xe9-\xff\xfe\n"))


@case
def composed_and_decomposed(layer):
    """Two names, which are one to who takes them for text."""
    layer.add("\u00e9", b"1")
    layer.add("e\u0301", b"2")
    layer.link("link", "e\u0301")


@case
def control_characters(layer):
    layer.add("a\nb\tc\x1b[31m", b"x")


# ---- links ----

@case
def parent_symlink(layer):
    layer.symlink("l", "../outside")
    layer.add("l/canary", b"pwned")


@case
def parent_symlink_absolute(layer):
    layer.symlink("l", "/etc")
    layer.add("l/passwd", b"pwned")


@case
def parent_symlink_chain(layer):
    layer.symlink("a", "b/..")
    layer.symlink("b", "c/../..")
    layer.symlink("c", "../..")
    layer.add("a/outside/canary", b"pwned")


@case
def parent_symlink_long(layer):
    """Each is as long as a link can be, and neither ends before the other one begins."""
    layer.symlink("a", "b" + "/." * 2000)
    layer.symlink("b", "c" + "/." * 2000)
    layer.add("a/" + "x/" * 1900 + "f", b"")


@case
def parent_symlink_loop(layer):
    layer.symlink("a", "b")
    layer.symlink("b", "a")
    layer.add("a/x", b"")


@case
def parent_symlink_swapped(layer):
    """The directory that the entry before went into becomes a link."""
    layer.dir("d")
    layer.add("d/x", b"")
    layer.symlink("d", "../outside")
    layer.add("d/canary", b"pwned")


@case
def file_over_symlink(layer):
    layer.symlink("l", CANARY)
    layer.add("l", b"pwned")


@case
def directory_over_symlink(layer):
    layer.symlink("l", "../outside")
    layer.dir("l", mode=0o777, uid=1234, gid=1234, mtime=1)


@case
def whiteout_through_symlink(layer):
    layer.symlink("l", "../outside")
    layer.add("l/.wh.canary")
    layer.add("l/.wh..wh..opq")


@case
def hardlink_outside(layer):
    layer.link("h", CANARY)


@case
def hardlink_absolute(layer):
    layer.link("h", "/etc/passwd")


@case
def hardlink_through_symlink(layer):
    layer.symlink("l", "../outside")
    layer.link("h", "l/canary")


@case
def hardlink_to_symlink(layer):
    layer.symlink("l", CANARY)
    layer.link("h", "l")
    layer.add("h", b"pwned", mode=0o777, uid=1234)


@case
def hardlink_to_directory(layer):
    layer.dir("d")
    layer.link("h", "d")


@case
def hardlink_to_root(layer):
    layer.link("h", "/")


@case
def hardlink_to_itself(layer):
    layer.add("h", b"x")
    layer.link("h", "h")


@case
def hardlink_to_whiteout(layer):
    layer.add(".wh.w")
    layer.link("h", "w")


@case
def hardlink_replaces_parent(layer):
    layer.add("d/f", b"x")
    layer.link("d", "d/f")


# ---- types ----

@case
def fake_whiteout(layer):
    layer.add("shadow", type=tarfile.CHRTYPE, devmajor=0, devminor=0)


@case
def device_of_no_number(layer):
    """Which would be 0:0, a whiteout, where the kernel's 12 and 20 bits are taken of it."""
    layer.raw(bytes(header("shadow", type=tarfile.CHRTYPE, devmajor=1 << 24, devminor=0)))


@case
def device_minor_of_no_number(layer):
    layer.raw(bytes(header("shadow", type=tarfile.BLKTYPE, devmajor=8, devminor=1 << 20)))


@case
def parent_is_file(layer):
    layer.add("f", b"")
    layer.add("f/x", b"")


@case
def parent_is_fifo(layer):
    layer.add("f", type=tarfile.FIFOTYPE)
    layer.add("f/x", b"")


@case
def symlink_to_nothing(layer):
    layer.symlink("l", "")


# ---- whiteouts ----

@case
def whiteout_empty(layer):
    layer.add("a/.wh.")


@case
def whiteout_dot(layer):
    layer.add(".wh..")


@case
def whiteout_dotdot(layer):
    layer.add(".wh...")


@case
def whiteout_as_parent(layer):
    layer.add(".wh.a/b", b"")


# ---- attributes, owners, numbers ----

def attribute(name):
    return lambda layer: layer.add("f", b"", pax_headers={"SCHILY.xattr." + name: "y"})


CASES["xattr-redirect"] = attribute("trusted.overlay.redirect")
CASES["xattr-opaque"] = attribute("trusted.overlay.opaque")
CASES["xattr-bad-capability"] = attribute("security.capability")
CASES["xattr-user-overlay"] = attribute("user.overlay.metacopy")


@case
def xattr_many(layer):
    layer.add("f", b"", pax_headers={"SCHILY.xattr.user.%d" % i: "v" for i in range(1000)})


@case
def xattr_large(layer):
    layer.add("f", b"", pax_headers={"SCHILY.xattr.user.big": "v" * 65537})


@case
def owner_nobody_at_all(layer):
    layer.add("f", b"", uid=0xFFFFFFFF)


@case
def pax_huge(layer):
    layer.add("f", b"", pax_headers={"comment": "c" * (2 << 20)})


@case
def pax_length_lies(layer):
    layer.raw(pax(b"99 path=../outside/canary\n"))


@case
def pax_length_negative(layer):
    layer.raw(pax(b"-5 path=x\n"))


@case
def pax_path_dotdot(layer):
    layer.raw(pax(b"26 path=../outside/canary\n"))


@case
def size_negative(layer):
    block = header("f")
    block[124:136] = b"\xff" * 12
    layer.raw(checksummed(block))


@case
def size_huge(layer):
    block = header("f")
    block[124:136] = b"\x80" + b"\0" * 3 + b"\x7f" + b"\xff" * 7
    layer.raw(checksummed(block))


@case
def sparse_huge(layer):
    layer.add("f", b"x", pax_headers={"GNU.sparse.name": "f", "GNU.sparse.size": str(1 << 62),
                                      "GNU.sparse.numblocks": "1",
                                      "GNU.sparse.map": "%d,1" % ((1 << 62) - 1)})


@case
def checksum_wrong(layer):
    layer.add("good", b"")
    block = header("bad")
    block[0:1] = b"B"
    layer.raw(bytes(block))


@case
def no_archive(layer):
    layer.raw(b"#!/bin/sh\n" * 1000)


@case
def many_entries(layer):
    for i in range(100):
        layer.add("f%d" % i)


@case
def many_parents(layer):
    layer.add("/".join("p%d" % i for i in range(100)), b"")


@case
def zeros(layer):
    layer.add("zeros", bytes(4 << 20))


def make(name):
    layer = Layer()
    CASES[name](layer)
    return layer.bytes()


if len(sys.argv) == 3 and sys.argv[1] == "--all":
    for case_name in CASES:
        with open(f"{sys.argv[2]}/{case_name}", "wb") as file:
            file.write(make(case_name))
elif len(sys.argv) == 2 and sys.argv[1] in CASES:
    sys.stdout.buffer.write(make(sys.argv[1]))
else:
    sys.exit("usage: hostile-layer.py CASE, one of:\n" + "\n".join(sorted(CASES)))
