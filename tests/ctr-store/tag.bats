#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one
	store_image docker.io/library/t:1 base.tar
}

teardown() { clean_store; }

@test "tag: one more name, normalised" {
	tool ctr-store tag t:1 mine
	[ "$(field '.names | sort | join(" ")')" = "docker.io/library/mine:latest docker.io/library/t:1" ]
	tool ctr-store image mine
	[ "$(field .image.name)" = docker.io/library/mine:latest ]
}

@test "tag: the index is on the disk before it has its name, and then its name is" {
	export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
	timeout -k 5 "${TOOL_TIMEOUT:-60}" strace -f -o calls -e trace=fsync,fdatasync,linkat,renameat,rename \
		ctr-store tag t:1 durable >/dev/null
	[ "$(sed -nE 's/.* (fsync|linkat|renameat|rename)\(.*= 0$/\1/p' calls | tail -n 4 | xargs)" = "fsync linkat renameat fsync" ]
}

@test "tag: a name moves from another image" {
	make_tar b.tar file:b
	store_image docker.io/library/b:1 b.tar
	digest=$(ctr-store image t:1 | jq -r .digest)
	tool ctr-store tag b:1 t:1
	tool ctr-store image t:1
	[ "$(field '.names | length')" -eq 2 ]
	# which stays, without a name
	tool ctr-store images
	[ "$(jq -sc '[.[] | select(.names == [])] | map(.repoDigests[])' <<<"$output")" = "[\"docker.io/library/t@$digest\"]" ]
	tool ctr-store gc
	tool ctr-store rm "t@$digest"
	tool ctr-store images
	[ "$(jq -s length <<<"$output")" -eq 1 ]
}

@test "tag: an image that has another name keeps just that" {
	make_tar b.tar file:b
	store_image docker.io/library/b:1 b.tar
	ctr-store tag t:1 other:1 >/dev/null
	tool ctr-store tag b:1 t:1
	tool ctr-store image other:1
	[ "$(field '.names | join(" ")')" = docker.io/library/other:1 ]
	[ "$(ctr-store images | jq -s length)" -eq 2 ]
}

@test "tag: no such image, no name, a digest for a name" {
	tool 3 ctr-store tag nope x
	error_is not-found 'no image "nope" (see ctr-store images)'
	tool 2 ctr-store tag t:1 UPPER/case
	tool 2 ctr-store tag t:1 "x@sha256:$(printf x | sha256sum | cut -c1-64)"
	error_is usage "a digest"
	# which would hide the image of that id
	tool 2 ctr-store tag t:1 "$(ctr-store image t:1 | jq -r '.id[7:]')"
	error_is usage "64 hexadecimal digits are an id"
}

@test "untag, rm, tag, image: NAME@DIGEST is an image of that name and digest" {
	ctr-store tag t:1 quay.io/a/other:2 >/dev/null
	digest=$(ctr-store image t:1 | jq -r .digest)
	none=sha256:$(printf %064d 0)
	for name in "nope@$digest" "quay.io/t@$digest" "ther@$digest" "t:2@$digest" "t@$none"; do
		for verb in untag rm image; do
			tool 3 ctr-store "$verb" "$name"
			error_is not-found "no image \"$name\" (see ctr-store images)"
		done
		tool 3 ctr-store tag "$name" x:1
	done
	for name in "t@$digest" "t:1@$digest" "docker.io/library/t@$digest" "other@$digest" \
		"a/other:2@$digest" "$digest" "${digest#sha256:}"; do
		tool ctr-store image "$name"
		[ "$(field '.names | length')" -eq 2 ]
	done
	# a name without a tag goes with every one
	jq --arg name "docker.io/library/t@$digest" \
		'.manifests[0].annotations["org.opencontainers.image.ref.name"] = $name' \
		"$OCID_ROOT/images/index.json" >index.json
	mv index.json "$OCID_ROOT/images/index.json"
	tool ctr-store image "t:2@$digest"
	tool ctr-store untag "t@$digest"
	tool 3 ctr-store untag "t@$digest"
	tool ctr-store rm "$digest"
}

@test "tag: many at once lose nothing" {
	for i in 1 2 3 4 5 6 7 8 9; do
		ctr-store tag t:1 "n:$i" >/dev/null 2>>errors 3>&- &
	done
	wait
	[ ! -s errors ]
	[ "$(ctr-store image t:1 | jq '.names | length')" -eq 10 ]
}

@test "untag: the name goes, the image stays" {
	ctr-store tag t:1 u:2 >/dev/null
	tool ctr-store untag t:1
	[ "$(field '.untagged[]')" = docker.io/library/t:1 ]
	tool 3 ctr-store image t:1
	digest=$(ctr-store image u:2 | jq -r .digest)
	tool ctr-store untag u:2
	tool ctr-store image "$digest"
	[ "$(field '.names | length')" -eq 0 ]
	tool ctr-store gc
	[ "$(field .blobs)" -eq 0 ]
	tool ctr-store rm "$digest"
	[ -z "$(ctr-store images)" ]
}

@test "untag: the index is read and written as often for many names as for one" {
	local names=()
	for i in 1 2 3 4; do
		make_tar "more$i.tar" "file:f:text=$i"
		store_image "docker.io/library/more$i:1" "more$i.tar"
		names+=("more$i:1")
	done
	accesses() {
		ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 timeout -k 5 "${TOOL_TIMEOUT:-60}" strace -f -o trace -e trace=openat,renameat,linkat "$@" >/dev/null
		grep -c 'index\.json' trace
	}
	one=$(accesses ctr-store untag "${names[0]}")
	[ "$(accesses ctr-store untag "${names[@]:1}")" -eq "$one" ]
	[ "$(ctr-store images | jq -s 'map(select(.names == [])) | length')" -eq 4 ]
	tool ctr-store gc
	[ "$(field .blobs)" -eq 0 ]
}

none_of_many() {
	! ctr-store images | grep -q many:
}

@test "tag: who reads the result slowly keeps nobody else waiting" {
	full_pipe
	ctr-store tag t:1 more:1 >full 3>&- 8>&- &
	wait_for 10 ctr-store image more:1
	TOOL_TIMEOUT=30 tool ctr-store gc
	[ "$(read_pipe | jq -r '.names | length')" -eq 2 ]
	wait $!
	exec 8>&-
}

@test "untag: who reads the result slowly keeps nobody else waiting" {
	jq '.manifests += [.manifests[0] as $one | range(1; 201) as $i | $one |
		.annotations["org.opencontainers.image.ref.name"] = "docker.io/library/many:\($i)"]' \
		"$OCID_ROOT/images/index.json" >index.json
	mv index.json "$OCID_ROOT/images/index.json"
	mkfifo pipe
	exec 8<>pipe
	# F_SETPIPE_SZ: it is soon full
	/usr/bin/python3 -c 'import fcntl; fcntl.fcntl(8, 1031, 4096)' 8<>pipe
	ctr-store untag many:{1..200} >pipe 3>&- 8>&- &
	wait_for 10 none_of_many
	tool ctr-store gc
	timeout -k 5 "${TOOL_TIMEOUT:-60}" head -n 200 <&8 >results
	wait $!
	[ "$(jq -r '.untagged[0]' results | sort -u | wc -l)" -eq 200 ]
	exec 8>&-
}
