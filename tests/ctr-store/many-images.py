#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""many-images.py ROOT IMAGES LAYERS: fill a store, at once, as if images had been pulled and unpacked.

Image N is example.org/many/imageN:1 of LAYERS layers, each with one file; no two images share one.
"""
import gzip
import hashlib
import io
import json
import os
import platform
import sys
import tarfile

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}


def write_blob(root, data):
    digest = hashlib.sha256(data).hexdigest()
    with open(f"{root}/images/blobs/sha256/{digest}", "wb") as blob:
        blob.write(data)
    return "sha256:" + digest


def descriptor(root, media_type, data):
    return {"mediaType": "application/vnd.oci.image." + media_type, "digest": write_blob(root, data),
            "size": len(data)}


def make_layer(root, name, content):
    """Returns the descriptor of its blob and its DiffID."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    plain = archive.getvalue()
    diff_id = hashlib.sha256(plain).hexdigest()
    blob = descriptor(root, "layer.v1.tar+gzip", gzip.compress(plain, 1, mtime=0))
    os.makedirs(f"{root}/layers/{diff_id}/diff")
    with open(f"{root}/layers/{diff_id}/diff/{name}", "wb") as file:
        file.write(content)
    os.utime(f"{root}/layers/{diff_id}/diff/{name}", (0, 0))
    with open(f"{root}/layers/{diff_id}/layer.json", "w", encoding="utf-8") as file:
        json.dump({"diffId": "sha256:" + diff_id, "blob": blob["digest"], "entries": 1,
                   "mediaType": blob["mediaType"], "root": False, "size": len(content)}, file)
    return blob, "sha256:" + diff_id


def make_image(root, number, layer_count):
    made = [make_layer(root, f"file{i}", f"{number} {i}".encode()) for i in range(layer_count)]
    config = {"architecture": ARCH.get(platform.machine(), platform.machine()), "os": "linux",
              "config": {"Cmd": [f"/file{number}"], "Env": ["PATH=/usr/bin:/bin"],
                         "Labels": {"org.example.number": str(number)}},
              "created": "2026-01-01T00:00:00Z",
              "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in made]}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": descriptor(root, "config.v1+json", json.dumps(config).encode()),
                "layers": [blob for blob, _ in made]}
    entry = descriptor(root, "manifest.v1+json", json.dumps(manifest).encode())
    entry["annotations"] = {
        "org.opencontainers.image.ref.name": f"example.org/many/image{number}:1"}
    return entry


def main():
    root, images, layers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.makedirs(f"{root}/images/blobs/sha256")
    os.makedirs(f"{root}/layers", mode=0o711)
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
             "manifests": [make_image(root, number, layers) for number in range(images)]}
    with open(f"{root}/images/index.json", "w", encoding="utf-8") as file:
        json.dump(index, file)
    with open(f"{root}/images/oci-layout", "w", encoding="utf-8") as file:
        file.write('{"imageLayoutVersion":"1.0.0"}')


main()
