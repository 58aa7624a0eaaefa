#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one file:etc/two:text=two
	make_tar top.tar dir:etc whiteout:etc/two file:etc/three:text=three
}

teardown() { clean_store; }

@test "unpack: an image by name gives one directory a layer, named by its diffID" {
	as_directories
	store_image docker.io/library/t:1 base.tar top.tar
	tool ctr-store unpack t:1
	[ "$(field .image.name)" = docker.io/library/t:1 ]
	[ "$(cat "$(layer_tree base.tar)/etc/one")" = one ]
	[ "$(cat "$(layer_tree top.tar)/etc/three")" = three ]
	[ "$(layers | wc -l)" -eq 2 ]
	nothing_unfinished
}

@test "unpack: layer.json says what the layer is" {
	store_image docker.io/library/t:1 base.tar
	tool ctr-store unpack t:1
	run jq -c '[.diffId, .entries, .size, .mediaType, has("chainId")]' \
		"$(dirname "$(layer_tree base.tar)")/layer.json"
	[ "$output" = "[\"sha256:$(sha256sum base.tar | cut -d' ' -f1)\",3,6,\"application/vnd.oci.image.layer.v1.tar+gzip\",false]" ]
}

@test "unpack: images share a layer whatever lies beneath it" {
	store_image docker.io/library/a:1 base.tar top.tar
	store_image docker.io/library/b:1 top.tar base.tar
	tool ctr-store unpack a:1 b:1
	[ "$(layers | wc -l)" -eq 2 ]
	[ "$(wc -l <<<"$output")" -eq 2 ]
}

@test "unpack: a layer that links to a file beneath is kept under its chain ID" {
	as_directories
	make_tar leaning.tar link:etc/copy:to=etc/one
	store_image docker.io/library/t:1 base.tar leaning.tar
	tool ctr-store unpack t:1
	[ ! -e "$(layer_tree leaning.tar)" ]
	base=sha256:$(sha256sum base.tar | cut -d' ' -f1)
	chain=$(printf '%s sha256:%s' "$base" "$(sha256sum leaning.tar | cut -d' ' -f1)" |
		sha256sum | cut -d' ' -f1)
	[ "$(cat "$OCID_ROOT/layers/$chain/diff/etc/copy")" = one ]
	[ "$(jq -r .chainId "$OCID_ROOT/layers/$chain/layer.json")" = "sha256:$chain" ]
	# on top of another layer it is another directory
	make_tar other.tar dir:etc file:etc/one:text=other
	store_image docker.io/library/t:2 other.tar leaning.tar
	tool ctr-store unpack t:2
	[ "$(layers | wc -l)" -eq 4 ]
}

@test "unpack: a document from stdin, spread over lines by jq, passes through" {
	store_image docker.io/library/t:1 base.tar
	tool ctr-store image t:1
	jq '{image, mine: {of: "others"}}' <<<"$output" >document
	tool ctr-store unpack <document
	[ "$(field .mine.of)" = others ]
	[ "$(wc -l <<<"$output")" -eq 1 ]
	[ -e "$(layer_tree base.tar)" ]
}

