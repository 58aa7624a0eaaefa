#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""proxy.py DIR [CERTIFICATE KEY]: a proxy of HTTP and SOCKS5, for tests.

Listens on a free port of 127.0.0.1, which it writes to DIR/port. Every connection is a line in
DIR/log: how it was asked for (CONNECT, the method of HTTP, or socks5 and the numbers of the
authentications that were offered) and for which host. All hosts are 127.0.0.1. With a certificate
it speaks TLS.
"""
import os
import socket
import ssl
import struct
import sys
import threading

DIRECTORY = sys.argv[1]


def log(line):
    with open(f"{DIRECTORY}/log", "a", encoding="utf-8") as file:
        file.write(line + "\n")


def exactly(client, count):
    data = b""
    while len(data) < count:
        more = client.recv(count - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def socks5(client):
    """Whom to connect to, and what to tell the client then, and the server."""
    methods = exactly(client, exactly(client, 1)[0])
    client.sendall(b"\5\0")
    kind = exactly(client, 4)[3]
    host = socket.inet_ntoa(exactly(client, 4)) if kind == 1 else exactly(client, exactly(client, 1)[0]).decode()
    log(f"socks5 {','.join(map(str, methods))} {host}")
    return struct.unpack("!H", exactly(client, 2))[0], b"\5\0\0\1" + bytes(6), b""


def http(client, head):
    while b"\r\n\r\n" not in head:
        more = client.recv(4096)
        if not more:
            raise ConnectionError
        head += more
    method, target = head.decode("latin-1").split()[:2]
    address = target.removeprefix("http://").split("/")[0]
    host, _, port = address.rpartition(":")
    log(f"{method} {host}")
    if method == "CONNECT":
        return int(port), b"HTTP/1.1 200 OK\r\n\r\n", b""
    return int(port), b"", head


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client, context):
    try:
        if context:
            client = context.wrap_socket(client, server_side=True)
        first = exactly(client, 1)
        port, answer, request = socks5(client) if first == b"\5" else http(client, first)
        with socket.create_connection(("127.0.0.1", port)) as server:
            client.sendall(answer)
            server.sendall(request)
            back = threading.Thread(target=pump, args=(server, client))
            back.start()
            pump(client, server)
            back.join()
    except OSError:
        pass
    client.close()


def main():
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
    listener = socket.create_server(("127.0.0.1", 0))
    with open(f"{DIRECTORY}/port.new", "w", encoding="utf-8") as file:
        file.write(str(listener.getsockname()[1]))
    os.rename(f"{DIRECTORY}/port.new", f"{DIRECTORY}/port")
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, context), daemon=True).start()


main()
