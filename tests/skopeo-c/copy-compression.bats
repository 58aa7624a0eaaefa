# SPDX-License-Identifier: Apache-2.0
# Layers that others have compressed in ways that are only read: bzip2, xz, zstd:chunked.

load ../helpers
load common

setup_file() {
	file_setup
	cd "$BATS_FILE_TMPDIR" || return
	mkdir root
	seq 100000 >root/numbers
	# skopeo keeps no further zeroes at the end when it makes zstd:chunked
	tar -b 1 --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C root -cf layer.tar numbers
	DIFF_ID=$(digest layer.tar)
	export DIFF_ID
	bzip2 -k layer.tar
	xz -k layer.tar
	# two streams are one
	{ head -c 300000 layer.tar | xz && tail -c +300001 layer.tar | xz; } >twice.tar.xz
	{ head -c 300000 layer.tar | bzip2 && tail -c +300001 layer.tar | bzip2; } >twice.tar.bz2
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

digest() {
	sha256sum "$1" | sed 's/^/sha256:/; s/ .*//'
}

# docker_archive FILE: a docker-archive of one image with FILE as its only layer
docker_archive() {
	mkdir archive
	cp "$BATS_FILE_TMPDIR/$1" archive/layer.tar
	jq -nc --arg id "$DIFF_ID" '{architecture: "amd64", os: "linux", rootfs: {type: "layers", diff_ids: [$id]}}' >archive/config.json
	jq -nc '[{Config: "config.json", RepoTags: ["example.com/a:1"], Layers: ["layer.tar"]}]' >archive/manifest.json
	tar -C archive -cf archive.tar config.json manifest.json layer.tar
	rm -r archive
}

# layout FILE TYPE: an OCI layout of one image with FILE as its only layer
layout() {
	oci_image layout a '{}' "$BATS_FILE_TMPDIR/layer.tar" >/dev/null
	jq -c --arg type "$2" --arg digest "$(digest "$1")" --argjson size "$(stat -c %s "$1")" \
		'.layers[0] |= {mediaType: $type, $digest, $size}' "layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' layout/index.json)" >manifest
	cp "$1" "layout/blobs/sha256/$(digest "$1" | cut -d : -f 2)"
	cp manifest "layout/blobs/sha256/$(digest manifest | cut -d : -f 2)"
	jq -c --arg digest "$(digest manifest)" --argjson size "$(stat -c %s manifest)" \
		'.manifests[0] |= . + {$digest, $size}' layout/index.json >index
	mv index layout/index.json
}

# layer_digest LAYOUT: of its only layer, decompressed by others
layer_digest() {
	local blob

	blob=$1/blobs/sha256/$(skopeo inspect --raw "oci:$1" | jq -r '.layers[0].digest[7:]')
	case $(head -c 4 "$blob" | od -An -tx1 | tr -d ' ') in
	1f8b*) gzip -dc "$blob" ;;
	28b52ffd) zstd -dc "$blob" ;;
	*) cat "$blob" ;;
	esac | digest /dev/stdin
}