@test "unpack: events start a layer when its blob is done, before the rest is there" {
	store_image docker.io/library/t:1 base.tar top.tar
	tool ctr-store image t:1
	document=$(jq -c '{image}' <<<"$output")
	first=$(jq -r '.image.manifest.layers[0].digest' <<<"$document")
	second=$(jq -r '.image.manifest.layers[1].digest' <<<"$document")
	hex=${second#sha256:}
	mv "$OCID_ROOT/images/blobs/sha256/$hex" held
	mkfifo events
	ctr-store unpack <events >out 2>err 3>&- &
	pid=$!
	exec 9>events
	jq -c '{event: "image", image}' <<<"$document" >&9
	echo "{\"event\":\"blob\",\"digest\":\"$first\",\"size\":1,\"state\":\"started\"}" >&9
	echo "{\"event\":\"blob\",\"digest\":\"$first\",\"size\":1,\"state\":\"done\"}" >&9
	wait_for 10 test -e "$(layer_tree base.tar)"
	mv held "$OCID_ROOT/images/blobs/sha256/$hex"
	echo "{\"event\":\"blob\",\"digest\":\"$second\",\"size\":1,\"state\":\"present\"}" >&9
	echo "$document" >&9
	exec 9>&-
	wait "$pid"
	diff <(jq -S . <<<"$document") <(jq -S . out)
	[ "$(layers | wc -l)" -eq 2 ]
}

@test "unpack: the end of the events without a document is a failure that leaves nothing" {
	store_image docker.io/library/t:1 base.tar
	tool ctr-store image t:1
	jq -c '{event: "image", image}' <<<"$output" >events
	tool 1 ctr-store unpack <events
	error_is failed "before the document"
	nothing_unfinished
	tool 1 ctr-store unpack </dev/null
	error_is failed "before the document"
}

@test "unpack: what is no document is told apart" {
	tool 7 ctr-store unpack <<<'not json'
	error_is integrity "not JSON objects"
	tool 7 ctr-store unpack <<<'{"image":'$'{}}{\x00}'
	tool 2 ctr-store unpack <<<'{"config":{}}'
	error_is usage "no image"
	tool 7 ctr-store unpack <<<'{"image":{"descriptor":{}}}'
	error_is integrity
	tool 7 ctr-store unpack <<<'{"image":{"descriptor":{"digest":"sha256:../../x"},"manifest":{"config":{"digest":"x"}},"config":{}}}'
	error_is integrity "not a digest"
}

@test "unpack: manifest and configuration must agree on the number of layers" {
	store_image docker.io/library/t:1 base.tar
	ctr-store image t:1 | jq -c '{image} | .image.config.rootfs.diff_ids = []' >document
	tool 7 ctr-store unpack <document
	error_is integrity "1 layers in its manifest, 0 in its configuration"
}

@test "unpack: no image of that name" {
	tool 3 ctr-store unpack nope
	error_is not-found 'no image "nope" (see ctr-store images)'
}

@test "unpack: a wrong diffID is refused and leaves no layer" {
	store_image docker.io/library/t:1 base.tar
	for id in "sha256:$(printf '0%.0s' {1..64})" sha256:../../../x ../x ""; do
		ctr-store image t:1 | jq -c --arg id "$id" '{image} | .image.config.rootfs.diff_ids[0] = $id' >document
		tool 7 ctr-store unpack <document
		error_is integrity
		[ -z "$(layers)" ]
	done
	nothing_unfinished
}

@test "unpack: a damaged, a truncated and a missing blob are refused, and the next try works" {
	store_image docker.io/library/t:1 base.tar top.tar
	blob=$OCID_ROOT/images/blobs/sha256/$(ctr-store image t:1 |
		jq -r '.image.manifest.layers[1].digest | ltrimstr("sha256:")')
	cp "$blob" good
	printf '\xff\xff' | dd of="$blob" bs=1 seek=40 conv=notrunc status=none
	tool 7 ctr-store unpack t:1
	head -c 50 good >"$blob"
	tool 7 ctr-store unpack t:1
	# what is in it is the same, but when it was compressed
	{ head -c 4 good && printf '\xff\xff\xff\xff' && tail -c +9 good; } >"$blob"
	tool 7 ctr-store unpack t:1
	error_is integrity "as stored"
	rm "$blob"
	tool 3 ctr-store unpack t:1
	error_is not-found "pull it again"
	cp good "$blob"
	tool ctr-store unpack t:1
	[ "$(layers | wc -l)" -eq 2 ]
}

@test "unpack: a manifest or a configuration that is not what its digest says is refused" {
	store_image docker.io/library/t:1 base.tar
	for digest in $(ctr-store image t:1 | jq -r '.image.descriptor.digest, .image.manifest.config.digest'); do
		blob=$OCID_ROOT/images/blobs/sha256/${digest#sha256:}
		cp "$blob" good
		sed -i 's/linux/Linux/; s/tar+gzip/tar+Gzip/' "$blob"
		[ "$(stat -c %s "$blob")" -eq "$(stat -c %s good)" ]
		run ! cmp "$blob" good
		tool 7 ctr-store unpack t:1
		error_is integrity "digest is"
		cp good "$blob"
	done
	tool ctr-store unpack t:1
}

@test "unpack: the same layer twice in an image" {
	store_image docker.io/library/t:1 base.tar top.tar base.tar
	tool ctr-store unpack t:1
	[ "$(layers | wc -l)" -eq 2 ]
	tool ctr-store mount t:1
	[ "$(cat "$(field .target)/etc/two")" = two ]
}

@test "unpack: many processes at once do the work once and all succeed" {
	for i in 1 2 3 4 5 6; do
		make_tar "l$i.tar" "file:f$i:size=3000000"
	done
	store_image docker.io/library/up:1 l1.tar l2.tar l3.tar l4.tar l5.tar l6.tar
	store_image docker.io/library/down:1 l6.tar l5.tar l4.tar l3.tar l2.tar l1.tar
	pids=()
	for i in 1 2 3 4; do
		ctr-store unpack up:1 >/dev/null 2>>errors 3>&- &
		pids+=($!)
		ctr-store unpack down:1 >/dev/null 2>>errors 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	[ ! -s errors ]
	[ "$(layers | wc -l)" -eq 6 ]
	nothing_unfinished
}

@test "unpack: killed at any moment, the next one works and gc removes what was left" {
	as_directories
	export OCID_KEEPS_UNFINISHED=1
	for i in 1 2 3; do
		make_tar "l$i.tar" "file:f$i:size=8000000"
	done
	store_image docker.io/library/t:1 l1.tar l2.tar l3.tar
	for delay in 0.002 0.01 0.02 0.03 0.05 0.08; do
		command ctr-store unpack t:1 >/dev/null 2>&1 3>&- &
		sleep "$delay"
		kill -9 $! || true
		wait $! || true
	done
	tool ctr-store unpack t:1
	for i in 1 2 3; do
		[ "$(stat -c %s "$(layer_tree "l$i.tar")/f$i")" -eq 8000000 ]
	done
	tool ctr-store gc
	nothing_unfinished
	[ "$(layers | wc -l)" -eq 3 ]
}

@test "unpack: SIGTERM undoes what is half done" {
	make_tar big.tar file:f:size=60000000
	store_image docker.io/library/t:1 big.tar
	# a worker that does its work and then takes its time
	printf '#!/bin/sh\n%s "$@"\nsleep 60\n' "$OCID_BIN/ctr-store-unpack" >ctr-store-unpack
	chmod +x ctr-store-unpack
	OCID_LIBEXEC=$PWD timeout -k 5 "${TOOL_TIMEOUT:-60}" ctr-store unpack t:1 >/dev/null 2>err 3>&- &
	pid=$!
	wait_for 5 something_unfinished
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	nothing_unfinished
	[ -z "$(layers)" ]
}

@test "unpack: a full disk is told as such, and leaves a store that works" {
	export OCID_ROOT=$BATS_TEST_TMPDIR/disk
	small_disk "$OCID_ROOT" 4m
	make_tar big.tar file:f:size=20000000
	make_tar small.tar file:f:text=small
	store_image docker.io/library/big:1 big.tar
	store_image docker.io/library/small:1 small.tar
	tool 9 ctr-store unpack big:1
	error_is limit
	nothing_unfinished
	tool ctr-store unpack small:1
	umount "$OCID_ROOT"
}

@test "unpack: more layers at once than there may be open files" {
	rm -rf "$OCID_ROOT"
	/usr/bin/python3 "$TESTS/ctr-store/many-images.py" "$OCID_ROOT" 20 5
	rm -r "$OCID_ROOT/layers"
	tool bash -c 'ulimit -n 150; ctr-store unpack image{0..19}:1'
	[ "$(layers | wc -l)" -eq 100 ]
}

@test "unpack: a hostile layer writes nothing outside its directory" {
	as_directories
	mkdir outside
	echo mine >outside/file
	out=$PWD/outside
	i=0
	for entries in "file:$out/new" "file:../../../../../../..$out/new" "file:a/../../../../new" \
		"symlink:s:to=$out file:s/new" "symlink:s:to=../../../../.. file:s/new" \
		"link:l:to=$out/file" "link:l:to=../../../../../..$out/file" \
		"symlink:s:to=$out link:l:to=s/file" "symlink:s:to=$out whiteout:s/file" \
		"symlink:s:to=$out opaque:s" "symlink:s:to=$out/file file:s:mode=777:text=theirs" \
		"symlink:.:to=$out file:new" "file:.wh...:text=x" "whiteout:.."; do
		i=$((i + 1))
		# shellcheck disable=SC2086 # several entries
		make_tar hostile.tar $entries
		store_image "docker.io/library/h:$i" hostile.tar
		run timeout 60 ctr-store unpack "h:$i"
		[[ $status == [07] ]]
		[ "$(ls -A outside)" = file ]
		[ "$(stat -c '%a %h' outside/file) $(cat outside/file)" = "644 1 mine" ]
		[ -z "$(find "$OCID_ROOT" -name new -not -path '*/diff/*')" ]
	done
	nothing_unfinished
}

@test "unpack: a read-only store is told as such" {
	store_image docker.io/library/t:1 base.tar
	ctr-store images >/dev/null
	mount --bind "$OCID_ROOT" "$OCID_ROOT"
	mount -o remount,bind,ro "$OCID_ROOT"
	tool 6 ctr-store unpack t:1
	error_is denied "Read-only"
	umount "$OCID_ROOT"
}

@test "unpack: output that cannot be written is a failure" {
	store_image docker.io/library/t:1 base.tar
	run bash -c 'ctr-store unpack t:1 >/dev/full'
	[ "$status" -eq 9 ]
}
