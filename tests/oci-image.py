#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""oci-image.py LAYOUT REF CONFIG-JSON TAR...: add an image to an OCI layout.

Each TAR becomes a gzip layer; CONFIG-JSON is merged over a minimal image config. With several
images, call it again: the index keeps the others. Independent of the tools under test.
"""
import gzip
import hashlib
import json
import os
import platform
import sys

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}


def write_blob(layout, data):
    digest = hashlib.sha256(data).hexdigest()
    with open(f"{layout}/blobs/sha256/{digest}", "wb") as blob:
        blob.write(data)
    return "sha256:" + digest


def descriptor(layout, media_type, data):
    return {"mediaType": media_type, "digest": write_blob(layout, data), "size": len(data)}


def main():
    layout, ref, extra, tars = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4:]
    os.makedirs(f"{layout}/blobs/sha256", exist_ok=True)
    layers, diff_ids = [], []
    for tar in tars:
        with open(tar, "rb") as file:
            raw = file.read()
        diff_ids.append("sha256:" + hashlib.sha256(raw).hexdigest())
        layers.append(descriptor(layout, "application/vnd.oci.image.layer.v1.tar+gzip",
                                 gzip.compress(raw, 1, mtime=0)))
    config = {"architecture": ARCH.get(platform.machine(), platform.machine()), "os": "linux",
              "created": "2026-01-01T00:00:00Z", "config": {},
              "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    config.update(extra)
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": descriptor(layout, "application/vnd.oci.image.config.v1+json",
                                     json.dumps(config).encode()),
                "layers": layers}
    entry = descriptor(layout, manifest["mediaType"], json.dumps(manifest).encode())
    entry["annotations"] = {"org.opencontainers.image.ref.name": ref}
    index = {"schemaVersion": 2, "manifests": []}
    if os.path.exists(f"{layout}/index.json"):
        with open(f"{layout}/index.json", encoding="utf-8") as file:
            index = json.load(file)
    index["manifests"] = [m for m in index["manifests"]
                          if m.get("annotations") != entry["annotations"]] + [entry]
    with open(f"{layout}/index.json", "w", encoding="utf-8") as file:
        json.dump(index, file)
    with open(f"{layout}/oci-layout", "w", encoding="utf-8") as file:
        file.write('{"imageLayoutVersion": "1.0.0"}')
    print(entry["digest"])


main()
