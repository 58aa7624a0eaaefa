# SPDX-License-Identifier: Apache-2.0
"""A registry that lets a token go while a request with it waits for its connection, which then turns
out to have another certificate: renewing-registry.py IMAGE GOOD.pem GOOD.key BAD.pem BAD.key COMMAND...

IMAGE is a dir: of an image with two layers. The command is run with the registry's address put in
place of "@"; each Authorization of a blob is printed, and the exit status is the command's.
"""
import http.server
import itertools
import json
import ssl
import subprocess
import sys
import threading

image, good_pem, good_key, bad_pem, bad_key, *command = sys.argv[1:]
with open(f"{image}/manifest.json", "rb") as file:
    MANIFEST = file.read()
LAYERS = [layer["digest"] for layer in json.loads(MANIFEST)["layers"]]
SECONDS = 30

tokens = itertools.count(1)
manifest_is_sent = threading.Event()
one_may_wait = threading.Semaphore()
renewed = threading.Event()
seen = []


def context(certificate, key):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate, key)
    return made


good, bad = context(good_pem, good_key), context(bad_pem, bad_key)


class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, *headers):
        self.send_response(status)
        for name, value in headers + (("Content-Length", str(len(body))),):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        token = self.headers.get("Authorization", "")
        last = self.path.split("/")[-1]
        if "/blobs/" in self.path:
            seen.append(token)
        if token == "Bearer t2":
            renewed.set()
        if self.path.startswith("/token"):
            self.answer(200, json.dumps({"token": f"t{next(tokens)}"}).encode())
        elif not token or (last in LAYERS and token != "Bearer t2"):
            realm = f"https://127.0.0.1:{self.server.server_port}/token"
            self.answer(401, b"", ("WWW-Authenticate", f'Bearer realm="{realm}",service="x"'))
        elif "/blobs/" in self.path:
            with open(f"{image}/{last.split(':')[1]}", "rb") as blob:
                self.answer(200, blob.read())
        else:
            manifest_is_sent.set()
            self.answer(200, MANIFEST, ("Content-Type", json.loads(MANIFEST)["mediaType"]))

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    def finish_request(self, request, client_address):
        chosen = good
        # one alone: it is another blob's connection that gets the token renewed
        if manifest_is_sent.is_set() and one_may_wait.acquire(blocking=False):
            renewed.wait(SECONDS)
            chosen = bad
        try:
            with chosen.wrap_socket(request, server_side=True) as stream:
                self.RequestHandlerClass(stream, client_address, self)
        except OSError:
            pass


server = Server(("127.0.0.1", 0), Registry)
threading.Thread(target=server.serve_forever, daemon=True).start()
place = f"127.0.0.1:{server.server_port}"
status = subprocess.run([word.replace("@", place) for word in command], stdout=subprocess.DEVNULL, check=False).returncode
print("\n".join(sorted(set(seen))))
sys.exit(status)
