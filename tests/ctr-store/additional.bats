#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Stores that are used beside the own one, and only read.
load ../helpers
load common

# A store with an image, mounted so that nothing can be written, at $OTHER.
setup_file() {
	file_setup
	cd "$BATS_FILE_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one file:gone:text=x dir:deep file:deep/below:text=b
	make_tar top.tar file:etc/two:text=two file:.wh.gone file:deep/.wh..wh..opq file:deep/new:text=n
	OCID_ROOT=$BATS_FILE_TMPDIR/filled
	store_image docker.io/library/t:1 base.tar top.tar
	ctr-store unpack t:1
	export OTHER=$BATS_FILE_TMPDIR/other FILLED=$OCID_ROOT OCID_ROOT=$BATS_FILE_TMPDIR/root
	mkdir "$OTHER"
	mount --bind -o ro "$FILLED" "$OTHER"
	mount -o remount,bind,ro "$OTHER"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	before=$(state)
}

teardown() {
	clean_store
	[ "$(state)" = "$before" ]
}

teardown_file() {
	umount "$OTHER"
	file_teardown
}

# All that is in the other store.
state() {
	find "$FILLED" -printf '%p %y %m %U %G %s %T@ %C@\n' | sort | sha256sum
}

@test "images: those of an additional store are shown, and say where they are" {
	tool ctr-store images --additional-store "$OTHER"
	[ "$(field .store)" = "$OTHER" ]
	[ "$(field '.names[0]')" = docker.io/library/t:1 ]
	tool ctr-store image --additional-store "$OTHER" t:1
	[ "$(field .layers)" -eq 2 ]
	tool ctr-store images
	[ -z "$output" ]
}

@test "images: a name of the store itself hides that of an additional one" {
	make_tar own.tar file:own:text=own
	store_image docker.io/library/t:1 own.tar
	export OCID_ADDITIONAL_STORES=:$OTHER:$OTHER
	tool ctr-store images
	[ "$(wc -l <<<"$output")" -eq 1 ]
	[ "$(field .store)" = null ]
	tool ctr-store image t:1
	[ "$(field .layers)" -eq 1 ]
}

@test "mount: an image of an additional store, with nothing unpacked here" {
	tool ctr-store mount --additional-store "$OTHER" t:1
	local target
	target=$(field .target)
	[ "$(cat "$target/etc/one" "$target/etc/two")" = $'onetwo' ]
	[ ! -e "$target/gone" ]
	[ "$(ls "$target/deep")" = new ]
	[ -z "$(layers)" ]
	tool ctr-store mounts
	tool ctr-store umount "$target"
}

@test "umount: such an image by its name, and others while its store is away" {
	local target

	for how in option variable; do
		target=$(ctr-store mount --additional-store "$OTHER" t:1 | jq -r .target)
		tool 3 ctr-store umount t:1
		[ "$how" = variable ] || tool ctr-store umount --additional-store "$OTHER" t:1
		[ "$how" = option ] || OCID_ADDITIONAL_STORES=$OTHER tool ctr-store umount t:1
		[ ! -e "$target" ]
	done
	target=$(ctr-store mount --additional-store "$OTHER" t:1 | jq -r .target)
	OCID_ADDITIONAL_STORES=$PWD/away tool ctr-store umount "$target"
	OCID_ADDITIONAL_STORES=$PWD/away tool 1 ctr-store umount t:1
	error_is failed "additional store $PWD/away"
}

@test "export: an image of an additional store" {
	tool ctr-store export --additional-store "$OTHER" -o one.tar t:1
	OCID_ADDITIONAL_STORES=$OTHER tool ctr-store export -o two.tar t:1
	cmp one.tar two.tar
	tar -tf one.tar deep/new
	tool 3 ctr-store export -o three.tar t:1
}

