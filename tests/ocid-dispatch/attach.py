#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# attach.py URL LINE UNTIL: by python3-websocket, v4: sends LINE on channel 0, prints what comes on
# channel 1 until UNTIL is there, or the connection ends.
import sys, websocket

url, line, until = sys.argv[1:]
client = websocket.create_connection(url.replace("http", "ws"), subprotocols=["v4.channel.k8s.io"],
                                     timeout=20)
client.ping("hello")
client.send_binary(b"\0" + line.encode() + b"\n")
said = b""
try:
    while until.encode() not in said:
        data = client.recv()
        if not data:
            break
        if data[0] == 1:
            said += data[1:]
except websocket.WebSocketConnectionClosedException:
    pass
print(said.decode(), end="")
client.close()
