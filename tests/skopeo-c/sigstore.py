#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""sigstore.py KIND REGISTRY REPOSITORY DIGEST KEY [NAME=VALUE...]: what cosign would attach.

KIND is "attachment" (the tag sha256-HEX.sig) or "bundle" (a referrer; in a registry without the API
an index under the tag sha256-HEX). KEY is an unencrypted private key that openssl signs with.
NAME=VALUE changes what is signed: name=, digest=, type=, predicate=, rekor=KEY, corrupt=1, api=1.
"""
import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import urllib.request

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
KIND, REGISTRY, REPOSITORY, DIGEST, KEY = sys.argv[1:6]
OPTIONS = dict(word.split("=", 1) for word in sys.argv[6:])


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def base64_text(data):
    return base64.b64encode(data).decode()


def sign(key, data):
    kind = subprocess.run(["openssl", "pkey", "-in", key, "-noout", "-text"], check=True,
                          capture_output=True).stdout
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        command = ["openssl", "dgst", "-sha256", "-sign", key, file.name]
        if b"ED25519" in kind:
            command = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", file.name]
        return subprocess.run(command, check=True, capture_output=True).stdout


def request(method, path, body=None, media_type="application/octet-stream"):
    url = path if path.startswith("http") else f"http://{REGISTRY}/v2/{REPOSITORY}/{path}"
    call = urllib.request.Request(url, data=body, method=method,
                                  headers={"Content-Type": media_type})
    with urllib.request.urlopen(call) as answer:
        return answer.headers.get("Location"), answer.read()


def put_blob(data, media_type):
    location, _ = request("POST", "blobs/uploads/", b"")
    if location.startswith("/"):
        location = f"http://{REGISTRY}{location}"
    request("PUT", location + ("&" if "?" in location else "?") + "digest=" + digest(data), data)
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def put_manifest(content, wanted=None):
    data = json.dumps(content).encode()
    request("PUT", "manifests/" + (wanted or digest(data)), data, content["mediaType"])
    return {"mediaType": content["mediaType"], "digest": digest(data), "size": len(data)}


def public_key():
    return subprocess.run(["openssl", "pkey", "-in", KEY, "-pubout"], check=True,
                          capture_output=True).stdout


def rekor_promise(payload, signature):
    entry = {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {
        "data": {"hash": {"algorithm": "sha256",
                          "value": OPTIONS.get("logged", digest(payload)[7:])}},
        "signature": {"content": base64_text(signature),
                      "publicKey": {"content": base64_text(public_key())}}}}
    promised = {"body": base64_text(json.dumps(entry).encode()), "integratedTime": 1700000000,
                "logID": "c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d",
                "logIndex": 42}
    text = json.dumps(promised, separators=(",", ":"), sort_keys=True).encode()
    return json.dumps({"SignedEntryTimestamp": base64_text(sign(OPTIONS["rekor"], text)),
                       "Payload": promised})


def attach():
    payload = json.dumps({"critical": {
        "identity": {"docker-reference": OPTIONS.get("name", f"{REGISTRY}/{REPOSITORY}")},
        "image": {"docker-manifest-digest": OPTIONS.get("digest", DIGEST)},
        "type": OPTIONS.get("type", "cosign container image signature")},
        "optional": None}).encode()
    signature = sign(KEY, payload)
    if "corrupt" in OPTIONS:
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    annotations = {"dev.cosignproject.cosign/signature": base64_text(signature)}
    if "rekor" in OPTIONS:
        annotations["dev.sigstore.cosign/bundle"] = rekor_promise(payload, signature)
    layer = put_blob(payload, "application/vnd.dev.cosign.simplesigning.v1+json")
    config = put_blob(json.dumps({"rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}
                                 ).encode(), "application/vnd.oci.image.config.v1+json")
    put_manifest({"schemaVersion": 2, "mediaType": MANIFEST, "config": config,
                  "layers": [dict(layer, annotations=annotations)]},
                 DIGEST.replace(":", "-") + ".sig")


def add_bundle():
    subject = {"digest": {"sha256": OPTIONS.get("digest", DIGEST)[7:]}}
    if "name" in OPTIONS:
        subject["name"] = OPTIONS["name"]
    statement = json.dumps({
        "_type": "https://in-toto.io/Statement/v1", "subject": [subject],
        "predicateType": OPTIONS.get("predicate", "https://sigstore.dev/cosign/sign/v1")}).encode()
    kind = "application/vnd.in-toto+json"
    encoded = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(statement), statement)
    bundle = json.dumps({
        "mediaType": BUNDLE, "verificationMaterial": {"publicKey": {"hint": ""}},
        "dsseEnvelope": {"payload": base64_text(statement), "payloadType": kind,
                         "signatures": [{"sig": base64_text(sign(KEY, encoded))}]}}).encode()
    image = {"mediaType": MANIFEST, "digest": DIGEST, "size": int(OPTIONS.get("size", 1))}
    entry = put_manifest({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE,
                          "config": put_blob(b"{}", EMPTY), "layers": [put_blob(bundle, BUNDLE)],
                          "subject": image})
    if "api" not in OPTIONS:
        # cosign 3's libraries name the type of the config here
        put_manifest({"schemaVersion": 2, "mediaType": INDEX,
                      "manifests": [dict(entry, artifactType=EMPTY)]}, DIGEST.replace(":", "-"))


{"attachment": attach, "bundle": add_bundle}[KIND]()
