#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""garbage.py SOCKET: what no client sends. Prints for each whether the server closed.
garbage.py SOCKET SECONDS: the same for those that have not said after so long that they speak HTTP/2."""
import concurrent.futures
import os
import random
import resource
import select
import socket
import sys

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\0\4\0\0\0\0\0"
REFUSED_STREAM = 7
STREAMS = 100000  # on a connection; the server announces how many it takes
STREAMS_TAKEN = 1024
ENOUGH = 1100  # connections; the server takes 1024
PATIENCE = 10 * int(os.environ.get("WAIT_FACTOR", "1"))  # seconds, for what is to happen


def connect():
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE)
    client.connect(sys.argv[1])
    return client


def ends(client, within=PATIENCE):
    """True when the server closes within so many seconds, whatever it says before."""
    client.settimeout(within)
    try:
        while client.recv(65536):
            pass
        return True
    except socket.timeout:
        return False
    except ConnectionError:
        return True


def send(item):
    name, data, *within = item
    client = connect()
    client.sendall(data)
    return f"{name} {'closed' if ends(client, *within) else 'open'}"


def flood():
    resource.setrlimit(resource.RLIMIT_NOFILE, (ENOUGH + 100, ENOUGH + 100))
    clients = [connect() for _ in range(ENOUGH)]
    print("flood", "refused" if ends(clients[-1]) and not ends(clients[0], 1) else "taken")


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def frames(data):
    """(type, payload) of every frame that is whole."""
    at = 0
    while at + 9 <= len(data):
        length = int.from_bytes(data[at:at + 3], "big")
        if at + 9 + length > len(data):
            return
        yield data[at + 3], data[at + 9:at + 9 + length]
        at += 9 + length


def open_streams(acknowledges):
    """Requests that never end, on so many streams of one connection; what became of them."""
    client, heard = connect(), b""
    fields = b"\x83\x86\x44\x02/x\x5f\x10application/grpc"
    block = b"".join(frame(1, 4, 2 * i + 1, fields) for i in range(STREAMS))
    client.setblocking(False)
    data = PREFACE + SETTINGS + (frame(4, 1, 0) if acknowledges else b"") + block
    try:
        while data:
            readable, writable, _ = select.select([client], [client], [], 10)
            if writable:
                data = data[client.send(data[:65536]):]
            if readable:
                heard += client.recv(1 << 20)
    except (BlockingIOError, ConnectionError):
        pass
    closed = False
    refusals = (STREAMS - STREAMS_TAKEN) * len(frame(3, 0, 1, bytes(4)))
    try:
        while not closed:
            client.settimeout(PATIENCE if acknowledges or len(heard) < refusals else 1)
            more = client.recv(1 << 20)
            heard, closed = heard + more, not more
    except socket.timeout:
        pass
    except ConnectionError:
        closed = True
    resets = [int.from_bytes(payload, "big") for kind, payload in frames(heard) if kind == 3]
    reasons = [payload[8:].decode() for kind, payload in frames(heard) if kind == 7]
    print("streams", len(resets), "refused" if set(resets) == {REFUSED_STREAM} else resets[:1],
          *reasons, "closed" if closed else "open")


def too_many_headers():
    """A request beyond the limit, then one whose headers name what is in the tables by then: the types
    of all frames that come on the first stream, and of the first and last on the other."""
    path = b"/runtime.v1.RuntimeService/Version"
    block = b"\x83\x86\x44" + bytes([len(path)]) + path + b"\x5f\x10application/grpc"
    block += 10 * (b"\0\1x\x7f\xa1\x1e" + 4000 * b"x")
    client, heard, kinds = connect(), b"", {1: [], 3: []}
    client.sendall(PREFACE + SETTINGS + frame(1, 1, 1, block[:16384]) + frame(9, 0, 1, block[16384:32768])
                   + frame(9, 4, 1, block[32768:]) + frame(1, 4, 3, b"\x83\x86\xbf\xbe")
                   + frame(0, 1, 3, bytes(5)))
    while kinds[3].count(1) < 2:
        heard += client.recv(65536)
        kinds, at = {0: [], 1: [], 3: []}, 0
        while at + 9 <= len(heard):
            kinds[int.from_bytes(heard[at + 5:at + 9], "big")].append(heard[at + 3])
            at += 9 + int.from_bytes(heard[at:at + 3], "big")
    print("headers", kinds[1], kinds[3][0], kinds[3][-1])


GARBAGE = (
    ("http1", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("noise", random.Random(1).randbytes(100000)),
    ("a reset of no stream", PREFACE + SETTINGS + frame(3, 0, 1, b"\0\0\0\x08"), 1),
    ("a reset of stream 0", PREFACE + SETTINGS + frame(3, 0, 0, b"\0\0\0\x08")),
    ("data without a stream", PREFACE + SETTINGS + b"\0\0\1\0\1\0\0\0\1x"),
    ("headers that are no HPACK", PREFACE + SETTINGS + b"\0\0\4\1\5\0\0\0\1\xff\xff\xff\xff"),
    ("an endless frame", PREFACE + b"\xff\xff\xff\0\0\0\0\0\1"),
    ("half a frame", PREFACE + SETTINGS + b"\0\0\5\1\5", 1),
    ("silence", b"", 1),
)

UNGREETED = (("silence", b""), ("half a preface", PREFACE[:9]), ("a preface alone", PREFACE),
             ("a preface and half a frame", PREFACE + SETTINGS[:5]), ("a preface and its frame", PREFACE + SETTINGS))

if len(sys.argv) > 2:
    with concurrent.futures.ThreadPoolExecutor(len(UNGREETED)) as pool:
        print(*pool.map(send, ((*item, int(sys.argv[2])) for item in UNGREETED)), sep="\n")
    sys.exit()

with concurrent.futures.ThreadPoolExecutor(len(GARBAGE)) as pool:
    print(*pool.map(send, GARBAGE), sep="\n")
flood()
open_streams(False)
open_streams(True)
too_many_headers()
