#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# What no decent client does to the streaming server.
#
#   stream-raw.py flood URL COUNT   opens so many SPDY streams and prints how many were refused,
#                                   then "ping" when a ping is still answered
#   stream-raw.py tunnel URL PORT TEXT   forwards over SPDY in a WebSocket (whose protocol's name
#                                   some libraries refuse), prints what came back
#   stream-raw.py half URL PORT TEXT   forwards over SPDY without ever ending its half, prints what
#                                   came back until the errors ended
#   stream-raw.py late URL          over WebSocket: reads nothing until the end of stdin, then all;
#                                   prints how many bytes channel 1 brought, what channel 3 said
#   stream-raw.py send URL FILE     sends the file after a SPDY upgrade, prints "closed" when the
#                                   server ends the connection
#   stream-raw.py leave URL HOW     over TLS and WebSocket: input until it is taken no more, then the
#                                   end of what is said (HOW is end), or of the connection (reset)
#   stream-raw.py http HOST:PORT    sends stdin, prints the first line of the answer
import socket, ssl, struct, sys, time, zlib


def connect(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host.strip("[]"), int(port)), timeout=20)


def upgrade(url, request="POST", to="SPDY/3.1"):
    scheme, _, address, path = url.split("/", 3)
    client = connect(address)
    if scheme == "https:":
        client = ssl._create_unverified_context().wrap_socket(client)
    client.sendall(f"{request} /{path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                   f"Upgrade: {to}\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.recv(1)
    assert head.startswith(b"HTTP/1.1 101 "), head
    return client


def text(value):
    return struct.pack(">I", len(value)) + value


def fields(pairs):
    return struct.pack(">I", len(pairs)) + b"".join(text(n) + text(v) for n, v in pairs)


def control(kind, payload):
    return struct.pack(">HHI", 0x8003, kind, len(payload)) + payload


def read_exactly(client, length):
    data = b""
    while len(data) < length:
        part = client.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def frame(client):
    word, kind, length = struct.unpack(">HHI", read_exactly(client, 8))
    return kind if word & 0x8000 else None, read_exactly(client, length & 0xFFFFFF)


def flood(url, count):
    client = upgrade(url)
    compress = zlib.compressobj()
    refused = 0
    for first in range(0, count, 1000):
        out = b""
        for number in range(first, min(first + 1000, count)):
            block = compress.compress(fields([(b"streamtype", b"data"), (b"port", b"1"),
                                              (b"requestid", str(number).encode())]))
            block += compress.flush(zlib.Z_SYNC_FLUSH)
            out += control(1, struct.pack(">IIH", 2 * number + 1, 0, 0) + block)
        client.sendall(out + control(6, struct.pack(">I", 2 * first + 1)))
        while True:
            kind, payload = frame(client)
            if kind == 3 and payload[7] == 3:
                refused += 1
            if kind == 6:
                break
    print(refused, "ping")


def send(url, file):
    client = upgrade(url)
    with open(file, "rb") as data:
        client.sendall(data.read())
    try:
        while client.recv(65536):
            pass
    except ConnectionResetError:
        pass
    print("closed")


class Tunnel:
    """The binary messages of a WebSocket as a socket's bytes."""

    def __init__(self, url):
        import websocket
        self.client = websocket.create_connection(
            url.replace("http", "ws"), subprotocols=["SPDY/3.1+portforward.k8s.io"], timeout=20)
        self.data = b""

    def sendall(self, data):
        half = len(data) // 2 # frames need not be whole in a message
        self.client.send_binary(data[:half])
        self.client.send_binary(data[half:])

    def recv(self, length):
        if not self.data:
            self.data = self.client.recv()
        part, self.data = self.data[:length], self.data[length:]
        return part


def forward(client, port, said, flags):
    """Errors on stream 1, and on 3 what is said."""
    compress = zlib.compressobj()
    for number, kind in ((1, b"error"), (3, b"data")):
        block = compress.compress(fields([(b"streamtype", kind), (b"port", port.encode()),
                                          (b"requestid", b"0")]))
        block += compress.flush(zlib.Z_SYNC_FLUSH)
        client.sendall(control(1, struct.pack(">IIH", number, 0, 0) + block))
    client.sendall(struct.pack(">II", 3, flags << 24 | len(said)) + said.encode())


def half(url, port, said):
    client = upgrade(url)
    forward(client, port, said, 0)
    got, ends = b"", 0
    while ends < 2:
        kind, payload = frame(client)
        got += payload if kind is None else b""
        ends += kind is None and not payload
    print(got.decode())


def late(url):
    client = upgrade(url, "GET", "websocket\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                     "Sec-WebSocket-Protocol: v4.channel.k8s.io")
    sys.stdin.read()
    got = {1: 0, 3: b""}
    while True:
        first, length = read_exactly(client, 2)
        if length == 126:
            length, = struct.unpack(">H", read_exactly(client, 2))
        elif length == 127:
            length, = struct.unpack(">Q", read_exactly(client, 8))
        payload = read_exactly(client, length)
        if first & 15 == 8:
            break
        if payload[0] == 1:
            got[1] += len(payload) - 1
        if payload[0] == 3:
            got[3] += payload[1:]
    print(got[1], got[3].decode())


def tunnel(url, port, said):
    client = Tunnel(url)
    forward(client, port, said, 1)
    got = b""
    while True:
        kind, payload = frame(client)
        if kind is None and not payload:
            break
        if kind is None:
            got += payload
    print(got.decode())


def is_taken(client):
    """Whether the server, at an IPv6 address, reads soon what has been sent to it."""
    theirs = ":%04X" % client.getsockname()[1]
    for _ in range(30):
        time.sleep(0.01)
        with open("/proc/net/tcp6") as sockets:
            queues = [line.split()[4] for line in sockets if line.split()[2].endswith(theirs)]
        if all(queue.endswith(":00000000") for queue in queues):
            return True
    return False


def leave(url, how):
    client = upgrade(url, "GET", "websocket\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                     "Sec-WebSocket-Protocol: v4.channel.k8s.io")
    frame = struct.pack(">BBHI", 0x82, 0xFE, 16000, 0) + bytes(16000)
    while is_taken(client):
        client.sendall(frame)
    if how == "reset":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        return
    plain = socket.socket(fileno=client.detach())
    plain.settimeout(20)
    plain.shutdown(socket.SHUT_WR)
    try:
        while plain.recv(65536):
            pass
    except ConnectionResetError:
        pass


def http(address):
    client = connect(address)
    client.sendall(sys.stdin.buffer.read())
    print(client.makefile("rb").readline().decode().strip())


if sys.argv[1] == "flood":
    flood(sys.argv[2], int(sys.argv[3]))
elif sys.argv[1] == "tunnel":
    tunnel(*sys.argv[2:])
elif sys.argv[1] == "half":
    half(*sys.argv[2:])
elif sys.argv[1] == "late":
    late(sys.argv[2])
elif sys.argv[1] == "send":
    send(sys.argv[2], sys.argv[3])
elif sys.argv[1] == "leave":
    leave(sys.argv[2], sys.argv[3])
else:
    http(sys.argv[2])
