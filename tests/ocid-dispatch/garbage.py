#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""garbage.py SOCKET: what no client sends. Prints for each whether the server closed."""
import random
import socket
import sys

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\0\4\0\0\0\0\0"
ENOUGH = 300  # connections; the server takes 256


def connect():
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(1)
    client.connect(sys.argv[1])
    return client


def ends(client):
    """True when the server closes within a second, whatever it says before."""
    try:
        while client.recv(65536):
            pass
        return True
    except socket.timeout:
        return False
    except ConnectionError:
        return True


def say(name, data):
    client = connect()
    client.sendall(data)
    print(name, "closed" if ends(client) else "open")


def flood():
    clients = [connect() for _ in range(ENOUGH)]
    print("flood", "refused" if ends(clients[-1]) and not ends(clients[0]) else "taken")


say("http1", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
say("noise", random.Random(1).randbytes(100000))
say("data without a stream", PREFACE + SETTINGS + b"\0\0\1\0\1\0\0\0\1x")
say("headers that are no HPACK", PREFACE + SETTINGS + b"\0\0\4\1\5\0\0\0\1\xff\xff\xff\xff")
say("an endless frame", PREFACE + b"\xff\xff\xff\0\0\0\0\0\1")
say("half a frame", PREFACE + SETTINGS + b"\0\0\5\1\5")
say("silence", b"")
flood()