@test "create: a container of such an image needs the option no more" {
	tool ctr-store create --additional-store "$OTHER" --image t:1 --id c
	/usr/bin/python3 -m jsonschema -i "$OCID_ROOT/containers/c/document.json" \
		"$TESTS/../man/document.schema.json"
	local rootfs=$OCID_ROOT/containers/c/rootfs
	rm "$rootfs/etc/one"
	echo new >"$rootfs/file"
	tool ctr-store gc
	tool ctr-store umount c
	tool ctr-store mount c
	[ "$(cat "$rootfs/file" "$rootfs/etc/two")" = $'new\ntwo' ]
	tool ctr-store changes c
	[ "$(jq -r .path <<<"$output" | grep -v '^/etc$' | sort | xargs)" = '/etc/one /file' ]
	tool 3 ctr-store commit c new:1
	error_is not-found "the image of container c: no image"
	error_is not-found "(it has layers of the store $OTHER: name that in OCID_ADDITIONAL_STORES)"
	OCID_ADDITIONAL_STORES=$OTHER tool ctr-store commit c new:1
	OCID_ADDITIONAL_STORES=$OTHER tool ctr-store check --deep
	OCID_ADDITIONAL_STORES=$OTHER tool ctr-store mount new:1
	[ "$(cat "$(field .target)/etc/two")" = two ]
	[ "$(layers | wc -l)" -eq 1 ]
}

@test "create: a copy of such an image" {
	tool ctr-store create --additional-store "$OTHER" --image t:1 --id c --backend copy
	[ "$(ls "$OCID_ROOT/containers/c/rootfs/deep")" = new ]
}

@test "additional stores: store.json names them, too" {
	mkdir -p "$OCID_ROOT"
	jq -n --arg dir "$OTHER" '{additionalimagestores: [$dir]}' >"$OCID_ROOT/store.json"
	tool ctr-store mount t:1
	for wrong in '{"additionalimagestores": "x"}' '{"additionalimagestores": ["x"]}'; do
		echo "$wrong" >"$OCID_ROOT/store.json"
		tool 2 ctr-store images
		error_is usage additionalimagestores
	done
	rm "$OCID_ROOT/store.json"
}

@test "rm, untag, gc: leave an additional store alone" {
	export OCID_ADDITIONAL_STORES=$OTHER
	for verb in rm untag; do
		tool 6 ctr-store "$verb" t:1
		error_is denied 'only read'
	done
	tool 3 ctr-store rm other:1
	tool ctr-store tag t:1 mine:1
	tool ctr-store image mine:1
	tool ctr-store gc
	tool ctr-store rm mine:1
	tool ctr-store image t:1
}

@test "unpack: layers that only the additional store lacks are unpacked here, and stay" {
	cp -a "$FILLED" part
	find part/layers -mindepth 1 -maxdepth 1 -type d \
		! -name "$(sha256sum "$BATS_FILE_TMPDIR/base.tar" | cut -d' ' -f1)" -exec rm -r {} +
	export OCID_ADDITIONAL_STORES=$PWD/part
	tool ctr-store unpack t:1
	[ "$(layers | wc -l)" -eq 1 ]
	tool ctr-store gc
	[ "$(field .layers)" -eq 0 ]
	tool ctr-store mount t:1
	[ "$(ls "$(field .target)/deep")" = new ]
}

@test "skopeo-c: reads from additional stores, and does not fetch what is in them" {
	export OCID_ADDITIONAL_STORES=$OTHER
	tool skopeo-c inspect --raw store:t:1
	tool skopeo-c copy store:t:1 "oci:$PWD/copy:t"
	tool skopeo-c copy --events 1 "oci:$PWD/copy:t" store:again:1
	[ "$(jq -r 'select(.event == "blob").state' <<<"$output" | sort -u)" = present ]
	tool ctr-store mount again:1
	[ -z "$(layers)" ]
	ctr-store umount "$(field .target)"
	unset OCID_ADDITIONAL_STORES
	tool ctr-store images
	[[ $stderr == *'again:1 is not shown'*'is missing'* ]]
	tool 3 ctr-store mount again:1
	error_is not-found 'is missing'
}

