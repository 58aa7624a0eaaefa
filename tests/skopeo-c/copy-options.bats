# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # jq's variables

load ../helpers
load common

setup_file() {
	file_setup
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	tar -C "$TESTS" --mtime=@0 -cf "$BATS_FILE_TMPDIR/second.tar" helpers.bash
	cd "$BATS_FILE_TMPDIR" || return
	oci_image src v1 '{"config":{"Labels":{"a":"b"}}}' base.tar second.tar >digest
	index_image multi v1 base.tar >multi.digest
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	SRC=oci:$BATS_FILE_TMPDIR/src:v1 MULTI=oci:$BATS_FILE_TMPDIR/multi:v1
}

copy() {
	tool skopeo-c copy "$@"
}

# Every layer of the oci: layout is, by its own bytes, compressed by that, and its tar has the DiffID
# of the configuration.
layers_are() { # gzip|zstd|none LAYOUT
	local manifest blob want i=0 diff

	manifest=$2/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$2/index.json")
	while read -r type digest size; do
		blob=$2/blobs/sha256/${digest#sha256:}
		[ "$(stat -c %s "$blob")" = "$size" ]
		case $1 in
		gzip) [[ $type == *gzip ]] && diff=$(gzip -dc "$blob" | sha256sum) ;;
		zstd) [[ $type == *+zstd ]] && diff=$(zstd -dqc "$blob" | sha256sum) ;;
		none) [[ $type == *.tar ]] && diff=$(sha256sum <"$blob") ;;
		esac
		want=$(jq -r ".rootfs.diff_ids[$i][7:]" "$2/blobs/sha256/$(jq -r '.config.digest[7:]' "$manifest")")
		[ "${diff%% *}" = "$want" ] || return 1
		i=$((i + 1))
	done < <(jq -r '.layers[] | .mediaType + " " + .digest + " " + (.size | tostring)' "$manifest")
	[ "$i" -eq 2 ]
}

@test "copy: gzip, zstd and no compression, each from each, with the right DiffIDs, read by skopeo" {
	copy --dest-compress-format zstd "$SRC" oci:zstd:x
	layers_are zstd zstd
	copy --dest-decompress oci:zstd:x oci:none:x
	layers_are none none
	copy --dest-compress oci:none:x oci:gzip:x
	layers_are gzip gzip
	for level in 20 1; do
		copy --dest-compress-format zstd --dest-compress-level "$level" oci:none:x oci:fast:x
		layers_are zstd fast
	done
	copy --dest-compress-format gzip oci:fast:x oci:again:x
	layers_are gzip again
	# the configuration, and what is so already, stay
	diff gzip/index.json again/index.json
	copy --dest-decompress "$SRC" oci:plain:x
	diff plain/index.json none/index.json
	for layout in zstd none gzip fast; do
		skopeo copy -q "oci:$layout:x" "dir:theirs-$layout"
	done
}

@test "copy: reads what skopeo compressed by zstd, and decompressed" {
	skopeo copy -q --dest-compress-format zstd "$SRC" oci:zstd:x
	skopeo copy -q --dest-decompress "$SRC" dir:plain
	copy --dest-decompress oci:zstd:x oci:a:x
	copy dir:plain oci:b:x
	layers_are none a
	layers_are none b
	for layout in a b; do
		[ "$(jq -c '[.layers[].digest]' "$layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$layout/index.json")")" = \
			"$(jq -c '[.layers[].digest]' plain/manifest.json)" ]
	done
}

