#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc:mtime=5 file:etc/one:text=one:xattr.user.a=b file:etc/two:text=two \
		link:etc/three:to=etc/two symlink:etc/four:to=one dir:old file:old/x fifo:pipe
	make_tar top.tar whiteout:old file:top:text=top dir:etc opaque:etc file:etc/new
	make_tar lean.tar link:again:to=top file:deep/er:text=x
	store_image docker.io/library/t:1 base.tar top.tar lean.tar
}

teardown() { clean_store; }

blob_of() { # position of a layer in t:1
	ctr-store image t:1 | jq -r ".image.manifest.layers[$1].digest"
}

blob_path() {
	echo "$OCID_ROOT/images/blobs/${1/://}"
}

set_xattr() { # PATH NAME VALUE
	/usr/bin/python3 -c 'import os, sys
os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode())' "$@"
}

base_id() {
	sha256sum base.tar | cut -d' ' -f1
}

@test "check: a whole store has no findings" {
	tool ctr-store check
	[ -z "$output" ]
	ctr-store create --image t:1 >/dev/null
	store_image docker.io/library/u:1 base.tar
	tool ctr-store check --deep
	[ -z "$output" ]
	nothing_unfinished
	tool ctr-store check --deep --repair
	[ -z "$output" ]
}

@test "check: a blob that is not what its name says" {
	blob=$(blob_of 1)
	printf 'x' >>"$(blob_path "$blob")"
	tool 7 ctr-store check
	error_is integrity "the store is damaged"
	[ "$(jq -r 'select(.object == "blob") | .id' <<<"$output")" = "$blob" ]
	[ "$(jq -r 'select(.object == "image") | .id, .problem' <<<"$output")" = \
		"docker.io/library/t:1"$'\n'"blob $blob is damaged" ]
	# removed, so that a pull brings it again; the image lacks it until then
	tool 7 ctr-store check --repair
	[ "$(jq -r 'select(.object == "blob") | .repair' <<<"$output")" = removed ]
	[ ! -e "$(blob_path "$blob")" ]
	tool 7 ctr-store check
	[ "$(field .problem)" = "blob $blob is missing" ]
	store_image docker.io/library/t:1 base.tar top.tar lean.tar
	tool ctr-store check
}

@test "check: a damaged blob that no image has is mended by removing it" {
	echo x >"$OCID_ROOT/images/blobs/sha256/$(printf '%064d' 1)"
	tool 7 ctr-store check
	[ "$(field .object)" = blob ]
	tool ctr-store check --repair
	[ "$(field .repair)" = removed ]
	tool ctr-store check
}

@test "check: a blob that is missing, a manifest that is damaged" {
	rm "$(blob_path "$(blob_of 0)")"
	tool 7 ctr-store check
	[ "$(field '.object, .id' | xargs)" = "image docker.io/library/t:1" ]
	manifest=$(ctr-store image t:1 | jq -r .digest)
	echo '{}' >"$(blob_path "$manifest")"
	tool 7 ctr-store check
	[[ $output == *"blob $manifest is damaged"* ]]
}

@test "check: what is in the place of a blob is removed" {
	local what path

	path=$(blob_path "$(blob_of 0)")
	for what in "mkdir -p $path/full" "mkfifo $path" "ln -s /etc/passwd $path" "mknod $path c 0 0"; do
		rm -rf "$path"
		$what
		tool 7 ctr-store check
		[ -e "$path" ]
		tool 7 ctr-store check --repair # the image lacks it now
		[ "$(jq -r 'select(.object == "blob") | .problem + " " + .repair' <<<"$output")" = "it is not a file removed" ]
		[ ! -e "$path" ]
	done
	store_image docker.io/library/t:1 base.tar top.tar lean.tar
	tool ctr-store check
}

