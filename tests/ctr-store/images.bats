#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one
}

teardown() { clean_store; }

with_config() { # REF CONFIG TAR…
	mkdir -p "$OCID_ROOT/images"
	oci_image "$OCID_ROOT/images" "$@" >/dev/null
}

@test "images: an empty store has none" {
	tool ctr-store images
	[ -z "$output" ]
	tool ctr-store images --table
	[[ $output == NAME*"IMAGE ID"*SIZE*LAYERS*CREATED ]]
}

@test "images: an index of very many platforms, none of them ours, is refused at once" {
	mkdir -p "$OCID_ROOT/images/blobs/sha256"
	cd "$OCID_ROOT/images"
	/usr/bin/python3 - <<-'END'
		import hashlib, json
		kind = "application/vnd.oci.image.index.v1+json"
		index = json.dumps({"manifests": [{"platform": {}}] * 200000}, separators=(",", ":")).encode()
		digest = hashlib.sha256(index).hexdigest()
		with open("blobs/sha256/" + digest, "wb") as file:
		    file.write(index)
		with open("index.json", "w") as file:
		    json.dump({"manifests": [{"mediaType": kind, "digest": "sha256:" + digest, "size": len(index),
		               "annotations": {"org.opencontainers.image.ref.name": "docker.io/library/t:1"}}]}, file)
	END
	echo '{"imageLayoutVersion": "1.0.0"}' >oci-layout
	tool 3 ctr-store image t:1
	error_is not-found "has no image for linux/"
}

@test "images: an image that names another one a thousand times does not keep that from being found" {
	mkdir -p elsewhere
	digest=$(oci_image elsewhere docker.io/library/t:1 '{}' base.tar)
	id=$(jq -r .config.digest "elsewhere/blobs/sha256/${digest#sha256:}")
	/usr/bin/python3 -c 'import json, sys
print(json.dumps({"config": {"Labels": {"a": sys.argv[1] * 20000}}}))' "$id" |
		ctr-store import base.tar hostile:1 --config - >/dev/null
	store_image docker.io/library/t:1 base.tar
	# so that the list is kept
	sleep 0.2
	ctr-store images >/dev/null
	TOOL_TIMEOUT=15 tool ctr-store image "$id"
	[ "$(field '.names[]')" = docker.io/library/t:1 ]
}

@test "images: sizes that no blob can have are not counted" {
	mkdir -p "$OCID_ROOT/images"
	oci_image "$OCID_ROOT/images" docker.io/library/t:1 '{}' base.tar >/dev/null
	cd "$OCID_ROOT/images"
	/usr/bin/python3 - <<-'END'
		import hashlib, json
		with open("index.json") as file:
		    index = json.load(file)
		entry = index["manifests"][0]
		with open("blobs/sha256/" + entry["digest"].split(":")[1]) as file:
		    manifest = json.load(file)
		manifest["layers"] = [dict(manifest["layers"][0], size=2**62)] * 3
		text = json.dumps(manifest).encode()
		digest = hashlib.sha256(text).hexdigest()
		with open("blobs/sha256/" + digest, "wb") as file:
		    file.write(text)
		entry.update(digest="sha256:" + digest, size=len(text))
		with open("index.json", "w") as file:
		    json.dump(index, file)
	END
	tool ctr-store images
	manifest=blobs/sha256/$(jq -r '.manifests[0].digest[7:]' index.json)
	[ "$(field .size)" -eq $(($(wc -c <"$manifest") + $(jq .config.size "$manifest"))) ]
}

@test "images: a row says what the image is" {
	with_config docker.io/library/t:1 \
		'{"config": {"User": "1000:50", "Labels": {"a": "b"}}, "variant": "v8"}' base.tar
	tool ctr-store images
	index=$(jq '.manifests[0]' "$OCID_ROOT/images/index.json")
	digest=$(jq -r .digest <<<"$index")
	manifest=$(cat "$OCID_ROOT/images/blobs/sha256/${digest#sha256:}")
	[ "$(field .digest)" = "$digest" ]
	[ "$(field .id)" = "$(jq -r .config.digest <<<"$manifest")" ]
	[ "$(field '.names[]')" = docker.io/library/t:1 ]
	[ "$(field '.repoDigests[]')" = "docker.io/library/t@$digest" ]
	[ "$(field .size)" -eq "$(jq --argjson own "$(jq .size <<<"$index")" \
		'$own + .config.size + ([.layers[].size] | add)' <<<"$manifest")" ]
	[ "$(field .created)" = 2026-01-01T00:00:00Z ]
	[ "$(field '.platform | .os, .variant' | xargs)" = "linux v8" ]
	[ "$(field '.user, .labels.a, .layers' | xargs)" = "1000:50 b 1" ]
}

