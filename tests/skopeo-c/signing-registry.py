#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""signing-registry.py DIR: a registry that has what docker-registry lacks, for tests.

Keeps in memory what it is given; has the referrers API, and the repositories below "extension/" have
OpenShift's API for signatures. "refuses-STATUS/" answers so where referrers are listed, "elsewhere/" has more of them at another host.
/lookaside/ gives the files of DIR/lookaside, /forbidden/ nothing, /endless/ a signature
of any number. The port, of 127.0.0.1, is written to DIR/port; every request is a line in DIR/log.
"""
import hashlib
import json
import os
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DIRECTORY = sys.argv[1]
INDEX = "application/vnd.oci.image.index.v1+json"
LOCK = threading.Lock()
BLOBS, UPLOADS, MANIFESTS, SIGNATURES = {}, {}, {}, {}  # MANIFESTS: (repository, tag or digest): (type, bytes)


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits for a delayed ACK

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if self.path == "/v2/" or "/extension/" in self.path:
            self.send_header("X-Registry-Supports-Signatures", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    # ---- the parts ----

    def manifests(self, name, wanted):
        if self.command == "PUT":
            data = self.body()
            entry = (self.headers["Content-Type"], data)
            MANIFESTS[name, wanted] = MANIFESTS[name, digest(data)] = entry
            return self.answer(201, Docker_Content_Digest=digest(data))
        if (name, wanted) not in MANIFESTS:
            return self.answer(404)
        media_type, data = MANIFESTS[name, wanted]
        return self.answer(200, data, Content_Type=media_type, Docker_Content_Digest=digest(data))

    def blobs(self, wanted):
        return self.answer(200, BLOBS[wanted]) if wanted in BLOBS else self.answer(404)

    def uploads(self, name, number):
        if self.command == "POST":
            number = str(len(UPLOADS))
            UPLOADS[number] = b""
        else:
            UPLOADS[number] += self.body()
        if self.command != "PUT":
            return self.answer(202, Location=f"/v2/{name}/blobs/uploads/{number}")
        BLOBS[digest(UPLOADS[number])] = UPLOADS[number]
        return self.answer(201)

    def referrers(self, name, subject):
        if name.startswith("refuses-"):  # a status
            return self.answer(int(name[8:11]))
        found = []
        for (repository, wanted), (media_type, data) in MANIFESTS.items():
            if repository != name or wanted != digest(data) or not data.startswith(b"{"):
                continue
            content = json.loads(data)
            if content.get("subject", {}).get("digest") == subject:
                found.append({"mediaType": media_type, "digest": wanted, "size": len(data),
                              "artifactType": content.get("artifactType", "")})
        body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": found}
        more = {"Link": '<http://elsewhere.test/v2/more>; rel="next"'} if name.startswith("elsewhere/") else {}
        return self.answer(200, json.dumps(body).encode(), Content_Type=INDEX, **more)

    def signatures(self, name, subject):
        if (name, subject) not in MANIFESTS:
            return self.answer(404)
        known = SIGNATURES.setdefault((name, subject), [])
        if self.command == "PUT":
            known.append(json.loads(self.body()))
            return self.answer(201)
        return self.answer(200, json.dumps({"signatures": known}).encode())

    def lookaside(self, path):
        try:
            with open(f"{DIRECTORY}/lookaside/{path}", "rb") as file:
                return self.answer(200, file.read())
        except OSError:
            return self.answer(404)

    # ---- requests ----

    def handle_request(self):
        path = self.path.split("?")[0]
        with open(f"{DIRECTORY}/log", "a", encoding="utf-8") as log:
            log.write(f"{self.command} {self.path}\n")
        for pattern, part in (
                (r"/v2/(.+)/manifests/([^/]+)", self.manifests),
                (r"/v2/(.+)/referrers/([^/]+)", self.referrers),
                (r"/v2/.+/blobs/(sha256:[^/]+)", self.blobs),
                (r"/v2/(.+)/blobs/uploads/(.*)", self.uploads),
                (r"/extensions/v2/(.+)/signatures/([^/]+)", self.signatures),
                (r"/lookaside/(.+)", self.lookaside),
                (r"/forbidden/.*", lambda: self.answer(403)),
                (r"/endless/.*", lambda: self.answer(200, b"\x90\x0d"))):
            match = re.fullmatch(pattern, path)
            if match:
                with LOCK:
                    return part(*match.groups())
        return self.answer(200 if path == "/v2/" else 404)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = handle_request


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with open(f"{DIRECTORY}/port.new", "w", encoding="utf-8") as file:
        file.write(str(server.server_port))
    os.rename(f"{DIRECTORY}/port.new", f"{DIRECTORY}/port")
    server.serve_forever()


main()