@test "check: what is no layer at all neither ends the check nor df" {
	ctr-store unpack t:1 >/dev/null
	touch "$OCID_ROOT/layers/stray"
	tool ctr-store df
	tool 7 ctr-store check
	[ "$(jq -c '[.id, .problem]' <<<"$output")" = '["stray","it is not a directory"]' ]
	tool ctr-store check --repair
	[ ! -e "$OCID_ROOT/layers/stray" ]
	rm "$OCID_ROOT/layers/$(base_id)/layer.json"
	mkdir "$OCID_ROOT/layers/$(base_id)/layer.json"
	tool ctr-store check --repair
	[ "$(field .repair)" = "unpacked again" ]
}

@test "check: a container that has lost its name gets it back, unless another has it" {
	local id

	id=$(ctr-store create --image t:1 --name web | jq -r .rootfs.id)
	for what in true "mkdir $OCID_ROOT/names/web" "ln -s nothing $OCID_ROOT/names/web"; do
		rm "$OCID_ROOT/names/web"
		$what
		tool ctr-store check --repair
		[ "$(field .repair)" = "named again" ]
		[ "$(readlink "$OCID_ROOT/names/web")" = "$id" ]
	done
	rm "$OCID_ROOT/names/web"
	ctr-store create --image t:1 --name web >/dev/null
	tool 7 ctr-store check --repair
	[ "$(field '.id, .repair' | xargs)" = "$id null" ]
	[[ $stderr == *"rm --force"* ]]
}

@test "check: what is in the place of a directory, settings that mean nothing" {
	local id setting

	id=$(ctr-store create --image t:1 --name web | jq -r .rootfs.id)
	ctr-store umount web
	mv "$OCID_ROOT/containers/$id/upper" upper
	touch "$OCID_ROOT/containers/$id/upper"
	tool 7 ctr-store check --repair
	[ "$(field '.id, .problem, .repair' | xargs)" = "$id it has no upper directory null" ]
	rm "$OCID_ROOT/containers/$id/upper"
	mv upper "$OCID_ROOT/containers/$id/upper"

	rm -r "$OCID_ROOT/names"
	touch "$OCID_ROOT/names"
	tool 7 ctr-store check
	[ "$(field '.object, .id, .problem' | xargs)" = "store names it is not a directory" ]
	tool ctr-store check --repair
	[ "$(field .repair)" = removed ]
	tool ctr-store mount web
	ctr-store create --image t:1 --name other >/dev/null
	[ "$(readlink "$OCID_ROOT/names/web")" = "$id" ]

	for setting in '"zfs"' 5; do
		echo "{\"backend\": $setting}" >"$OCID_ROOT/store.json"
		tool 2 ctr-store check
		error_is usage "store.json: "
		tool 2 ctr-store create t:1
		error_is usage "store.json: "
	done
}

@test "check: a layer whose facts are lost is unpacked again" {
	ctr-store create --image t:1 --name web >/dev/null
	: >"$OCID_ROOT/layers/$(base_id)/layer.json"
	tool 7 ctr-store check
	[ "$(field '.object, .id' | xargs)" = "layer $(base_id)" ]
	# not beneath a mount
	tool 7 ctr-store check --repair
	[ "$(field 'has("repair")')" = false ]
	ctr-store umount web
	tool ctr-store check --repair
	[ "$(field .repair)" = "unpacked again" ]
	tool ctr-store check --deep
	ctr-store mount web >/dev/null
}

@test "check: a layer that cannot be looked at, for want of descriptors, is not damaged" {
	ctr-store unpack t:1 >/dev/null
	fault openat:error=EMFILE
	tool 9 "${FAULTY[@]}" -P "$(base_id)/layer.json" ctr-store check --repair
	error_is limit "layer $(base_id)"
	[ -e "$OCID_ROOT/layers/$(base_id)/layer.json" ]
	tool ctr-store check --deep
}