@test "additional stores: a file system image that nobody can write" {
	truncate -s 16M image
	mkfs.ext4 -q -d "$FILLED" image
	mkdir mnt
	mount -o ro,loop image mnt
	run ctr-store mount --additional-store mnt t:1
	[ "$status" -eq 0 ] && target=$(field .target) && ls "$target" "$target/deep" >listing
	ctr-store umount "$target"
	# a mount namespace that somebody makes at this moment has a copy of the overlay for a while
	wait_for 10 umount mnt
	[ "$(xargs <listing)" = "$target: deep etc $target/deep: new" ]
}

@test "additional stores: one that is missing, or is none, is told; what needs none works" {
	export OCID_ADDITIONAL_STORES=$PWD/missing
	for command in 'image t:1' 'mount t:1' 'create --image t:1' gc check "images --additional-store $PWD/missing"; do
		# shellcheck disable=SC2086 # words
		tool 1 ctr-store $command
		error_is failed "additional store $PWD/missing: No such file or directory"
	done
	tool 1 skopeo-c inspect store:t:1
	error_is failed "additional store $PWD/missing"
	mkdir missing
	tool 1 ctr-store gc
	error_is failed 'no images/oci-layout'
	for command in mounts containers; do
		tool ctr-store "$command"
	done
	OCID_ADDITIONAL_STORES=$OCID_ROOT tool ctr-store mounts
	mkdir -p "$OCID_ROOT/images"
	OCID_ADDITIONAL_STORES='' tool ctr-store images
	OCID_ADDITIONAL_STORES=$OCID_ROOT tool 2 ctr-store images
	error_is usage 'is the store itself'
}

@test "additional stores: while one is away the rest works, and nothing that it may need is removed" {
	cp -a "$FILLED" part
	rm -r part/layers/*
	make_tar own.tar file:own:text=own
	store_image docker.io/library/own:1 own.tar
	export OCID_ADDITIONAL_STORES=$PWD/part
	# the layers of an image that only the other store has
	ctr-store unpack t:1 >/dev/null
	ctr-store create --image own:1 --name before >/dev/null
	local all
	all=$(layers)
	mv part away
	tool ctr-store images
	[ "$(field '.names[]')" = docker.io/library/own:1 ]
	[[ $stderr == *"additional store $PWD/part: No such file or directory: it is left out" ]]
	tool ctr-store create --image own:1 --name c
	tool ctr-store mount own:1
	tool ctr-store umount own:1
	tool ctr-store commit c new:1
	tool ctr-store tag own:1 second:1
	tool ctr-store rm second:1
	tool ctr-store rm c before
	tool ctr-store tag new:1 new:2
	tool ctr-store untag new:2
	for command in 'rm own:1' 'rm --force t:1' 'rm --untagged' 'untag t:1' 'tag t:1 x:1' gc; do
		[ "$command" != "rm --untagged" ] || ctr-store untag new:1
		# shellcheck disable=SC2086 # words
		tool 1 ctr-store $command
		error_is failed "additional store $PWD/part"
	done
	tool ctr-store image own:1
	[ "$(layers)" = "$all" ]
	tool ctr-store df
	[ "$(field 'has("reclaimable"), .layers.count' | xargs)" = "false $(wc -l <<<"$all")" ]
	mv away part
	tool ctr-store df
	[ "$(field .reclaimable.layers)" -eq 0 ]
	tool ctr-store rm own:1
	tool ctr-store rm --untagged
	tool ctr-store gc
	tool ctr-store create --image t:1
	[ "$(layers | wc -l)" -eq 2 ]
}

@test "mount: a store that is gone is named, with what to do" {
	cp -a "$FILLED" lost
	path=$(ctr-store create --additional-store "$PWD/lost" --image t:1 --name c | jq -r .rootfs.path)
	[ "$(cat "$path/etc/two")" = two ]
	tool ctr-store umount c
	mv lost away
	for command in mount diff; do
		tool 1 ctr-store "$command" c
		error_is failed "the store $PWD/lost, which has a layer of it, is not there (bring the store back"
	done
	# whose disk is not mounted
	mkdir lost
	tool 1 ctr-store mount c
	error_is failed "the store $PWD/lost, which has a layer of it, has lost that layer"
	tool ctr-store rm c
}