@test "copy: docker-archive: with layers in bzip2 and xz" {
	for file in layer.tar.bz2 layer.tar.xz twice.tar.xz twice.tar.bz2; do
		rm -rf archive.tar oci dir
		docker_archive "$file"
		tool skopeo-c copy -q docker-archive:archive.tar oci:oci
		[ "$(layer_digest oci)" = "$DIFF_ID" ]
		skopeo inspect --raw oci:oci | jq -e '.layers[0].mediaType == "application/vnd.oci.image.layer.v1.tar+gzip"'
		# where nothing has to be compressed
		tool skopeo-c copy -q docker-archive:archive.tar dir:dir
		[ "$(digest "dir/${DIFF_ID#sha256:}")" = "$DIFF_ID" ]
		skopeo inspect --raw dir:dir | jq -e '.layers[0].mediaType == "application/vnd.oci.image.layer.v1.tar"'
	done
	tool skopeo-c copy -q --dest-compress-format zstd docker-archive:archive.tar oci:zstd
	[ "$(layer_digest zstd)" = "$DIFF_ID" ]
}

@test "copy: archives and tars that are compressed by bzip2 or xz as a whole" {
	docker_archive layer.tar
	bzip2 -k archive.tar
	xz -k archive.tar
	for file in archive.tar.bz2 archive.tar.xz; do
		tool skopeo-c copy -q "docker-archive:$file" "oci:of.$file"
		[ "$(layer_digest "of.$file")" = "$DIFF_ID" ]
		tool skopeo-c copy -q "tarball:$BATS_FILE_TMPDIR/layer.${file#archive.}" "oci:tarball.$file"
		[ "$(layer_digest "tarball.$file")" = "$DIFF_ID" ]
	done
}

@test "copy: layers in bzip2 and xz stay as they are until something else is asked for" {
	for way in bz2 xz; do
		rm -rf layout same gzip plain
		# as other tools have it, a type that is not true; and one that is
		layout "$BATS_FILE_TMPDIR/layer.tar.$way" application/vnd.oci.image.layer.v1.tar+gzip
		tool skopeo-c copy -q oci:layout:a oci:same:a
		cmp <(skopeo inspect --raw oci:layout:a) <(skopeo inspect --raw oci:same:a)
		tool skopeo-c copy -q --dest-compress-format zstd oci:layout:a oci:zstd:"$way"
		tool skopeo-c copy -q --dest-decompress oci:layout:a oci:plain
		[ "$(layer_digest plain)" = "$DIFF_ID" ]
		layout "$BATS_FILE_TMPDIR/layer.tar.$way" "application/vnd.oci.image.layer.v1.tar+${way/bz2/bzip2}"
		tool skopeo-c copy -q --dest-compress-format gzip oci:layout:a oci:gzip
		[ "$(layer_digest gzip)" = "$DIFF_ID" ]
		rm -rf gzip
		tool skopeo-c copy -q --format v2s2 oci:layout:a oci:gzip
		[ "$(layer_digest gzip)" = "$DIFF_ID" ]
		tool skopeo-c diff --files oci:layout:a oci:plain
		jq -e '.layers.common | length == 1' <<<"$output"
	done
}

@test "copy: bzip2 and xz that are cut off or corrupt" {
	for file in layer.tar.bz2 layer.tar.xz; do
		head -c -20 "$BATS_FILE_TMPDIR/$file" >cut.layer
		rm -rf layout
		layout cut.layer application/vnd.oci.image.layer.v1.tar+gzip
		tool 7 skopeo-c copy -q --dest-decompress oci:layout:a oci:out
		error_is integrity "cut off"
		{ head -c 200 "$BATS_FILE_TMPDIR/$file" && echo rubbish && tail -c +209 "$BATS_FILE_TMPDIR/$file"; } >corrupt
		rm -rf layout
		layout corrupt application/vnd.oci.image.layer.v1.tar+gzip
		tool 7 skopeo-c copy -q --dest-decompress oci:layout:a oci:out
		error_is integrity corrupt
		nothing_unfinished out
	done
}

@test "copy: zstd:chunked is read as zstd, and its annotations go with it" {
	oci_image layout a '{}' "$BATS_FILE_TMPDIR/layer.tar" >/dev/null
	skopeo copy -q --dest-compress-format zstd:chunked oci:layout:a oci:chunked:a
	skopeo inspect --raw oci:chunked:a | jq -e '.layers[0].annotations | keys | any(test("zstd-chunked"))'
	# many frames, and skippable ones
	blob=chunked/blobs/sha256/$(skopeo inspect --raw oci:chunked:a | jq -r '.layers[0].digest[7:]')
	[ "$(zstd -lv "$blob" 2>/dev/null | awk '/^# Skippable/ { print $NF }')" -ge 1 ]
	tool skopeo-c copy -q oci:chunked:a oci:same:a
	cmp <(skopeo inspect --raw oci:chunked:a) <(skopeo inspect --raw oci:same:a)
	for option in "--dest-compress-format gzip" --dest-decompress "--format v2s2"; do
		rm -rf out
		# shellcheck disable=SC2086 # words
		tool skopeo-c copy -q $option oci:chunked:a oci:out:a
		[ "$(layer_digest out)" = "$DIFF_ID" ]
		skopeo-c inspect --raw oci:out:a | jq -e '.layers[0] | has("annotations") | not'
	done
	tool skopeo-c diff --files oci:chunked:a oci:out:a
	jq -e '.layers.common | length == 1' <<<"$output"
	tool skopeo-c inspect oci:chunked:a
	jq -e '.LayersData[0].Annotations | keys | any(test("zstd-chunked"))' <<<"$output"
	tool skopeo-c copy -q oci:chunked:a store:chunked
	tool ctr-store unpack --backend overlay chunked
	cmp "$OCID_ROOT"/layers/*/diff/numbers "$BATS_FILE_TMPDIR/root/numbers"
}

@test "copy: --dest-decompress decompresses what is only said to be a plain tar, as skopeo does" {
	oci_image said a '{}' "$BATS_FILE_TMPDIR/layer.tar" >/dev/null
	layer_type said application/vnd.oci.image.layer.v1.tar
	skopeo copy -q --dest-decompress oci:said:a dir:theirs
	tool skopeo-c copy --dest-decompress oci:said:a dir:ours
	diff <(jq -S . theirs/manifest.json) <(jq -S . ours/manifest.json)
	tool 1 skopeo-c copy --preserve-digests --dest-decompress oci:said:a dir:no
	error_is failed "would change digests"
	[ ! -e no ]
	# what is one stays as it is, with everything that is said of it
	tool skopeo-c copy --preserve-digests --dest-decompress dir:ours dir:again
	diff -r ours again
}