@test "check: a damaged layer that cannot be had again stays as long as a container has it" {
	ctr-store create --image t:1 --name web >/dev/null
	ctr-store umount web
	jq '.manifests = []' "$OCID_ROOT/images/index.json" >new
	mv new "$OCID_ROOT/images/index.json"
	rm "$OCID_ROOT/layers/$(base_id)/layer.json"
	tool 7 ctr-store check --repair
	[ -e "$OCID_ROOT/layers/$(base_id)/diff" ]
	ctr-store rm web >/dev/null
	tool ctr-store check --repair
	[ "$(field .repair)" = removed ]
}

@test "check: --deep finds every kind of change in a layer, and --repair undoes it" {
	as_directories
	ctr-store unpack t:1 >/dev/null
	diff=$(layer_tree base.tar)
	for change in 'echo oNe >etc/one; touch -d @0 etc/one' 'touch etc/one' 'chmod 600 etc/one' \
		'chown 1 etc/one' 'set_xattr etc/one user.a c' 'set_xattr etc user.z c' \
		'rm etc/two' 'touch etc/more' 'ln -sf two etc/four' 'rm etc/three; cp -p etc/two etc/three' \
		'chmod 700 old' 'rm -r old' 'rm pipe; touch -d @0 pipe' 'chmod 700 .'; do
		(cd "$diff" && eval "$change")
		tool ctr-store check
		tool 7 ctr-store check --deep
		[ "$(field '.object, .id' | xargs)" = "layer $(base_id)" ]
		[[ $(field .problem) == *"is not as in its blob" ]]
		tool ctr-store check --deep --repair
		[ "$(field .repair)" = "unpacked again" ]
	done
	tool ctr-store check --deep
	nothing_unfinished
}

@test "check: a layer is not replaced while a container's copy of it is being made" {
	as_directories
	ctr-store unpack t:1 >/dev/null
	chmod 600 "$(layer_tree base.tar)/etc/one"
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 timeout -k 5 "${TOOL_TIMEOUT:-60}" \
		strace -f -o calls -e trace=utimensat -e inject=utimensat:signal=STOP:when=1 \
		ctr-store create --image t:1 --backend copy --id abc >/dev/null 3>&- &
	wait_for 10 grep -q 'stopped by SIGSTOP' calls
	tool 7 ctr-store check --deep --repair
	[ "$(field 'has("repair")')" = false ]
	pkill -CONT -P "$(pgrep -P $!)"
	wait $!
	[ "$(cat "$OCID_ROOT/containers/abc/rootfs/top")" = top ]
	tool ctr-store check --deep --repair
	[ "$(field .repair)" = "unpacked again" ]
}

@test "check: --deep sees the layers that lean on others, and lost whiteouts" {
	as_directories
	ctr-store unpack t:1 >/dev/null
	rm "$(layer_tree top.tar)/old"
	tool 7 ctr-store check --deep
	[ "$(field .problem)" = "old is not as in its blob" ]
	tool ctr-store check --deep --repair
	id=$(ctr-store layers | jq -r 'select(.chainId) | .id')
	echo more >>"$OCID_ROOT/layers/$id/diff/again"
	tool 7 ctr-store check --deep
	[ "$(field .id)" = "$id" ]
	tool ctr-store check --deep --repair
	tool ctr-store check --deep
}

@test "check: --deep unpacks each layer as what it is, an image or a directory" {
	# a time that ext4 does not have, an attribute that only images have
	printf 'file new mtime=4611686018427387904\n' | /usr/bin/python3 "$TESTS/ctr-store/layer.py" >time.tar
	printf 'file large xattr.user.big=@60000\n' | /usr/bin/python3 "$TESTS/ctr-store/layer.py" >large.tar
	store_image docker.io/library/time:1 time.tar
	store_image docker.io/library/large:1 large.tar
	ctr-store unpack --backend overlay time:1 >/dev/null
	ctr-store unpack --backend erofs large:1 >/dev/null
	for backend in overlay erofs; do
		echo "{\"backend\":\"$backend\"}" >"$OCID_ROOT/store.json"
		tool ctr-store check --deep
		[ -z "$output" ]
	done
	chmod 600 "$(layer_tree time.tar)/new"
	tool ctr-store check --deep --repair
	[ "$(field .repair)" = "unpacked again" ]
	[ -d "$(layer_tree time.tar)" ]
}

