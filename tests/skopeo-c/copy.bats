# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # jq's variables

load ../helpers
load common

setup_file() {
	file_setup
	registry_start
	liar_start
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	tar -C "$TESTS" --mtime=@0 -cf "$BATS_FILE_TMPDIR/second.tar" helpers.bash
	oci_image "$BATS_FILE_TMPDIR/oci" v1 '{"config":{"Labels":{"a":"b"},"Cmd":["sh"]}}' \
		"$BATS_FILE_TMPDIR/base.tar" "$BATS_FILE_TMPDIR/second.tar" >"$BATS_FILE_TMPDIR/digest"
	index_image "$BATS_FILE_TMPDIR/multi" v1 "$BATS_FILE_TMPDIR/base.tar" >"$BATS_FILE_TMPDIR/multi.digest"
	skopeo copy -q --dest-tls-verify=false "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$REGISTRY/theirs/image:v1"
	skopeo copy -q --dest-tls-verify=false --format v2s2 "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$REGISTRY/theirs/docker:v1"
	skopeo copy -q --all --dest-tls-verify=false "oci:$BATS_FILE_TMPDIR/multi:v1" "docker://$REGISTRY/theirs/multi:v1"
}

teardown_file() {
	liar_stop
	file_teardown
}

copy() {
	tool skopeo-c copy --tls-verify=false "$@"
}

digest_of() { # IMAGE, as skopeo sees it
	skopeo inspect --raw --tls-verify=false "$1" | sha256sum | sed 's/^/sha256:/; s/ .*//'
}

@test "copy: the digest stays the same on a way through every transport, and skopeo reads each" {
	digest=$(cat "$BATS_FILE_TMPDIR/digest")
	cd "$BATS_TEST_TMPDIR"
	copy "docker://$REGISTRY/theirs/image:v1" oci:one:a
	copy oci:one:a dir:two
	copy dir:two store:way
	copy store:way "docker://$REGISTRY/ours/image:v1"
	copy "docker://$REGISTRY/ours/image:v1" "docker://$REGISTRY/ours/again:v1"
	copy "docker://$REGISTRY/ours/again:v1" dir:three
	copy store:way oci:four
	for image in oci:one:a dir:two "docker://$REGISTRY/ours/image:v1" "docker://$REGISTRY/ours/again:v1" dir:three oci:four; do
		[ "$(digest_of "$image")" = "$digest" ]
		skopeo copy -q --src-tls-verify=false "$image" "dir:read-by-skopeo"
		rm -r read-by-skopeo
	done
	diff -r two three
	nothing_unfinished .
}

@test "copy: reads what skopeo wrote" {
	cd "$BATS_TEST_TMPDIR"
	skopeo copy -q "oci:$BATS_FILE_TMPDIR/oci:v1" dir:theirs-dir
	skopeo copy -q "oci:$BATS_FILE_TMPDIR/oci:v1" oci:theirs-oci:name/with:tag
	copy dir:theirs-dir oci:a:x
	copy oci:theirs-oci:name/with:tag dir:b
	diff -r --exclude=version theirs-dir b
	[ "$(digest_of oci:a:x)" = "$(cat "$BATS_FILE_TMPDIR/digest")" ]
}