@test "images: one row an image, with all its names" {
	for ref in docker.io/library/a:1 docker.io/library/a:2 quay.io/x/b:1; do
		store_image "$ref" base.tar
	done
	tool ctr-store images
	[ "$(wc -l <<<"$output")" -eq 1 ]
	[ "$(field '.names | join(" ")')" = "docker.io/library/a:1 docker.io/library/a:2 quay.io/x/b:1" ]
	[ "$(field '.repoDigests | length')" -eq 2 ]
}

@test "images: an image pulled by digest has no name but a repository digest" {
	store_image docker.io/library/a:1 base.tar
	digest=$(ctr-store image a:1 | jq -r .digest)
	jq --arg ref "docker.io/library/a@$digest" \
		'.manifests[0].annotations["org.opencontainers.image.ref.name"] = $ref' \
		"$OCID_ROOT/images/index.json" >new
	mv new "$OCID_ROOT/images/index.json"
	tool ctr-store images
	[ "$(field '.names | length')" -eq 0 ]
	[ "$(field '.repoDigests[]')" = "docker.io/library/a@$digest" ]
}

@test "images: names choose rows" {
	make_tar b.tar file:b
	store_image docker.io/library/a:1 base.tar
	store_image docker.io/library/b:1 b.tar
	tool ctr-store images b:1
	[ "$(field '.names[]')" = docker.io/library/b:1 ]
	tool 3 ctr-store images b:1 nope
	error_is not-found 'no image "nope"'
}

@test "images: a damaged image does not hide the others" {
	make_tar b.tar file:b
	store_image docker.io/library/a:1 base.tar
	store_image docker.io/library/b:1 b.tar
	digest=$(ctr-store image a:1 | jq -r .digest)
	echo '{}' >"$OCID_ROOT/images/blobs/sha256/${digest#sha256:}"
	rm -f "$OCID_RUNROOT/images" # what it remembers is true of the index only
	tool ctr-store images
	[ "$(field '.names[]')" = docker.io/library/b:1 ]
	[[ $stderr == *"docker.io/library/a:1 is not shown"* ]]
	tool ctr-store rm a:1
	tool ctr-store images
	[ -z "$stderr" ]
}

@test "images: a damaged index is an error that names it" {
	store_image docker.io/library/a:1 base.tar
	for text in '' '{' '[]' '{"manifests":{}}'; do
		echo "$text" >"$OCID_ROOT/images/index.json"
		tool 7 ctr-store images
		error_is integrity "$OCID_ROOT/images"
	done
}

@test "images: bytes from an image do not reach the terminal as they are" {
	with_config docker.io/library/a:1 '{"created": "\u001b[31mred"}' base.tar
	tool ctr-store images --table
	[[ $output != *$'\e'* ]]
	with_config docker.io/library/a:1 '{"created": "\u009b31mred\u007f"}' base.tar
	for how in --table --json; do
		tool ctr-store images "$how"
		[[ $output != *$'\u9b'* && $output != *$'\x7f'* ]]
	done
	tool ctr-store image a:1
	[[ $output == *'\u009b31mred\u007f'* ]]
}

@test "image: the row and the document's image" {
	store_image docker.io/library/a:1 base.tar
	tool ctr-store image a:1
	[ "$(field .image.name)" = docker.io/library/a:1 ]
	[ "$(field .image.descriptor.digest)" = "$(field .digest)" ]
	[ "$(field '.image.manifest.layers | length')" = 1 ]
	[ "$(field '.image.config.rootfs.diff_ids[0]')" = "sha256:$(sha256sum base.tar | cut -d' ' -f1)" ]
	tool 3 ctr-store image nope
	error_is not-found 'no image "nope" (see ctr-store images)'
}

@test "images: a thousand are listed in a moment" {
	/usr/bin/python3 - "$OCID_ROOT/images" <<-'END'
		import hashlib, json, os, sys
		root = sys.argv[1]
		os.makedirs(root + "/blobs/sha256")
		def blob(value, kind):
		    data = json.dumps(value).encode()
		    digest = hashlib.sha256(data).hexdigest()
		    with open(f"{root}/blobs/sha256/{digest}", "wb") as file:
		        file.write(data)
		    return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data)}
		entries = []
		for i in range(1000):
		    config = blob({"os": "linux", "architecture": "amd64", "config": {"Env": [str(i)]},
		                   "rootfs": {"type": "layers", "diff_ids": []}},
		                  "application/vnd.oci.image.config.v1+json")
		    entry = blob({"schemaVersion": 2, "config": config, "layers": []},
		                 "application/vnd.oci.image.manifest.v1+json")
		    entry["annotations"] = {"org.opencontainers.image.ref.name": f"docker.io/x/i{i}:1"}
		    entries.append(entry)
		with open(root + "/index.json", "w") as file:
		    json.dump({"schemaVersion": 2, "manifests": entries}, file)
		with open(root + "/oci-layout", "w") as file:
		    file.write('{"imageLayoutVersion": "1.0.0"}')
	END
	tool ctr-store images
	[ "$(wc -l <<<"$output")" -eq 1000 ]
}
