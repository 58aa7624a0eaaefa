#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""held-registry.py DIR: the images of the OCI layout DIR/layout, whose large layers come in two parts.

Listens on a free port of 127.0.0.1, which it writes to DIR/port. The second part, the last HELD
bytes of a blob that has more than a MiB, is given when the file DIR/go is there. What the first
component of a repository's name says of it:

  held        nothing else
  false       its last byte is wrong
  broken      the connection ends in its place, once; what is asked for from there on comes whole
  false-rest  the same, and what is asked for from there on is wrong, once

Every request for a blob is a line in DIR/log: HEX RANGE.
"""
import json
import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DIRECTORY = sys.argv[1]
HELD = 200000
LOCK = threading.Lock()
ASKED = {}


def wait_for_go():
    for _ in range(6000):
        if os.path.exists(DIRECTORY + "/go"):
            return
        time.sleep(0.01)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def begin(self, status, length, *headers):
        self.send_response(status)
        for name, value in (("Content-Length", str(length)), *headers):
            self.send_header(name, value)
        self.end_headers()

    def give_manifest(self, reference):
        with open(DIRECTORY + "/layout/index.json", encoding="utf-8") as file:
            entries = json.load(file)["manifests"]
        for entry in entries:
            if reference in (entry["digest"], entry["annotations"]["org.opencontainers.image.ref.name"]):
                data = self.blob(entry["digest"])
                self.begin(200, len(data), ("Content-Type", entry["mediaType"]))
                if self.command == "GET":
                    self.wfile.write(data)
                return
        self.begin(404, 0)

    @staticmethod
    def blob(digest):
        with open(f"{DIRECTORY}/layout/blobs/sha256/{digest.removeprefix('sha256:')}", "rb") as file:
            return file.read()

    def give_blob(self, name, digest):
        data = self.blob(digest)
        asked_range = self.headers.get("Range", "")
        with LOCK:
            with open(DIRECTORY + "/log", "a", encoding="utf-8") as log:
                log.write(f"{digest[7:]} {asked_range or '-'}\n")
            times = ASKED[name, digest] = ASKED.get((name, digest), 0) + 1
        start = int(re.sub(r"bytes=(\d+)-", r"\1", asked_range or "bytes=0-"))
        if start:
            if name.startswith("false-rest/") and times == 2:
                data = data[:-1] + bytes([data[-1] ^ 1])
            self.begin(206, len(data) - start,
                       ("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}"))
            self.wfile.write(data[start:])
            return
        self.begin(200, len(data))
        if len(data) <= 1 << 20 or (times > 1 and not name.startswith("held/")):
            self.wfile.write(data)
            return
        self.wfile.write(data[:-HELD])
        wait_for_go()
        if name.startswith("false/"):
            data = data[:-1] + bytes([data[-1] ^ 1])
        if name.startswith(("held/", "false/")):
            self.wfile.write(data[-HELD:])
        else:
            self.close_connection = True

    def do_GET(self):
        path = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/([^/]+)", self.path)
        try:
            if not path:
                self.begin(200 if self.path == "/v2/" else 404, 0)
            elif path[2] == "manifests":
                self.give_manifest(path[3])
            else:
                self.give_blob(path[1], path[3])
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_HEAD = do_GET


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with open(DIRECTORY + "/port.new", "w", encoding="utf-8") as file:
        file.write(f"{server.server_port}\n")
    os.rename(DIRECTORY + "/port.new", DIRECTORY + "/port")
    server.serve_forever()


main()