@test "copy: a Docker manifest stays the one it is" {
	cd "$BATS_TEST_TMPDIR"
	digest=$(digest_of "docker://$REGISTRY/theirs/docker:v1")
	copy "docker://$REGISTRY/theirs/docker:v1" store:docker-kind
	[ "$(jq -r .image.descriptor.mediaType <<<"$output")" = application/vnd.docker.distribution.manifest.v2+json ]
	copy store:docker-kind oci:o:x
	copy oci:o:x "docker://$REGISTRY/ours/docker:v1"
	[ "$(digest_of "docker://$REGISTRY/ours/docker:v1")" = "$digest" ]
	[ "$(jq -r '.manifests[0].digest' o/index.json)" = "$digest" ]
	copy oci:o:x dir:d
	skopeo copy -q dir:d dir:e
	diff -r d e
}

@test "copy: --all takes an index with all its images" {
	cd "$BATS_TEST_TMPDIR"
	digest=$(cat "$BATS_FILE_TMPDIR/multi.digest")
	copy --all "docker://$REGISTRY/theirs/multi:v1" oci:o:x
	copy -a oci:o:x dir:d
	copy --all dir:d store:multi
	copy --all store:multi "docker://$REGISTRY/ours/multi:v1"
	copy --all "docker://$REGISTRY/ours/multi:v1" "docker://$REGISTRY/ours/multi-again:v1"
	[ "$(digest_of "docker://$REGISTRY/ours/multi-again:v1")" = "$digest" ]
	[ "$(digest_of oci:o:x)" = "$digest" ]
	[ "$(digest_of dir:d)" = "$digest" ]
	skopeo copy -q --all --src-tls-verify=false "docker://$REGISTRY/ours/multi-again:v1" dir:e
	diff -r --exclude=version d e
	skopeo copy -q --all dir:d oci:f:x
	skopeo copy -q --all oci:o:x dir:g
}

@test "copy: without --all an index gives the image of this platform, or the one asked for" {
	cd "$BATS_TEST_TMPDIR"
	copy "docker://$REGISTRY/theirs/multi:v1" oci:o:x
	[ "$(skopeo inspect oci:o:x | jq -r .Architecture)" = "$(skopeo inspect "oci:$BATS_FILE_TMPDIR/multi:v1" | jq -r .Architecture)" ]
	[ "$(jq -r '.image.config.architecture' <<<"$output")" = amd64 ]
	copy --override-arch arm64 "docker://$REGISTRY/theirs/multi:v1" oci:o:arm
	[ "$(jq -r '.image.config.architecture' <<<"$output")" = arm64 ]
	[ "$(jq '.manifests | length' o/index.json)" -eq 2 ]
	tool 3 skopeo-c copy --override-arch mips "oci:$BATS_FILE_TMPDIR/multi:v1" oci:none:x
	error_is not-found "linux/mips"
	[ ! -e none ]
}

@test "copy: of equal entries of an index the one that is marked as zstd is chosen, as by skopeo" {
	local kind blob

	cd "$BATS_TEST_TMPDIR"
	mkdir index
	echo 'Directory Transport Version: 1.1' >index/version
	for kind in gzip zstd; do
		oci_image two $kind "{\"author\":\"$kind\"}" "$BATS_FILE_TMPDIR/base.tar" >/dev/null
	done
	for blob in two/blobs/sha256/*; do
		cp "$blob" index/
		cp "$blob" "index/${blob##*/}.manifest.json"
	done
	# the second one is marked
	chosen() { # WANTED FILTER
		jq -c '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests:
			[.manifests[] | {mediaType, digest, size, platform: {os: "linux", architecture: "amd64"}}]} |
			.manifests[1].annotations["io.github.containers.compression.zstd"] = "true" | '"$2" two/index.json >index/manifest.json
		copy --platform linux/amd64 dir:index oci:out:x
		[ "$(jq -r .image.config.author <<<"$output")" = "$1" ]
		tool skopeo-c inspect --config --platform linux/amd64 dir:index
		[ "$(jq -r .author <<<"$output")" = "$1" ]
	}
	chosen zstd .
	chosen zstd '.manifests |= reverse'
	chosen zstd 'del(.manifests[].platform)'
	chosen gzip '.manifests[1].annotations[] = "yes"'
	chosen gzip '.manifests[1].platform.variant = "v2"'
	chosen gzip '.mediaType = "application/vnd.docker.distribution.manifest.list.v2+json"'
	# who reads an index of which only that is there chooses it, too
	chosen zstd .
	copy --multi-arch linux/amd64 --preserve-digests dir:index store:zstd:x
	tool ctr-store check
	tool ctr-store image zstd:x
	[ "$(jq -r .image.config.author <<<"$output")" = zstd ]
}