@test "check: --deep goes on where a layer cannot be unpacked aside" {
	as_directories
	make_tar hiding.tar whiteout:x
	make_tar other.tar file:other
	store_image docker.io/library/hiding:1 hiding.tar
	store_image docker.io/library/other:1 other.tar
	ctr-store unpack hiding:1 other:1 >/dev/null
	chmod 600 "$(layer_tree other.tar)/other"
	tool 7 env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" strace -f -o /dev/null -e trace=mknodat \
		-e inject=mknodat:error=EPERM ctr-store check --deep
	[ "$(field '.object, .id' | xargs)" = \
		"image docker.io/library/hiding:1 layer $(sha256sum other.tar | cut -d' ' -f1)" ]
	[[ $(field .problem) == *"does not support whiteouts"* ]]
}

@test "check: --deep asks of an image no more layers than are unpacked" {
	/usr/bin/python3 "$TESTS/ctr-store/hostile-layer.py" dotdot >bad.tar
	# in the index before the one that is unpacked, and after it
	clean_store
	for name in a:1 t:1 z:1; do
		[ "$name" = t:1 ] && second=top.tar || second=bad.tar
		store_image "docker.io/library/$name" base.tar "$second"
	done
	tool 7 ctr-store unpack a:1
	ctr-store unpack t:1 >/dev/null
	tool ctr-store check --deep
	[ -z "$output" ]
}

@test "check: a container's layer that is gone is unpacked again" {
	ctr-store create --image t:1 --name web >/dev/null
	ctr-store umount web
	rm -r "$OCID_ROOT/layers/$(base_id)"
	tool 7 ctr-store check
	[ "$(field .problem)" = "its layer $(base_id) is missing" ]
	tool ctr-store check --repair
	[ "$(field .repair)" = "unpacked again" ]
	ctr-store mount web >/dev/null
	rm "$(ctr-store containers | jq -r .bundle)/rootfs.json"
	tool 7 ctr-store check --repair
	[ "$(field .problem)" = "it has no rootfs.json" ]
}

@test "check: killed at any moment leaves nothing that gc does not take" {
	as_directories
	export OCID_KEEPS_UNFINISHED=1
	for call in mkdirat:when=4 renameat:when=1 renameat:when=3 symlinkat:when=1 unlinkat:when=20; do
		ctr-store unpack t:1 >/dev/null
		echo >>"$(layer_tree base.tar)/etc/one"
		fault "${call%%:*}:signal=KILL:${call#*:}"
		"${FAULTY[@]}" ctr-store check --deep --repair >/dev/null 2>&1 || true
		tool ctr-store check --deep --repair
		tool ctr-store gc
		nothing_unfinished
	done
}

@test "check: a full disk is told as such" {
	export OCID_ROOT=$BATS_TEST_TMPDIR/disk
	small_disk "$OCID_ROOT" 2m
	make_tar big.tar file:big:size=800000
	store_image docker.io/library/big:1 big.tar
	ctr-store unpack big:1 >/dev/null
	dd if=/dev/zero of="$OCID_ROOT/filler" bs=4k status=none || true
	tool ctr-store check
	tool 9 ctr-store check --deep
	rm "$OCID_ROOT/filler"
	tool ctr-store check --deep
	nothing_unfinished
	umount "$OCID_ROOT"
}

@test "check: while others unpack, create, remove and clean there are no findings" {
	for i in 1 2 3; do
		for _ in 1 2 3 4; do
			ctr-store tag t:1 "r$i:1"
			id=$(ctr-store create --image "r$i:1" | jq -r .rootfs.id)
			ctr-store rm "$id"
			ctr-store untag "r$i:1"
			ctr-store gc
		done >>out 2>>errors 3>&- &
	done
	for _ in 1 2 3; do
		tool ctr-store check --deep --repair
		[ -z "$output" ]
	done
	wait
	[ ! -s errors ]
}
