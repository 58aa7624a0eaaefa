#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ctr-store behind skopeo-c, with a real registry.
# shellcheck disable=SC2016 # the inner shell expands what is quoted
load ../helpers
load common

setup_file() {
	file_setup
	command -v skopeo-c >/dev/null || skip "skopeo-c is not built"
	registry_start
	cd "$BATS_FILE_TMPDIR" || return
	tars=()
	for i in 1 2 3 4 5; do
		make_tar "l$i.tar" "file:f$i:size=$((i * 1000000))"
		tars+=("l$i.tar")
	done
	oci_image layout "$REGISTRY/t:1" '{}' "${tars[@]}"
	skopeo copy --quiet --dest-tls-verify=false "oci:layout:$REGISTRY/t:1" "docker://$REGISTRY/t:1"
}

teardown() { clean_store; }

@test "pipeline: skopeo-c copy | ctr-store create" {
	tool bash -o pipefail -c 'skopeo-c copy --tls-verify=false docker://$REGISTRY/t:1 store: | ctr-store create --name web'
	[ "$(count "$(field .rootfs.path)")" -eq 5 ]
	[ "$(field .image.name)" = "$REGISTRY/t:1" ]
	tool ctr-store images
	[ "$(field '.names[]')" = "$REGISTRY/t:1" ]
}

@test "pipeline: skopeo-c copy --events 1 | ctr-store unpack | ctr-store create" {
	tool bash -o pipefail -c 'skopeo-c copy --tls-verify=false --events 1 docker://$REGISTRY/t:1 store: |
		tee events | ctr-store unpack | ctr-store create'
	[ "$(stat -c %s "$(field .rootfs.path)/f5")" -eq 5000000 ]
	[ "$(grep -c '"state":"done"' events)" -ge 5 ]
	# again, when all is there
	tool bash -o pipefail -c 'skopeo-c copy --tls-verify=false --events 1 docker://$REGISTRY/t:1 store: | ctr-store unpack'
	[ "$(layers | wc -l)" -eq 5 ]
	nothing_unfinished
}

@test "pipeline: a pull that fails is said once, by the tool that failed" {
	tool 1 bash -c 'skopeo-c copy --tls-verify=false --events 1 docker://$REGISTRY/nope:1 store: | ctr-store unpack'
	[ "$(grep -c '^skopeo-c: ' <<<"$stderr")" -eq 1 ]
	nothing_unfinished
}

@test "pipeline: pulls, unpacking, removing and gc at the same time" {
	for _ in 1 2 3 4; do
		{
			skopeo-c copy --tls-verify=false --events 1 "docker://$REGISTRY/t:1" store: 2>>errors |
				ctr-store unpack >/dev/null 2>>errors
			ctr-store gc >/dev/null 2>>errors
		} 3>&- &
	done
	wait
	[ ! -s errors ]
	tool ctr-store mount "$REGISTRY/t:1"
	[ "$(count "$(field .target)")" -eq 5 ]
}

@test "pipeline: the store's images are an OCI layout that skopeo reads" {
	skopeo-c copy --tls-verify=false "docker://$REGISTRY/t:1" store: >/dev/null
	tool skopeo inspect "oci:$OCID_ROOT/images:$REGISTRY/t:1"
	[ "$(field '.Layers | length')" -eq 5 ]
}