@test "copy: prints the document's image field" {
	copy "docker://$REGISTRY/theirs/image:v1" store:
	jq -e --arg digest "$(cat "$BATS_FILE_TMPDIR/digest")" --arg name "$REGISTRY/theirs/image:v1" '
		.image.name == $name and .image.descriptor.digest == $digest and .image.config.config.Cmd == ["sh"]
		and (.image.manifest.layers | length) == 2 and (keys == ["image"])' <<<"$output"
	/usr/bin/python3 -c 'import json, jsonschema, sys
jsonschema.validate(json.loads(sys.argv[1]), json.load(open(sys.argv[2])))' "$output" "$TESTS/../man/document.schema.json"
	image=$output
	copy "docker://$REGISTRY/theirs/image:v1" store:by/another:name
	[ "$(jq -r .image.name <<<"$output")" = docker.io/by/another:name ]
	copy store:by/another:name "dir:$BATS_TEST_TMPDIR/d"
	[ "$(jq -c 'del(.image.name)' <<<"$output")" = "$(jq -c 'del(.image.name)' <<<"$image")" ]
}

@test "copy: to store: without a name takes the source's, and says when there is none" {
	cd "$BATS_TEST_TMPDIR"
	skopeo copy -q "oci:$BATS_FILE_TMPDIR/oci:v1" oci:o:quay.io/some/name:v3
	copy oci:o:quay.io/some/name:v3 store:
	[ "$(jq -r .image.name <<<"$output")" = quay.io/some/name:v3 ]
	tool 2 skopeo-c copy "oci:$BATS_FILE_TMPDIR/oci:v1" store:
	error_is usage "store:NAME"
	digest=$(cat "$BATS_FILE_TMPDIR/digest")
	copy "docker://$REGISTRY/theirs/image:ignored@$digest" store:
	[ "$(jq -r .image.name <<<"$output")" = "$REGISTRY/theirs/image@$digest" ]
}

@test "copy: the store is an OCI layout that skopeo reads" {
	copy "docker://$REGISTRY/theirs/image:v1" store:layout
	[ "$(digest_of "oci:$OCID_ROOT/images:docker.io/library/layout:latest")" = "$(cat "$BATS_FILE_TMPDIR/digest")" ]
	for blob in "$OCID_ROOT"/images/blobs/sha256/*; do
		[ "$(sha256sum <"$blob" | cut -d ' ' -f 1)" = "$(basename "$blob")" ]
		[ "$(stat -c %a "$blob")" = 644 ]
	done
}

@test "copy: store: names are found as they are typed" {
	copy "docker://$REGISTRY/theirs/image:v1" store:found/by:tag
	for name in docker.io/found/by:tag found/by:tag by:tag "found/by@$(cat "$BATS_FILE_TMPDIR/digest")"; do
		copy "store:$name" "dir:$BATS_TEST_TMPDIR/d"
	done
	tool 3 skopeo-c copy store:found/by:none "dir:$BATS_TEST_TMPDIR/e"
	error_is not-found
	[ ! -e "$BATS_TEST_TMPDIR/e" ]
}

@test "copy: a second copy moves nothing" {
	copy "docker://$REGISTRY/theirs/image:v1" "docker://$LIAR/takes/image:v1"
	: >"$LIAR_LOG"
	copy "docker://$REGISTRY/theirs/image:v1" "docker://$LIAR/takes/image:v1"
	[ "$(cut -d ' ' -f 2-3 "$LIAR_LOG" | sort | uniq -c | wc -l)" -eq 1 ]
	grep -q "HEAD /v2/takes/image/manifests/v1" "$LIAR_LOG"
	cd "$BATS_TEST_TMPDIR"
	copy "docker://$REGISTRY/theirs/image:v1" oci:o:x
	find o -printf '%p %i %s %T@ %C@\n' >before
	copy "docker://$REGISTRY/theirs/image:v1" oci:o:x
	find o -printf '%p %i %s %T@ %C@\n' | diff before -
}

@test "copy: blobs that a destination has are not sent again" {
	copy "docker://$REGISTRY/theirs/image:v1" "docker://$LIAR/takes/one:v1"
	: >"$LIAR_LOG"
	copy "docker://$REGISTRY/theirs/image:v1" "docker://$LIAR/takes/one:v2"
	run ! grep -E "(POST|PUT) .*/blobs/" "$LIAR_LOG"
	grep -q "PUT /v2/takes/one/manifests/v2" "$LIAR_LOG"
}