@test "copy: --format makes the manifests of the other kind as skopeo does" {
	copy --format v2s2 "$SRC" dir:docker
	skopeo copy -q --format v2s2 "$SRC" dir:theirs
	diff <(jq -S . docker/manifest.json) <(jq -S . theirs/manifest.json)
	copy --format oci dir:docker oci:back:x
	[ "$(jq -r '.manifests[0].mediaType' back/index.json)" = application/vnd.oci.image.manifest.v1+json ]
	[ "$(jq -cS .layers "back/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' back/index.json)")" = \
		"$(jq -cS .layers "$BATS_FILE_TMPDIR/src/blobs/sha256/$(sed s/sha256:// "$BATS_FILE_TMPDIR/digest")")" ]
	# there is no zstd in Docker's
	copy --dest-compress-format zstd "$SRC" oci:zstd:x
	copy --format v2s2 oci:zstd:x dir:no-zstd
	jq -e '[.layers[].mediaType] | all(endswith("tar.gzip"))' no-zstd/manifest.json
	skopeo copy -q dir:no-zstd oci:read:x
}

@test "copy: --format with --all converts an index with all its images" {
	copy --all --format v2s2 "$MULTI" dir:docker
	[ "$(jq -r .mediaType docker/manifest.json)" = application/vnd.docker.distribution.manifest.list.v2+json ]
	jq -e '[.manifests[].platform.architecture] == ["amd64", "arm64", "arm"]' docker/manifest.json
	skopeo copy -q --all dir:docker oci:read:x
	copy --all --format oci dir:docker oci:back:x
	[ "$(jq '.manifests | length' "back/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' back/index.json)")" = 3 ]
}

@test "copy: --multi-arch chooses several platforms, with an index of just these" {
	copy --multi-arch linux/amd64,linux/arm/v7 "$MULTI" oci:two:x
	index=two/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' two/index.json)
	jq -e '[.manifests[].platform.architecture] == ["amd64", "arm"]' "$index"
	skopeo copy -q --all oci:two:x dir:read
	copy --multi-arch linux/amd64 --preserve-digests "$MULTI" oci:sparse:x
	[ "$(jq -r '.manifests[0].digest' sparse/index.json)" = "$(cat "$BATS_FILE_TMPDIR/multi.digest")" ]
	copy --multi-arch index-only "$MULTI" oci:index:x
	[ "$(find index/blobs -type f | wc -l)" -eq 1 ]
	copy --multi-arch all "$MULTI" oci:all:x
	[ "$(find all/blobs -type f | wc -l)" -eq "$(find "$BATS_FILE_TMPDIR/multi/blobs" -type f | wc -l)" ]
	tool 3 skopeo-c copy --multi-arch linux/s390x "$MULTI" oci:none:x
	error_is not-found
	[ ! -e none ]
	tool 2 skopeo-c copy --multi-arch some "$MULTI" oci:none:x
	# of a single image there is nothing to choose
	skopeo copy -q --multi-arch index-only "$SRC" dir:theirs
	copy --multi-arch index-only "$SRC" dir:single
	diff -r --exclude=version theirs single
}

@test "copy: --preserve-digests refuses what would change one, and leaves nothing" {
	tool 1 skopeo-c copy --preserve-digests --format v2s2 "$SRC" dir:d
	error_is failed "would change digests"
	[ ! -e d ]
	tool 1 skopeo-c copy --preserve-digests --dest-compress-format zstd "$SRC" oci:o:x
	copy --preserve-digests --format oci --dest-compress "$SRC" dir:same
	[ "sha256:$(sha256sum <same/manifest.json | cut -d ' ' -f 1)" = "$(cat "$BATS_FILE_TMPDIR/digest")" ]
}

@test "copy: a layer that is not the one its configuration names is not recoded" {
	cp -r "$BATS_FILE_TMPDIR/src" bad
	/usr/bin/python3 - <<-'END'
		import hashlib, json
		def blob(digest): return "bad/blobs/sha256/" + digest[7:]
		def put(value):
		    data = json.dumps(value).encode()
		    digest = "sha256:" + hashlib.sha256(data).hexdigest()
		    open(blob(digest), "wb").write(data)
		    return digest, len(data)
		index = json.load(open("bad/index.json"))
		manifest = json.load(open(blob(index["manifests"][0]["digest"])))
		config = json.load(open(blob(manifest["config"]["digest"])))
		config["rootfs"]["diff_ids"].reverse()
		manifest["config"]["digest"], manifest["config"]["size"] = put(config)
		index["manifests"][0]["digest"], index["manifests"][0]["size"] = put(manifest)
		json.dump(index, open("bad/index.json", "w"))
	END
	copy oci:bad:v1 dir:as-it-is
	tool 7 skopeo-c copy --dest-decompress oci:bad:v1 dir:d
	error_is integrity "is not the one that the configuration names"
	[ ! -e d ]
}

@test "copy: shared blob directories, written and read both ways" {
	copy --dest-shared-blob-dir blobs "$SRC" oci:ours:x
	[ "$(find ours/blobs -type f | wc -l)" -eq 0 ]
	skopeo copy -q --src-shared-blob-dir blobs oci:ours:x dir:read
	skopeo copy -q --dest-shared-blob-dir theirs-blobs "$SRC" oci:theirs:x
	copy --src-shared-blob-dir theirs-blobs oci:theirs:x dir:d
	diff -r read d
	nothing_unfinished .
	tool 2 skopeo-c copy --dest-shared-blob-dir blobs "$SRC" dir:x
}

@test "copy: options that contradict each other are usage errors" {
	for options in "--dest-compress --dest-decompress" "--format v2s2 --dest-compress-format zstd" "--format v3" \
		"--dest-compress-format lzma" "--dest-compress-level 3" "--dest-compress --dest-compress-level 10" \
		"--dest-compress-format zstd --dest-compress-level 21" \
		"--all --multi-arch system" "--image-parallel-copies 1000"; do
		# shellcheck disable=SC2086 # words
		tool 2 skopeo-c copy $options "$SRC" dir:d
		error_is usage
	done
	tool 10 skopeo-c copy --dest-compress-format zstd:chunked "$SRC" dir:d
	tool 10 skopeo-c copy --format v2s1 "$SRC" dir:d
	[ ! -e d ]
}

@test "copy: skopeo's global options may stand before the verb" {
	tool skopeo-c --insecure-policy --override-arch arm64 copy "$MULTI" dir:d
	[ "$(jq -r .image.config.architecture <<<"$output")" = arm64 ]
	skopeo --insecure-policy --override-arch arm64 copy -q "$MULTI" dir:theirs
	diff -r --exclude=version d theirs
}

@test "copy: an image of schema 1 is read and becomes what skopeo makes of it" {
	oci_image old v1 '{"config":{"Labels":{"a":"b"},"Cmd":["sh"]},"history":[{"created_by":"one"},
		{"created_by":"env","empty_layer":true},{"created_by":"two","author":"me"}]}' \
		"$BATS_FILE_TMPDIR/base.tar" "$BATS_FILE_TMPDIR/second.tar" >/dev/null
	skopeo copy -q --format v2s1 oci:old:v1 dir:v1
	skopeo copy -q --format v2s2 dir:v1 dir:theirs
	copy dir:v1 dir:ours
	diff <(jq -S 'del(.config.digest, .config.size)' ours/manifest.json) <(jq -S 'del(.config.digest, .config.size)' theirs/manifest.json)
	config() { jq -S . "$1/$(jq -r '.config.digest[7:]' "$1/manifest.json")"; }
	diff <(config ours) <(config theirs)
	copy --format oci dir:v1 oci:oci:x
	layers_are gzip oci
	copy --dest-decompress --format oci dir:v1 oci:none:x
	layers_are none none
	[ "$(skopeo-c manifest-digest v1/manifest.json)" = "$(skopeo manifest-digest v1/manifest.json)" ]
	diff <(skopeo-c inspect dir:v1 | jq -S 'del(.LayersData)') <(skopeo inspect dir:v1 | jq -S 'del(.LayersData)')
	tool 1 skopeo-c copy --preserve-digests dir:v1 dir:d
	head -c 1000 /dev/zero >"v1/$(jq -r '.fsLayers[0].blobSum[7:]' v1/manifest.json)"
	tool 7 skopeo-c copy dir:v1 dir:d
	[ ! -e d ]
}

