#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""give-lower.py DIR|none|silent COMMAND…: run ctr-store-unpack and answer when it asks for the lower
layers: with a descriptor of DIR, with none, or by hanging up."""
import array
import os
import socket
import subprocess
import sys

lower, command = sys.argv[1], sys.argv[2:]
ours, theirs = socket.socketpair()
worker = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, close_fds=False)
theirs.close()
for line in worker.stdout:
    sys.stdout.buffer.write(line)
    if line != b'{"needs":"lower"}\n':
        continue
    if lower == "silent":
        ours.close()
    elif lower == "none":
        ours.send(b"x")
    else:
        fd = os.open(lower, os.O_RDONLY | os.O_DIRECTORY)
        ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
sys.exit(worker.wait())