@test "copy: within a registry blobs are mounted, not sent" {
	copy --events 3 "docker://$REGISTRY/theirs/image:v1" "docker://$REGISTRY/mounted/image:v1" 3>"$BATS_TEST_TMPDIR/events"
	[ "$(jq -s '[.[] | select(.event == "blob" and .state == "started")] | length' "$BATS_TEST_TMPDIR/events")" -eq 0 ]
	[ "$(digest_of "docker://$REGISTRY/mounted/image:v1")" = "$(cat "$BATS_FILE_TMPDIR/digest")" ]
}

@test "copy: upload locations may be relative with a query, or absolute" {
	for lie in takes takes-absolute; do
		copy "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$LIAR/$lie/up-$lie:v1"
		copy "docker://$LIAR/$lie/up-$lie:v1" "dir:$BATS_TEST_TMPDIR/$lie"
	done
	diff -r "$BATS_TEST_TMPDIR/takes" "$BATS_TEST_TMPDIR/takes-absolute"
}

@test "copy: --events tells of the image, then of every layer, and the document comes last" {
	tool skopeo-c copy --tls-verify=false --events 1 "docker://$REGISTRY/theirs/image:v1" "oci:$BATS_TEST_TMPDIR/o:x"
	jq -se --arg digest "$(cat "$BATS_FILE_TMPDIR/digest")" '
		.[0].event == "image" and .[0].image.descriptor.digest == $digest
		and (.[-1].image == .[0].image) and (.[-1] | has("event") | not)
		and ([.[1:-1][] | select(.event != "blob")] == [])
		and ([.[0].image.manifest.layers[].digest] - [.[1:-1][] | select(.state == "done") | .digest] == [])
		and ([.[1:-1][] | select(.state == "done") | .offset == .size] | all)' <<<"$output"
	tool skopeo-c copy --tls-verify=false --events 1 "docker://$REGISTRY/theirs/image:v1" "oci:$BATS_TEST_TMPDIR/o:x"
	jq -se '[.[1:-1][] | select(.digest as $d | $d != null) | .state] | unique == ["present"]' <<<"$output"
}

@test "copy: layers come while the registry takes its time over the config, and are told of after the image" {
	tool skopeo-c copy --tls-verify=false --events 1 "docker://$LIAR/late-config/x:v1" "oci:$BATS_TEST_TMPDIR/o:x"
	jq -se 'map(.event // "end") | .[0] == "image" and .[-1] == "end" and (.[1:-1] | unique) == ["blob"]' <<<"$output"
	jq -se 'map(select(.event == "blob") | .state) | .[0] == "started" and .[-1] == "done"' <<<"$output"
}

@test "copy: every \"done\" is told after the blob is in place" {
	mkfifo "$BATS_TEST_TMPDIR/events"
	while read -r line; do
		[ "$(jq -r .state <<<"$line")" = "done" ] || continue
		digest=$(jq -r '.digest' <<<"$line")
		echo "$digest $(sha256sum <"$BATS_TEST_TMPDIR/o/blobs/sha256/${digest#sha256:}")"
	done <"$BATS_TEST_TMPDIR/events" >"$BATS_TEST_TMPDIR/seen" 3>&- &
	timeout 60 skopeo-c copy --tls-verify=false --events 3 "docker://$LIAR/slow-blob/x:v1" "oci:$BATS_TEST_TMPDIR/o:x" 3>"$BATS_TEST_TMPDIR/events" >/dev/null
	wait
	awk '$1 != "sha256:" $2 { exit 1 } END { exit NR != 1 }' "$BATS_TEST_TMPDIR/seen"
}

@test "copy: --events on a descriptor that is not open, or is closed on us" {
	tool 2 skopeo-c copy --events 77 "oci:$BATS_FILE_TMPDIR/oci:v1" "dir:$BATS_TEST_TMPDIR/d"
	error_is usage
	run --separate-stderr bash -c 'skopeo-c copy --events 3 "$1" "$2" 3> >(exec 0<&-; exec true) >/dev/null; echo $?' \
		- "docker://$LIAR/slow-blob/x:v1" "dir:$BATS_TEST_TMPDIR/d"
	[[ $stderr != *"Broken pipe"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/d/manifest.json" ]
}

@test "copy: a reader that is gone gets no document, the image is there" {
	jq -n '{config: {Labels: {long: ("x" * 100000)}}}' >"$BATS_TEST_TMPDIR/config.json"
	run --separate-stderr bash -c 'skopeo-c copy --tarball-config "$1" "$2" store:unread | true; echo "${PIPESTATUS[0]}"' \
		- "$BATS_TEST_TMPDIR/config.json" "tarball:$BATS_FILE_TMPDIR/base.tar"
	[ -z "$stderr" ]
	[ "$output" -eq 141 ]
	[ -z "$(ls -A "$OCID_ROOT/tmp")" ]
	tool skopeo-c inspect store:unread
}

@test "copy: --digestfile, --quiet, --preserve-digests" {
	copy --quiet --preserve-digests --digestfile "$BATS_TEST_TMPDIR/digest" "oci:$BATS_FILE_TMPDIR/oci:v1" "dir:$BATS_TEST_TMPDIR/d"
	[ "$(cat "$BATS_TEST_TMPDIR/digest")" = "$(cat "$BATS_FILE_TMPDIR/digest")" ]
	[ -z "$stderr" ]
}

@test "copy: progress bars on a terminal only, and not with --quiet" {
	timeout --foreground 60 script -qec "skopeo-c copy --tls-verify=false docker://$LIAR/slow-blob/x:v1 dir:$BATS_TEST_TMPDIR/a 2>&1 >/dev/null" /dev/null >"$BATS_TEST_TMPDIR/log"
	grep -q '=.*MiB' "$BATS_TEST_TMPDIR/log"
	grep -q 'copied' "$BATS_TEST_TMPDIR/log"
	timeout --foreground 60 script -qec "skopeo-c copy -q --tls-verify=false docker://$LIAR/good/x:v1 dir:$BATS_TEST_TMPDIR/b 2>&1 >/dev/null" /dev/null >"$BATS_TEST_TMPDIR/log"
	[ ! -s "$BATS_TEST_TMPDIR/log" ]
}

@test "copy: dir: replaces an earlier image and leaves other directories alone" {
	cd "$BATS_TEST_TMPDIR"
	copy "oci:$BATS_FILE_TMPDIR/oci:v1" dir:d
	copy --override-arch arm64 "oci:$BATS_FILE_TMPDIR/multi:v1" dir:d
	copy --override-arch arm64 "oci:$BATS_FILE_TMPDIR/multi:v1" dir:fresh
	diff -r d fresh
	mkdir other
	touch other/file
	tool 4 skopeo-c copy "oci:$BATS_FILE_TMPDIR/oci:v1" dir:other
	error_is exists "holds other files"
	[ "$(ls other)" = file ]
}

@test "copy: to a digest that is not the image's is refused" {
	tool 2 skopeo-c copy --tls-verify=false "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$REGISTRY/ours/x@sha256:$(printf 0%.0s {1..64})"
	error_is usage "has the digest"
	copy "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$REGISTRY/ours/x@$(cat "$BATS_FILE_TMPDIR/digest")"
}

@test "copy: an image in a registry needs no tag" {
	copy "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$REGISTRY/ours/tagless@@unknown-digest@@"
	copy --all "docker://$REGISTRY/theirs/multi:v1" "docker://$REGISTRY/ours/tagless@@unknown-digest@@"
	for digest in "$(cat "$BATS_FILE_TMPDIR/digest")" "$(cat "$BATS_FILE_TMPDIR/multi.digest")"; do
		[ "$(digest_of "docker://$REGISTRY/ours/tagless@$digest")" = "$digest" ]
	done
	jq -e '(.tags // []) == []' <(curl -s "http://$REGISTRY/v2/ours/tagless/tags/list")
	tool 2 skopeo-c copy --tls-verify=false "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$REGISTRY/ours/x:v1@@unknown-digest@@"
	error_is usage "a tag or a digest"
	tool 2 skopeo-c copy --tls-verify=false "docker://$REGISTRY/ours/tagless@@unknown-digest@@" "dir:$BATS_TEST_TMPDIR/d"
	error_is usage "destination"
	tool 2 skopeo-c copy --tls-verify=false --sign-by nobody "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$REGISTRY/ours/x@@unknown-digest@@"
	error_is usage "has no tag to sign for"
}

@test "copy: several layers of one digest, no layers, sha512, unknown fields" {
	cd "$BATS_TEST_TMPDIR"
	cp -r "$BATS_FILE_TMPDIR/oci" strange
	/usr/bin/python3 - <<-'END'
		import hashlib, json
		def put(data, algorithm="sha256"):
		    import os
		    digest = hashlib.new(algorithm, data).hexdigest()
		    os.makedirs("strange/blobs/" + algorithm, exist_ok=True)
		    open(f"strange/blobs/{algorithm}/{digest}", "wb").write(data)
		    return {"digest": f"{algorithm}:{digest}", "size": len(data)}
		config = dict(put(b"{}"), mediaType="application/vnd.oci.empty.v1+json", data="e30=")
		layer = dict(put(b"some bytes", "sha512"), mediaType="application/x-anything", unknown=[1])
		empty = dict(put(b""), mediaType="application/x-empty")
		entries = []
		for name, layers in ("same", [layer, layer, empty]), ("none", []):
		    data = json.dumps({"schemaVersion": 2, "config": config, "layers": layers,
		                       "artifactType": "application/x-test", "new-field": {"a": 1}}).encode()
		    entries.append(dict(put(data), mediaType="application/vnd.oci.image.manifest.v1+json",
		                        annotations={"org.opencontainers.image.ref.name": name}))
		json.dump({"schemaVersion": 2, "manifests": entries}, open("strange/index.json", "w"))
	END
	for name in same none; do
		copy "oci:strange:$name" "docker://$LIAR/takes/$name:v1"
		copy "docker://$LIAR/takes/$name:v1" "store:strange-$name"
		copy "store:strange-$name" "oci:out:$name"
		copy "oci:out:$name" "dir:dir-$name"
		cmp "dir-$name/manifest.json" <(skopeo-c inspect --raw "oci:strange:$name")
	done
	diff -r strange/blobs/sha512 out/blobs/sha512
	sed -i 's/"sha256:/"sha384:/' strange/index.json
	tool 10 skopeo-c copy oci:strange:same dir:d
	error_is unsupported '"sha384:'
	[ -e out/blobs/sha256/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 ]
}

@test "copy: many copies into one layout at once lose nothing" {
	cd "$BATS_TEST_TMPDIR"
	for n in 1 2 3 4 5 6 7 8; do
		timeout 60 skopeo-c copy -q "oci:$BATS_FILE_TMPDIR/oci:v1" "oci:many:n$n" >/dev/null 3>&- &
	done
	wait
	[ "$(jq '.manifests | length' many/index.json)" -eq 8 ]
	nothing_unfinished many
}

@test "copy: an index that could not be read again is not written" {
	cp -r "$BATS_FILE_TMPDIR/oci" "$BATS_TEST_TMPDIR/o"
	jq -c '.manifests[0].annotations["org.example.filler"] = "x" * (16 * 1024 * 1024 - 1000)' "$BATS_FILE_TMPDIR/oci/index.json" \
		>"$BATS_TEST_TMPDIR/o/index.json"
	copy "oci:$BATS_FILE_TMPDIR/oci:v1" "oci:$BATS_TEST_TMPDIR/o:v2"
	cp "$BATS_TEST_TMPDIR/o/index.json" "$BATS_TEST_TMPDIR/before"
	tool 9 skopeo-c copy "oci:$BATS_FILE_TMPDIR/oci:v1" "oci:$BATS_TEST_TMPDIR/o:$(printf 'v%0900d' 3)"
	error_is limit "would be larger than 16 MiB"
	cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/o/index.json"
}

@test "copy: usage errors" {
	tool 2 skopeo-c copy "oci:$BATS_FILE_TMPDIR/oci:v1"
	error_is usage
	tool 2 skopeo-c copy "oci:$BATS_FILE_TMPDIR/oci:v1" tarball:x.tar
	error_is usage "only be a source"
	# no registry is asked before
	tool 2 skopeo-c copy docker://127.0.0.1:1/x image.tar
	error_is usage "does not begin with a transport"
	tool 2 skopeo-c copy --creds a:b "docker://$REGISTRY/a" "docker://$REGISTRY/b"
	error_is usage "--src-creds"
	tool 2 skopeo-c copy --creds :nouser "docker://$REGISTRY/a" "dir:$BATS_TEST_TMPDIR/d"
	error_is usage "USER:PASSWORD"
	tool 2 skopeo-c copy --tarball-config x "docker://$REGISTRY/a" "dir:$BATS_TEST_TMPDIR/d"
	error_is usage
}
