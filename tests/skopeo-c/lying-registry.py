#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""lying-registry.py DIR [CERTIFICATE KEY [AUTHORITY]]: a registry that misbehaves, for tests.

Listens on two free ports of 127.0.0.1 and writes them to DIR/ports. The first component of a
repository's name says how it misbehaves (the methods do_NAME below); "good" does not. Every request
is a line in DIR/log: PORT METHOD PATH AUTHORIZATION [RANGE or CONTENT-RANGE]. With a certificate it speaks TLS;
with an authority, who shows a certificate of that has " certificate" at the end of the line.
"""
import base64
import gzip
import hashlib
import io
import json
import os
import ssl
import sys
import tarfile
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DIRECTORY = sys.argv[1]
LOCK = threading.Lock()
THREE = threading.Barrier(3)
GIVEN = threading.Event()
COUNTS, UPLOADED, MANIFESTS, SESSIONS = {}, {}, {}, {}
PORTS = []


def digest(data, algorithm="sha256"):
    return algorithm + ":" + hashlib.new(algorithm, data).hexdigest()


def make_tar():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo("data")
        data = b"".join(hashlib.sha256(bytes([i % 256, i // 256])).digest() for i in range(40000))
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


TAR = make_tar()
LAYER = gzip.compress(TAR, 1, mtime=0)
CONFIG = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Labels": {"lie": "no"}},
                     "rootfs": {"type": "layers", "diff_ids": [digest(TAR)]}}).encode()


def descriptor(data, media_type):
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def manifest(**changes):
    content = {"schemaVersion": 2, "mediaType": MANIFEST,
               "config": descriptor(CONFIG, "application/vnd.oci.image.config.v1+json"),
               "layers": [descriptor(LAYER, "application/vnd.oci.image.layer.v1.tar+gzip")]}
    content.update(changes)
    return json.dumps(content).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits for a delayed ACK

    def log_message(self, *args):
        pass

    # ---- answers ----

    def answer(self, status, body=b"", headers=(), length=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, code="UNKNOWN", headers=()):
        body = json.dumps({"errors": [{"code": code, "message": "no luck"}]}).encode()
        self.answer(status, body, [("Content-Type", "application/json"), *headers])

    def give_manifest(self, body=None, media_type=MANIFEST, headers=()):
        self.answer(200, manifest() if body is None else body,
                    [("Content-Type", media_type), *headers])

    def give_blob(self):
        for data in (LAYER, CONFIG):
            if digest(data) == self.last:
                return self.answer(200, data, [("Content-Type", "application/octet-stream")])
        with LOCK:
            data = UPLOADED.get(self.last)
        if data is not None:
            return self.answer(200, data)
        return self.error(404, "BLOB_UNKNOWN")

    def endless(self, status=200):
        self.send_response(status)
        self.send_header("Content-Type", MANIFEST)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            self.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    # ---- requests ----

    def handle_request(self):
        path = self.path.split("?")[0]
        with LOCK:
            with open(f"{DIRECTORY}/log", "a", encoding="utf-8") as log:
                log.write(f"{self.server.server_port} {self.command} {self.path} "
                          f"{self.headers.get('Authorization', '-').replace(' ', '_')}"
                          f" {self.headers.get('Range', self.headers.get('Content-Range', ''))}"
                          .rstrip() + (" certificate" if self.is_known() else "") + "\n")
        parts = path.strip("/").split("/")
        self.query = self.path.partition("?")[2]
        self.kind = self.name = ""
        self.last = parts[-1]
        for kind in ("manifests", "blobs", "tags"):
            if parts[0] == "v2" and kind in parts[2:]:
                self.kind, self.name = kind, "/".join(parts[1:parts.index(kind)])
        behaviour = (self.name or parts[0]).split("/")[0].replace("-", "_")
        if parts == ["v2", "_catalog"]:
            behaviour = "catalog"
        try:
            getattr(self, "do_" + behaviour, self.do_good)()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request

    def is_known(self):
        return isinstance(self.connection, ssl.SSLSocket) and self.connection.getpeercert()

    def is_layer(self):
        return self.kind == "blobs" and self.last == digest(LAYER)

    def times(self, key):
        """How often this was called for the repository, from 1."""
        with LOCK:
            COUNTS[self.name, key] = COUNTS.get((self.name, key), 0) + 1
            return COUNTS[self.name, key]

    # ---- behaviours ----

    def do_good(self):
        if self.kind == "manifests" and self.command in ("GET", "HEAD"):
            self.give_manifest()
        elif self.kind == "blobs" and self.command == "GET":
            self.give_blob()
        elif self.kind == "tags":
            self.answer(200, json.dumps({"name": self.name, "tags": ["v1"]}).encode())
        else:
            self.error(404)

    def do_together(self):
        """Manifests, but for v1, when three are asked for at once."""
        if self.kind == "manifests" and self.last != "v1":
            try:
                THREE.wait(20)
            except threading.BrokenBarrierError:
                return self.error(404)
        return self.do_good()

    def do_wrong_blob(self):
        if self.is_layer():
            return self.answer(200, LAYER[:-1] + b"?")
        return self.do_good()

    def do_short_blob(self):
        if self.is_layer():
            return self.answer(200, LAYER[:1000])
        return self.do_good()

    def do_cut_blob(self):
        if self.is_layer():
            self.answer(200, LAYER[:1000], length=len(LAYER))
            self.close_connection = True
            return None
        return self.do_good()

    def do_long_blob(self):
        if self.is_layer():
            return self.answer(200, LAYER + b"more")
        return self.do_good()

    def do_small_blob(self):
        """The layer is what its digest says, but smaller than its descriptor, as only its end tells."""
        if self.kind == "manifests":
            layer = descriptor(LAYER, "application/vnd.oci.image.layer.v1.tar+gzip")
            return self.give_manifest(manifest(layers=[dict(layer, size=len(LAYER) + 1)]))
        if not self.is_layer():
            return self.do_good()
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        return self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(LAYER), LAYER))

    def do_endless_blob(self):
        if self.is_layer():
            return self.endless()
        return self.do_good()

    def slow(self, pause):
        if not self.is_layer():
            return self.do_good()
        self.send_response(200)
        self.send_header("Content-Length", str(len(LAYER)))
        self.end_headers()
        for at in range(0, len(LAYER), 20000):
            self.wfile.write(LAYER[at:at + 20000])
            self.wfile.flush()
            time.sleep(pause)
        return None

    def do_slow_blob(self):
        return self.slow(0.05)

    def do_slower_blob(self):
        return self.slow(1)

    def do_flaky_blob(self):
        if self.is_layer() and self.times("blob") == 1:
            self.answer(200, LAYER[:1000], length=len(LAYER))
            self.close_connection = True
            return None
        return self.do_good()

    # ---- downloads in parts ----

    def give_part(self, count, data=LAYER, claim=0):
        """At most `count` bytes of what was asked for, as far as this server understands it."""
        first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(data) - first))
        if first:
            self.send_header("Content-Range",
                             f"bytes {first + claim}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        self.wfile.write(data[first:first + count])
        self.close_connection = first + count < len(data)

    def do_parts(self):
        """Breaks off every 500000 bytes."""
        return self.give_part(500000) if self.is_layer() else self.do_good()

    def do_stops(self):
        """Breaks off after 1.1 MB; the rest is another answer. "stops/*-hangs" breaks off later."""
        if not self.is_layer():
            return self.do_good()
        if "Range" in self.headers:
            return self.give_part(len(LAYER))
        if not self.name.endswith("-hangs"):
            return self.give_part(1100000)
        self.send_response(200)
        self.send_header("Content-Length", str(len(LAYER)))
        self.end_headers()
        self.wfile.write(LAYER[:1100000])
        self.wfile.flush()
        time.sleep(20)
        self.close_connection = True
        return None

    def do_stops_never(self):
        """Has no rest, by a range that it does not give."""
        if self.is_layer() and "Range" in self.headers:
            return self.error(416)
        return self.do_good()

    def do_stops_wrong(self):
        """Another blob's rest."""
        if self.is_layer() and "Range" in self.headers:
            return self.give_part(len(LAYER), LAYER[:-1] + b"?")
        return self.do_good()

    def do_parts_busy(self):
        """429, 503 and a token that has expired before the rest comes."""
        if not self.is_layer():
            return self.do_good()
        count = self.times("blob")
        if count == 2:
            return self.error(429, "TOOMANYREQUESTS", [("Retry-After", "2")])
        if count == 3:
            return self.error(503)
        if count == 4:
            return self.error(401, "UNAUTHORIZED", [
                ("WWW-Authenticate", 'Basic realm="x"')])
        return self.give_part(500000 if count == 1 else len(LAYER))

    def do_parts_unknown(self):
        """Knows no ranges: begins at the beginning each time."""
        if not self.is_layer():
            return self.do_good()
        count = self.times("blob")
        self.answer(200, LAYER[:500000 * count], length=len(LAYER))
        self.close_connection = 500000 * count < len(LAYER)
        return None

    def parts_then(self, lie):
        if not self.is_layer():
            return self.do_good()
        if "Range" in self.headers:
            return lie()
        return self.give_part(1000 if self.times("blob") == 1 else len(LAYER))

    def do_parts_other(self):
        """Gives another range than was asked for."""
        return self.parts_then(lambda: self.give_part(len(LAYER), claim=7))

    def do_parts_wrong(self):
        """The rest is another blob's."""
        return self.parts_then(lambda: self.give_part(len(LAYER), LAYER[:-1] + b"?"))

    def do_parts_never(self):
        return self.parts_then(lambda: self.error(416))

    def do_parts_short(self):
        """A rest of which another length is told."""
        return self.parts_then(lambda: self.give_part(len(LAYER), LAYER[:-1]))

    def do_wrong_config(self):
        if self.kind == "blobs" and self.last == digest(CONFIG):
            return self.answer(200, CONFIG.replace(b"no", b"ha"))
        return self.do_good()

    def do_late_config(self):
        """A config that comes when the layer has been given."""
        if self.is_layer():
            self.do_good()
            return GIVEN.set()
        if self.kind == "blobs" and not GIVEN.wait(20):
            return self.error(404)
        return self.do_good()

    def do_text_config(self):
        text = b"no JSON at all"
        if self.kind == "manifests":
            return self.give_manifest(manifest(
                config=descriptor(text, "application/vnd.oci.image.config.v1+json")))
        if self.last == digest(text):
            return self.answer(200, text)
        return self.do_good()

    def do_big_manifest(self):
        if self.kind == "manifests":
            return self.give_manifest(manifest(annotations={"x": "y" * (5 << 20)}))
        return self.do_good()

    def do_endless_manifest(self):
        return self.endless() if self.kind == "manifests" else self.do_good()

    def do_cut_manifest(self):
        if self.kind == "manifests":
            self.answer(200, manifest()[:100], [("Content-Type", MANIFEST)], len(manifest()))
            self.close_connection = True
            return None
        return self.do_good()

    def do_half_manifest(self):
        return self.give_manifest(manifest()[:100])

    def do_html(self):
        self.answer(200, b"<html><body>Please log in</body></html>",
                    [("Content-Type", "text/html")])

    def do_empty(self):
        self.give_manifest(b"")

    def do_deep(self):
        self.give_manifest(b'{"schemaVersion":2,"x":' + b"[" * 100000 + b"]" * 100000 + b"}")

    def do_twice(self):
        self.give_manifest(b'{"schemaVersion":2,"config":{},' + manifest()[1:])

    def do_both(self):
        self.give_manifest(manifest(manifests=[]))

    def do_confused(self):
        self.give_manifest(manifest(), INDEX)

    def do_negative(self):
        layer = descriptor(LAYER, "application/vnd.oci.image.layer.v1.tar+gzip")
        self.give_manifest(manifest(layers=[dict(layer, size=-1)]))

    def do_traversal(self):
        layer = descriptor(LAYER, "application/vnd.oci.image.layer.v1.tar+gzip")
        self.give_manifest(manifest(layers=[dict(layer, digest="sha256:../../../../etc/passwd")]))

    def do_schema1(self):
        self.give_manifest(b'{"schemaVersion":1,"name":"old","fsLayers":[]}',
                           "application/vnd.docker.distribution.manifest.v1+prettyjws")

    def do_wrong_header(self):
        self.give_manifest(headers=[("Docker-Content-Digest", digest(b"another"))])

    def do_nested(self):
        """An index that names itself over and over, each time a little different."""
        if self.kind != "manifests":
            return self.do_good()
        depth = self.times("manifest")
        with LOCK:
            inner = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []})
            for level in range(10):
                data = inner.encode()
                MANIFESTS[digest(data)] = data
                entry = dict(descriptor(data, INDEX),
                             platform={"os": "linux", "architecture": "amd64"})
                inner = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry],
                                    "annotations": {"level": str(level)}})
        body = inner.encode() if depth == 1 else MANIFESTS[self.last]
        return self.give_manifest(body, INDEX)

    def do_busy(self):
        """429, then 503, then an answer."""
        count = self.times(self.path)
        if count == 1:
            return self.error(429, "TOOMANYREQUESTS", [("Retry-After", "0")])
        if count == 2:
            return self.error(503)
        return self.do_good()

    def do_busy_until(self):
        """429 until two seconds from now, by a clock that is an hour ahead."""
        if self.times("busy") > 1:
            return self.do_good()
        now = time.time() + 3600
        self.date_time_string = lambda timestamp=None: formatdate(now, usegmt=True)
        return self.error(429, "TOOMANYREQUESTS",
                          [("Retry-After", formatdate(now + 2, usegmt=True))])

    def do_broken(self):
        self.error(500)

    def do_long_error(self):
        self.endless(404)

    def do_many_headers(self):
        self.answer(200, manifest(), [(f"X-{n}", "y" * 1000) for n in range(90)])

    def do_away(self):
        """Blobs are on another host (another port is another origin)."""
        if self.kind != "blobs":
            return self.do_basic()
        other = [port for port in PORTS if port != self.server.server_port][0]
        scheme = "https" if len(sys.argv) > 2 else "http"
        return self.answer(307, b"", [("Location",
                                       f"{scheme}://127.0.0.1:{other}/v2/good/blobs/{self.last}")])

    def do_leads(self):
        """Blobs are where the second component of the name says: at the other port, which wants to
        know who asks, or to be told by way of a token server of its own, or where nobody listens."""
        if self.kind != "blobs":
            return self.do_good()
        other = f"127.0.0.1:{PORTS[1]}/v2"
        place = {"locked": f"{other}/forbidden", "lures": f"{other}/lures", "named": f"bob:secret@{other}/good",
                 "gone": "127.0.0.1:1"}[self.name.split("/")[1]]
        return self.answer(307, b"", [("Location", f"http://{place}/blobs/{self.last}")])

    def do_lures(self):
        self.error(401, "UNAUTHORIZED", [
            ("WWW-Authenticate", f'Bearer realm="http://{self.headers["Host"]}/auth"')])

    def do_circle(self):
        self.answer(307, b"", [("Location", self.path)])

    def do_downgrade(self):
        if self.kind != "blobs":
            return self.do_good()
        return self.answer(307, b"", [("Location", f"http://127.0.0.1:1/{self.last}")])

    def do_unwrapped(self):
        """Blobs are at the same address without TLS."""
        if self.kind != "blobs":
            return self.do_basic()
        return self.answer(307, b"", [("Location", f"http://{self.headers['Host']}/v2/basic/blobs/{self.last}")])

    def do_file(self):
        self.answer(307, b"", [("Location", "file:///etc/passwd")])

    def do_protocol(self):
        """Is somewhere that is spoken to as the second component of the name says."""
        self.answer(307, b"", [("Location", f"{self.name.split('/')[1]}://127.0.0.1/x")])

    def do_foreign(self):
        """Is at a host whose name is not ASCII."""
        host = "m\u00fcnchen.invalid".encode().decode("latin-1")
        self.answer(307, b"", [("Location", f"http://{host}/x")])

    def do_encoded(self):
        """Says that the answer comes in the coding that is the second component of the name."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", self.name.split("/")[1])
        self.end_headers()
        self.wfile.write(manifest())
        self.close_connection = True

    def do_locked(self):
        self.error(401, "UNAUTHORIZED", [("WWW-Authenticate", 'Basic realm="x"')])

    def do_forbidden(self):
        self.error(403, "DENIED")

    def do_tagless(self):
        return self.error(403, "DENIED") if self.kind == "tags" else self.do_good()

    def do_basic(self):
        expected = "Basic " + base64.b64encode(b"alice:secret").decode()
        if self.headers.get("Authorization") != expected:
            return self.error(401, "UNAUTHORIZED", [("WWW-Authenticate", 'Basic realm="x"')])
        return self.do_good()

    def do_token(self, server="auth"):
        """Tokens, of which each is good for three requests only."""
        host = self.headers["Host"]
        scheme = "https" if len(sys.argv) > 2 else "http"
        given = self.headers.get("Authorization", "")
        with LOCK:
            left = COUNTS.get(given, 0)
            COUNTS[given] = left - 1
        if left > 0:
            return self.do_good()
        return self.error(401, "UNAUTHORIZED", [
            ("WWW-Authenticate", f'Bearer realm="{scheme}://{host}/{server}",service="a registry",'
                                 f'scope="repository:{self.name}:pull"')])

    def do_token_moved(self):
        return self.do_token("auth-moved")

    def do_token_away(self):
        return self.do_token("auth-away")

    def do_token_plain(self):
        return self.do_token("auth-plain")

    def do_token_circle(self):
        return self.do_token("auth-circle")

    def do_token_endless(self):
        return self.do_token("auth-endless")

    def do_token_elsewhere(self):
        """The token server is what the second component of the name says."""
        return self.error(401, "UNAUTHORIZED", [
            ("WWW-Authenticate", 'Bearer realm="%s"' % {
                "plain": f"https://127.0.0.1:{PORTS[1]}/auth",
                "http": f"http://127.0.0.1:{PORTS[1]}/auth",
                "named": f"http://bob:secret@127.0.0.1:{PORTS[1]}/auth",
                "gone": "https://127.0.0.1:1/auth"}[self.name.split("/")[1]])])

    def do_auth_endless(self):
        return self.endless()

    def do_auth_moved(self):
        """The token server has another path."""
        return self.answer(307, headers=[("Location", "/auth?" + self.query)])

    def do_auth_away(self):
        """It has another port, where somebody else may listen."""
        scheme = "https" if len(sys.argv) > 2 else "http"
        return self.answer(302, headers=[("Location", f"{scheme}://127.0.0.1:{PORTS[1]}/auth?" + self.query)])

    def do_auth_plain(self):
        return self.answer(302, headers=[("Location", f"http://127.0.0.1:{PORTS[1]}/auth?" + self.query)])

    def do_auth_circle(self):
        return self.answer(302, headers=[("Location", self.path)])

    def do_v2(self):
        """What login asks: whether a token is good."""
        if COUNTS.get(self.headers.get("Authorization", ""), 0) > 0:
            return self.answer(200, b"{}")
        return self.error(401, "UNAUTHORIZED", [
            ("WWW-Authenticate", f'Bearer realm="http://{self.headers["Host"]}/auth"')])

    def do_auth(self):
        """The token server: anonymous users get nothing, "answer" what is its password."""
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        name, _, text = base64.b64decode(given if kind == "Basic" else "").decode().partition(":")
        if name == "answer":
            COUNTS["Bearer told"] = 3
            return self.answer(200, text.encode())
        expected = "Basic " + base64.b64encode(b"alice:secret").decode()
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        if self.headers.get("Authorization") != expected and "refresh_token=idtoken" not in body:
            return self.error(401, "UNAUTHORIZED")
        with LOCK:
            token = f"token-{len(COUNTS)}"
            COUNTS["Bearer " + token] = 3
        return self.answer(200, json.dumps({"token": token}).encode())

    def do_strange(self):
        self.error(401, "UNAUTHORIZED", [("WWW-Authenticate", "Negotiate")])

    # ---- tags ----

    def do_untags(self):
        """A registry that deletes tags."""
        if self.command == "DELETE":
            return self.answer(405 if self.last.startswith("sha256:") else 202)
        if self.kind == "tags":
            return self.answer(200, b'{"tags":["v1","v2","other"]}')
        return self.give_manifest(headers=[("Docker-Content-Digest", digest(manifest()))])

    def do_not_modified(self):
        """Has what it is asked whether it has, and says so unasked as well."""
        self.answer(304)

    def do_moved_tags(self):
        """Like that, and somebody pushes v2 once it was looked at."""
        with LOCK:
            COUNTS[self.path] = COUNTS.get(self.path, 0) + 1
            is_moved = self.path.endswith("/v2") and COUNTS[self.path] > 1
        if self.command != "HEAD" or not is_moved:
            return self.do_untags()
        return self.give_manifest(headers=[("Docker-Content-Digest", digest(b"another"))])

    def do_pages(self):
        page = int(self.query.removeprefix("page=") or 0)
        headers = []
        if page < 4:
            headers = [("Link", "</style.css>; rel=preload"),
                       ("Link", f'</v2/{self.name}/tags/list?page={page + 1}>; rel="next"')]
        self.answer(200, json.dumps({"name": self.name, "tags": [f"t{page}a", f"t{page}b"]})
                    .encode(), headers)

    def do_catalog(self):
        """Pages of repositories; a token is the name of a lie."""
        lie = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if lie == "none":
            self.error(404)
        elif lie == "html":
            self.do_html()
        elif lie == "circle":
            self.answer(200, b'{"repositories":["a"]}', [("Link", f"<{self.path}>; rel=next")])
        elif lie == "numbers":
            self.answer(200, b'{"repositories":[1]}')
        elif self.query:
            self.answer(200, b'{"repositories":["d"]}')
        else:
            self.answer(200, b'{"repositories":["a/b","c"]}',
                        [("Link", '</v2/_catalog?last=c&n=2>; rel="next"')])

    def do_page_circle(self):
        self.answer(200, b'{"tags":["a"]}', [("Link", f"<{self.path}>; rel=next")])

    def do_page_away(self):
        self.answer(200, b'{"tags":["a"]}', [("Link", "<https://example.com/v2/>; rel=next")])

    def do_leading_tags(self):
        self.answer(200, json.dumps({"tags": ["v1", "../../../escaped"]}).encode()) \
            if self.kind == "tags" else self.do_good()

    def do_bad_tags(self):
        self.answer(200, b'{"tags":{"a":1}}')

    def do_odd_tags(self):
        self.answer(200, json.dumps({"tags": ["v1", None, "", digest(LAYER), "v2"]}).encode())

    def do_null_tags(self):
        self.answer(200, b'{"name":"null-tags","tags":null}')

    # ---- uploads ----

    def do_takes(self):
        """A registry that is pushed to: Location is relative with a query."""
        self.upload("/v2/" + self.name + "/blobs/uploads/1?state=a%2Fb")

    def do_takes_anew(self):
        """Says that it has no blob, and gives those it was given."""
        if self.command == "HEAD" and self.kind == "blobs":
            return self.error(404, "BLOB_UNKNOWN")
        return self.do_takes()

    def do_takes_absolute(self):
        self.upload(f"http://{self.headers['Host']}/v2/{self.name}/blobs/uploads/1")

    def do_moves(self):
        """Takes nothing itself: leads to takes/x at the other port by the status that is the second
        component of the name."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        end = self.path.partition("/" + self.kind + "/")[2]
        self.answer(int(self.name.split("/")[1]), b"", [
            ("Location", f"http://127.0.0.1:{PORTS[1]}/v2/takes/x/{self.kind}/{end}")])

    def do_no_mounts(self):
        """Mounts nothing; the second component of the name is what it answers then."""
        if self.command == "POST" and "mount=" in self.query:
            return self.error(int(self.name.split("/")[1]))
        return self.do_takes_anew()

    def do_takes_not(self):
        if self.command == "PUT":
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return self.error(413, "SIZE_INVALID")
        return self.upload("/v2/" + self.name + "/blobs/uploads/1")

    def do_takes_once_more(self):
        if self.command == "PUT" and self.kind == "blobs" and self.times("put") <= 2:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return self.error(503)
        return self.upload("/v2/" + self.name + "/blobs/uploads/1")

    def do_pushes(self):
        """Uploads in parts; the second component of the name says what is odd about those of more
        than 1 MB. One upload a repository."""
        if self.kind == "manifests":
            return self.upload("")
        if "/uploads/" not in self.path:
            data = UPLOADED.get(self.name + self.last)
            return self.error(404, "BLOB_UNKNOWN") if data is None else self.answer(200, data)
        odd = self.name.split("/")[1]
        location = ("Location", f"/v2/{self.name}/blobs/uploads/{self.times('location')}?secret=x")
        session = SESSIONS.get(self.name)
        length = int(self.headers.get("Content-Length", 0))
        if self.command == "POST":
            SESSIONS[self.name] = bytearray()
            return self.answer(202, b"", [location, ("Range", "0-0"),
                                          ("OCI-Chunk-Min-Length", "6000000" if odd == "large"
                                           else "10")])
        if self.command == "GET":
            if session is None or odd == "lost":
                return self.error(404, "BLOB_UPLOAD_UNKNOWN")
            if odd == "damaged":
                session[5:7] = b"??"
            unit = "bytes=" if odd == "silent" else ""
            return self.answer(204, b"", [location,
                                          ("Range", f"{unit}0-{max(len(session) - 1, 0)}")])
        part = self.times("part") if self.command == "PATCH" else 0
        if length > 1000000 and odd != "small" and not part and self.times("whole") == 1 \
                or odd == "stubborn" and part == 2:
            session += self.rfile.read(length if odd == "silent" else min(3000000, length // 2))
            self.close_connection = True
            return None
        body = self.rfile.read(length)
        if odd == "small" and length > 5000000:
            return self.error(413, "SIZE_INVALID")
        if self.command == "PATCH":
            return self.take_part(odd, part, session, body, location)
        session += body
        if "digest=" + digest(session) not in self.query:
            return self.error(400, "DIGEST_INVALID")
        with LOCK:
            UPLOADED[self.name + digest(session)] = bytes(session)
        del SESSIONS[self.name]
        return self.answer(201)

    def take_part(self, odd, part, session, body, location):
        first, last = map(int, self.headers["Content-Range"].split("-"))
        if odd == "partless":
            return self.error(501, "UNSUPPORTED")
        if odd == "ill" and part == 1:
            return self.error(500)
        if first != len(session) or last - first + 1 != len(body):
            return self.error(416, "RANGE_INVALID")
        if odd == "half" and part == 1:
            body = body[:len(body) // 2]
        session += body
        return self.answer(202, b"", [location, ("Range", f"0-{len(session) - 1}")])

    def upload(self, location):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.command == "POST":
            self.answer(202, b"", [("Location", location)])
        elif self.command == "PUT" and self.kind == "manifests":
            with LOCK:
                MANIFESTS[self.name, self.last] = body
            self.answer(201, b"", [("Docker-Content-Digest", digest(body))])
        elif self.command == "PUT":
            prefix = location.partition("?")[2]
            name = digest(body, "sha512" if "digest=sha512:" in self.query else "sha256")
            if self.query != (prefix + "&" if prefix else "") + "digest=" + name:
                return self.error(400, "DIGEST_INVALID")
            with LOCK:
                UPLOADED[name] = body
            self.answer(201)
        elif self.kind == "manifests":
            with LOCK:
                body = MANIFESTS.get((self.name, self.last))
            if body is None:
                return self.error(404, "MANIFEST_UNKNOWN")
            self.give_manifest(body, headers=[("Docker-Content-Digest", digest(body))])
        elif self.last in UPLOADED:
            self.answer(200, UPLOADED[self.last])
        else:
            self.error(404, "BLOB_UNKNOWN")
        return None


def main():
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    for server in servers:
        server.daemon_threads = True
        if len(sys.argv) > 2:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[2], sys.argv[3])
            if len(sys.argv) > 4:
                context.verify_mode = ssl.CERT_OPTIONAL
                context.load_verify_locations(sys.argv[4])
            server.socket = context.wrap_socket(server.socket, server_side=True,
                                                do_handshake_on_connect=False)
        PORTS.append(server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(f"{DIRECTORY}/ports.new", "w", encoding="utf-8") as file:
        file.write(" ".join(map(str, PORTS)) + "\n")
    os.rename(f"{DIRECTORY}/ports.new", f"{DIRECTORY}/ports")
    threading.Event().wait()


main()