# platforms LAYOUT PLATFORM…: an index, each image of which has its number as a label; "-" for an
# entry without a platform.
platforms() {
	local layout=$1 i=0

	shift
	rm -rf "$layout"
	for _; do
		oci_image "$layout" "part-$i" "{\"config\":{\"Labels\":{\"n\":\"$i\"}}}" "$BATS_FILE_TMPDIR/second.tar" >/dev/null
		i=$((i + 1))
	done
	/usr/bin/python3 - "$layout" "$@" <<-'END'
		import hashlib, json, sys
		layout, *platforms = sys.argv[1:]
		with open(layout + "/index.json") as file:
		    top = json.load(file)
		entries = []
		for entry, platform in zip(top["manifests"], platforms):
		    del entry["annotations"]
		    architecture, _, variant = platform.partition("/")
		    if platform != "-":
		        entry["platform"] = {"os": "linux", "architecture": architecture, **({"variant": variant} if variant else {})}
		    entries.append(entry)
		index = json.dumps({"schemaVersion": 2, "manifests": entries,
		                    "mediaType": "application/vnd.oci.image.index.v1+json"}).encode()
		digest = hashlib.sha256(index).hexdigest()
		with open(layout + "/blobs/sha256/" + digest, "wb") as file:
		    file.write(index)
		top["manifests"] = [{"mediaType": "application/vnd.oci.image.index.v1+json", "size": len(index),
		                     "digest": "sha256:" + digest, "annotations": {"org.opencontainers.image.ref.name": "all"}}]
		with open(layout + "/index.json", "w") as file:
		    json.dump(top, file)
	END
}

