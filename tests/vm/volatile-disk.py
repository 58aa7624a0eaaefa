#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""volatile-disk.py IMAGE SOCKET SEED: a disk with a cache that forgets, for qemu, by NBD.

What is written stays in memory until a flush (or FUA) asks for it, as in a drive with a cache of
its own. When the client goes away without saying so, which is what a power cut looks like, each
block that nobody has asked to keep is what it was before, or what any later write has made of it,
by the throw of a dice; so writes are lost and reordered. The last line tells how many.
https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
"""
import os
import random
import socket
import struct
import sys

BLOCK = 4096
OPTION_MAGIC, REPLY_MAGIC, REQUEST_MAGIC, ANSWER_MAGIC = 0x49484156454F5054, 0x3E889045565A9, 0x25609513, 0x67446698
OPTION_GO, ACK, INFO, UNSUPPORTED = 7, 1, 3, 0x80000001
READ, WRITE, DISCONNECT, FLUSH, TRIM, ZEROES = 0, 1, 2, 3, 4, 6
HAS_FLAGS, CAN_FLUSH, CAN_FUA = 1, 4, 8
FUA = 1


class PowerCut(Exception):
    pass


class Disk:
    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR)
        self.size = os.fstat(self.fd).st_size
        self.pending = {}  # block number: what writes since the last flush made of it, oldest first

    def block(self, number):
        if number in self.pending:
            return self.pending[number][-1]
        return os.pread(self.fd, BLOCK, number * BLOCK)

    def read(self, offset, length):
        first, last = offset // BLOCK, (offset + length - 1) // BLOCK
        whole = b"".join(self.block(number) for number in range(first, last + 1))
        return whole[offset - first * BLOCK:][:length]

    def write(self, offset, data):
        while data:
            number, start = divmod(offset, BLOCK)
            part = data[:BLOCK - start]
            block = bytearray(self.block(number))
            block[start:start + len(part)] = part
            self.pending.setdefault(number, []).append(bytes(block))
            offset, data = offset + len(part), data[len(part):]

    def flush(self):
        for number, versions in self.pending.items():
            os.pwrite(self.fd, versions[-1], number * BLOCK)
        self.pending.clear()

    def cut(self, dice):
        """Returns how many blocks were not flushed, and how many of these lost their last write."""
        lost = 0
        for number, versions in self.pending.items():
            kept = dice.randrange(len(versions) + 1)
            lost += kept < len(versions)
            if kept:
                os.pwrite(self.fd, versions[kept - 1], number * BLOCK)
        return len(self.pending), lost


def receive(connection, length):
    data = bytearray()
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise PowerCut
        data += part
    return bytes(data)


def negotiate(connection, size):
    connection.sendall(struct.pack(">8sQH", b"NBDMAGIC", OPTION_MAGIC, 1))
    receive(connection, 4)
    while True:
        _, option, length = struct.unpack(">QII", receive(connection, 16))
        receive(connection, length)
        if option == OPTION_GO:
            export = struct.pack(">HQH", 0, size, HAS_FLAGS | CAN_FLUSH | CAN_FUA)
            connection.sendall(struct.pack(">QIII", REPLY_MAGIC, option, INFO, len(export)) + export)
            connection.sendall(struct.pack(">QIII", REPLY_MAGIC, option, ACK, 0))
            return
        connection.sendall(struct.pack(">QIII", REPLY_MAGIC, option, UNSUPPORTED, 0))


def serve(connection, disk):
    negotiate(connection, disk.size)
    while True:
        _, flags, kind, cookie, offset, length = struct.unpack(">IHHQQI", receive(connection, 28))
        data, failed = b"", 0
        if kind == READ:
            data = disk.read(offset, length)
        elif kind == WRITE:
            disk.write(offset, receive(connection, length))
        elif kind == DISCONNECT:
            return
        elif kind != FLUSH:
            failed = 22
        if kind == FLUSH or flags & FUA:
            disk.flush()
        connection.sendall(struct.pack(">IIQ", ANSWER_MAGIC, failed, cookie) + data)


def main():
    disk, dice = Disk(sys.argv[1]), random.Random(int(sys.argv[3]))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[2])
        listener.listen(1)
        connection, _ = listener.accept()
    try:
        serve(connection, disk)
        disk.flush()
        print("ended without a cut")
    except (PowerCut, ConnectionError):
        print("%d blocks were not flushed, %d of them lost their last write" % disk.cut(dice))


if __name__ == "__main__":
    main()
