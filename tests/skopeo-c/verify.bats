# SPDX-License-Identifier: Apache-2.0

load ../helpers
load common

setup_file() {
	file_setup
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	cd "$BATS_FILE_TMPDIR" || return
	for name in one two three; do
		echo "$name" >file
		tar --mtime=@0 -cf "$name.tar" file
	done
	image old 2026-02-01 base.tar one.tar
	image new 2026-03-01 base.tar two.tar three.tar
	index_image multi v1 base.tar >multi.digest
	registry_start
}

# image NAME DATE TAR…: each layer made on that day, the first long before
image() {
	local history='{"created":"2025-01-01T00:00:00Z"}' name=$1 date=$2T00:00:00Z

	history+=',{"created":"'$date'","empty_layer":true}'
	for _ in "${@:4}"; do history+=',{"created":"'$date'"}'; done
	oci_image "$name" v1 "{\"created\":\"$date\",\"history\":[$history]}" "${@:3}" >"$name.digest"
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return
	NAME=$REGISTRY/v/x:v1
	export OCID_ROOT=$BATS_TEST_TMPDIR/root
}

put() { # LAYOUT [NAME]
	skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$1:v1" "docker://${2-$NAME}"
}

take() { # [ARG…]: the registry's image into the store
	tool skopeo-c copy -q --src-tls-verify=false "$@" "docker://$NAME" store:
}

result() {
	jq -e "$@" <<<"$output"
}

@test "verify: an image that is as it was, and as the registry has it" {
	put old
	take
	tool skopeo-c verify --tls-verify=false "$NAME"
	# shellcheck disable=SC2016
	result --arg name "$NAME" --arg digest "$(cut -d ' ' -f 1 old.digest)" '.name == $name and .intact and
		.local.digest == $digest and .registry.digest == $digest and .registry.state == "same" and
		(.layers | length) == 2 and all(.layers[]; .intact and .registry == "same" and .digest == .registryDigest)'
	tool skopeo-c verify --tls-verify=false "store:$NAME"
	# packed anew it is still the same image
	tool skopeo-c copy -q --src-tls-verify=false --dest-tls-verify=false --dest-compress-format zstd "docker://$NAME" "docker://$NAME"
	tool skopeo-c verify --tls-verify=false "$NAME"
	result '.registry.state == "same" and .local.digest != .registry.digest and
		all(.layers[]; .registry == "same" and .digest != .registryDigest)'
}

@test "verify: the registry has a newer image, or an older one: exit 1, layer by layer" {
	put old
	take
	put new
	tool 1 skopeo-c verify --tls-verify=false "$NAME"
	[ -z "$stderr" ]
	result '.intact and .registry.state == "newer" and [.layers[].registry] == ["same","newer","added"] and
		.layers[1].created == "2026-02-01T00:00:00Z" and .layers[1].registryCreated == "2026-03-01T00:00:00Z" and
		(.layers[2] | has("digest") | not)'
	take
	put old
	tool 1 skopeo-c verify --tls-verify=false "$NAME"
	result '.registry.state == "older" and [.layers[].registry] == ["same","older","removed"]'
}

@test "verify: an index in the registry, in the store, or in both" {
	put new
	skopeo --insecure-policy copy -q --all --dest-tls-verify=false oci:multi:v1 "docker://$NAME"
	take
	tool skopeo-c verify --tls-verify=false "$NAME"
	result '.registry.state == "same" and .registry.manifest == .local.digest'
	take --all
	tool skopeo-c verify --tls-verify=false "$NAME"
	result '.registry.state == "same" and .registry.digest == .local.digest and .local.manifest == .registry.manifest'
	# ours is for another platform, so the registry's one for that counts
	take --override-arch arm --override-variant v7
	tool skopeo-c verify --tls-verify=false "$NAME"
	result '.registry.state == "same"'
}

@test "verify: bytes that have changed, or are gone, are exit 7 whatever the registry has" {
	local blob

	put old
	take
	blob=$OCID_ROOT/images/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$OCID_ROOT/images/index.json")
	blob=$OCID_ROOT/images/blobs/sha256/$(jq -r '.layers[1].digest[7:]' "$blob")
	printf '\xff' | dd of="$blob" bs=1 seek=20 conv=notrunc status=none
	tool 7 skopeo-c verify --tls-verify=false "$NAME"
	error_is integrity "is damaged (ctr-store check --repair"
	result '(.intact | not) and [.layers[].intact] == [true,false] and (.layers[1].problem | contains("has the digest"))
		and .registry.state == "same"'
	echo more >>"$blob"
	tool 7 skopeo-c verify --local "$NAME"
	result '(.layers[1].problem | contains("bytes, expected")) and (has("registry") | not)'
	rm "$blob"
	tool 7 skopeo-c verify --local "$NAME"
	result '.layers[1].problem == "missing"'
	rm "$OCID_ROOT/images/blobs/sha256/$(result -r '.config.digest[7:]')"
	tool 7 skopeo-c verify --tls-verify=false "$NAME"
	result '.config.problem == "missing" and .layers[0].registry == "same"'
	: >"$OCID_ROOT/images/blobs/sha256/$(result -r '.local.digest[7:]')"
	tool 7 skopeo-c verify --local "$NAME"
}

@test "verify: --local, no such image, an image without a name, a registry that is away or has it no more" {
	local gone

	put old
	take
	gone=127.0.0.1:$(free_port)
	tool skopeo-c copy -q "store:$NAME" "store:$gone/x:v1"
	tool skopeo-c verify --local "$gone/x:v1"
	result '.intact and (has("registry") | not) and all(.layers[]; has("registry") | not)'
	tool 8 skopeo-c verify --tls-verify=false --retry-times 0 "$gone/x:v1"
	error_is temporary "cannot reach $gone"
	result '.intact and .registry.error.code == "temporary" and (.layers | length) == 2'
	tool skopeo-c copy -q "store:$NAME" "store:$REGISTRY/never/x:v1"
	tool 3 skopeo-c verify --tls-verify=false "$REGISTRY/never/x:v1"
	result '.intact and .registry.error.code == "not-found"'
	tool 3 skopeo-c verify --local none/such:v1
	[ -z "$output" ]
	tool 2 skopeo-c verify
}