@test "copy: of several variants the same is chosen as by skopeo" {
	local there wanted ours theirs

	for there in "arm/v5 arm/v7" "arm/v7 arm/v8 arm" "arm arm/v6" "amd64/v3" "amd64/v2 amd64" \
		"arm64 arm64/v8" "arm64/v8 arm64" "- -" "- arm64" "arm/v9 arm/v6"; do
		# shellcheck disable=SC2086 # words
		platforms many $there
		for wanted in arm "arm v7" arm64 "arm64 v8" amd64; do
			set -- --override-os linux --override-arch "${wanted% *}"
			[ "$wanted" = "${wanted% *}" ] || set -- "$@" --override-variant "${wanted#* }"
			ours=$(skopeo-c "$@" inspect --config oci:many:all 2>/dev/null | jq -r .config.Labels.n)
			theirs=$(skopeo "$@" inspect --config oci:many:all 2>/dev/null | jq -r .config.Labels.n)
			[ "$ours" = "$theirs" ] || { echo "$there for $wanted: $ours, by skopeo $theirs" && false; }
		done
	done
}

@test "flags: all that is true and false for skopeo" {
	for word in 1 t T TRUE True true; do
		tool skopeo-c inspect "--raw=$word" -n=true "$SRC"
		[ "$(jq .schemaVersion <<<"$output")" = 2 ]
	done
	for word in 0 f F FALSE False false; do
		tool skopeo-c inspect "--raw=$word" "-n=$word" "$SRC"
		jq -e .Digest <<<"$output"
	done
	tool 2 skopeo-c inspect --raw=yes "$SRC"
	tool 2 skopeo-c inspect -n= "$SRC"
}

@test "options of a letter: their values stand behind an = too, as for skopeo" {
	for word in "-f{{.Os}}=" "-f={{.Os}}=" "-nf={{.Os}}="; do
		[ "$(skopeo-c inspect "$word" "$SRC")" = linux= ]
		[ "$(skopeo inspect "$word" "$SRC")" = linux= ]
	done
	tool skopeo-c inspect "-f==" "$SRC"
	[ "$output" = = ]
}
