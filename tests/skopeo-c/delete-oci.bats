# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # what is jq's

load ../helpers
load common

setup_file() {
	file_setup
	mkdir -p "$BATS_FILE_TMPDIR/files"
	for name in base one two; do
		echo "$name" >"$BATS_FILE_TMPDIR/files/$name"
		tar -C "$BATS_FILE_TMPDIR/files" -cf "$BATS_FILE_TMPDIR/$name.tar" "$name"
	done
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# image REF NAME: in the layout l, with the layer that all have and one of its own
image() {
	oci_image l "$1" "{\"author\":\"$2\"}" "$BATS_FILE_TMPDIR/base.tar" "$BATS_FILE_TMPDIR/$2.tar"
}

# There are no blobs but those that the index leads to, and these are whole; [FILE] are there besides.
is_exact() {
	/usr/bin/python3 - "$1" "${@:2}" <<-'END'
		import hashlib, json, os, sys
		layout, *besides = sys.argv[1:]
		needed = set()
		def need(digest):
		    needed.add(digest)
		    with open(f"{layout}/blobs/{digest.replace(':', '/')}", "rb") as file:
		        data = file.read()
		    assert hashlib.sha256(data).hexdigest() == digest[7:], digest
		    return data
		def walk(digest):
		    manifest = json.loads(need(digest))
		    for entry in manifest.get("manifests", []):
		        walk(entry["digest"])
		    for blob in manifest.get("layers", []) + [manifest[k] for k in ("config",) if k in manifest]:
		        need(blob["digest"])
		with open(layout + "/index.json") as file:
		    for entry in json.load(file)["manifests"]:
		        walk(entry["digest"])
		there = {"sha256:" + name for name in os.listdir(layout + "/blobs/sha256")}
		assert besides == ["more"] or there == needed, there ^ needed
	END
}

names() {
	jq -r '[.manifests[].annotations["org.opencontainers.image.ref.name"]] | sort | join(" ")' "$1/index.json"
}

# everything that the layout is
state() {
	find "$1" -type f -exec sha256sum {} + | sort
}

# change_index LAYOUT FILTER [ARGUMENTS]: with jq
change_index() {
	jq "${@:3}" "$2" "$1/index.json" >index.new
	mv index.new "$1/index.json"
}

# put_index LAYOUT REF DIGEST…: an index of these manifests, with that name
put_index() {
	local digest

	printf '%s\n' "${@:3}" | jq -nR '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
		manifests: [inputs | {digest: ., size: 1, mediaType: "application/vnd.oci.image.manifest.v1+json"}]}' >index.blob
	digest=$(sha256sum <index.blob | cut -d ' ' -f 1)
	change_index "$1" '.manifests += [{digest: ("sha256:" + $d), size: $s, mediaType: "application/vnd.oci.image.index.v1+json",
		annotations: {"org.opencontainers.image.ref.name": $r}}]' --arg d "$digest" --arg r "$2" --argjson s "$(stat -c %s index.blob)"
	mv index.blob "$1/blobs/sha256/$digest"
	echo "sha256:$digest"
}

@test "delete oci: an image goes with the blobs that only it has" {
	one=$(image one one)
	image two two
	tool skopeo-c delete oci:l:one
	jq -e --arg d "$one" '.name == "oci:l:one" and .deleted == "manifest" and .digest == $d and .blobs == 3 and .size > 100' <<<"$output"
	is_exact l
	[ "$(names l)" = two ]
	skopeo copy -q oci:l:two dir:d
	tool 3 skopeo-c delete oci:l:one
	error_is not-found "no image of that name"
	# the last one, which needs no name
	tool skopeo-c delete oci:l
	[ -z "$(ls l/blobs/sha256)" ]
	tool 3 skopeo-c delete oci:l
	error_is not-found "holds no image"
	# and it still is a layout
	tool skopeo-c copy dir:d oci:l:again
	is_exact l
}

@test "delete oci: of two names of an image the one alone" {
	image one one
	image two two
	tool skopeo-c copy oci:l:one oci:l:other
	before=$(ls l/blobs/sha256)
	tool skopeo-c delete oci:l:one
	jq -e '.deleted == "tag" and .blobs == 0 and .size == 0' <<<"$output"
	[ "$(ls l/blobs/sha256)" = "$before" ]
	[ "$(names l)" = "other two" ]
	tool skopeo-c delete oci:l:other
	jq -e '.deleted == "manifest" and .blobs == 3' <<<"$output"
	is_exact l
}

@test "delete oci: an index goes with the images that nothing else names" {
	index_image l multi "$BATS_FILE_TMPDIR/base.tar"
	image one one
	child=$(jq -r '.manifests[1].digest' "l/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' l/index.json)")
	put_index l few "$child"
	put_index l nested "$(jq -r '.manifests[0].digest' l/index.json)"
	tool skopeo-c delete oci:l:multi
	jq -e '.deleted == "tag" and .blobs == 0' <<<"$output"
	tool skopeo-c delete oci:l:nested
	jq -e '.deleted == "manifest" and .blobs == 6' <<<"$output"
	is_exact l
	tool skopeo-c delete oci:l:few
	jq -e '.blobs == 3' <<<"$output"
	is_exact l
	skopeo copy -q oci:l:one dir:d
}

@test "delete oci: an index that was copied without its images" {
	index_image l multi "$BATS_FILE_TMPDIR/base.tar"
	tool skopeo-c copy --multi-arch index-only oci:l:multi oci:m:sparse
	oci_image m one '{}' "$BATS_FILE_TMPDIR/one.tar"
	tool skopeo-c delete oci:m:one
	jq -e '.blobs == 3' <<<"$output"
	tool skopeo-c delete oci:m:sparse
	jq -e '.blobs == 1' <<<"$output"
	[ -z "$(ls m/blobs/sha256)" ]
}

@test "delete oci: which image is meant has to be clear" {
	tool 3 skopeo-c delete oci:l:one
	tool 2 skopeo-c delete oci:
	image one one
	two=$(image two two)
	before=$(state l)
	tool 2 skopeo-c delete oci:l
	error_is usage "holds 2 images"
	tool 3 skopeo-c delete oci:l:@2
	[ "$(state l)" = "$before" ]
	change_index l '.manifests[].annotations["org.opencontainers.image.ref.name"] = "same"'
	before=$(state l)
	tool 2 skopeo-c delete oci:l:same
	error_is usage "several images of that name"
	[ "$(state l)" = "$before" ]
	tool skopeo-c delete oci:l:@1
	jq -e --arg d "$two" '.digest == $d' <<<"$output"
	is_exact l
	# twice the same is one
	change_index l '.manifests += .manifests'
	tool skopeo-c delete oci:l:same
	[ -z "$(names l)$(ls l/blobs/sha256)" ]
}

@test "delete oci: nothing goes while it is not known what other images need" {
	one=$(image one one)
	two=$(image two two)
	cp -a l good
	mv "l/blobs/sha256/${two#*:}" two
	before=$(state l)
	tool 3 skopeo-c delete oci:l:one
	error_is not-found "$two is missing"
	[ "$(state l)" = "$before" ]
	tool 3 skopeo-c delete oci:l:two
	sed s/2/3/ two >"l/blobs/sha256/${two#*:}"
	before=$(state l)
	tool 7 skopeo-c delete oci:l:one
	error_is integrity
	ln -sf "$PWD/two" "l/blobs/sha256/${two#*:}"
	tool 7 skopeo-c delete oci:l:one
	rm "l/blobs/sha256/${two#*:}"
	[ "$(state l)" = "$(grep -v "${two#*:}" <<<"$before")" ]
	# one below an index that is there and wrong
	cp -a good m
	put_index m multi "$two"
	change_index m '.manifests |= map(select(.digest != $d))' --arg d "$two"
	echo '{}' >"m/blobs/sha256/${two#*:}"
	before=$(state m)
	tool 7 skopeo-c delete oci:m:one
	[ "$(state m)" = "$before" ]
}

@test "delete oci: a hostile layout leads nowhere else" {
	one=$(image one one)
	image two two
	echo keep >keep
	before=$(state l)
	cp l/index.json index.good
	for digest in sha256:../../../keep ../../keep sha256:/etc/passwd ""; do
		for position in 0 1; do
			change_index l '.manifests[$p].digest = $d' --arg d "$digest" --argjson p "$position"
			tool 7 skopeo-c delete oci:l:one
			error_is integrity
			cp index.good l/index.json
		done
	done
	[ "$(state l)" = "$before" ]
	# a layer that is a link: what it leads to stays
	layer=$(jq -r '.layers[1].digest[7:]' "l/blobs/sha256/${one#*:}")
	ln -sf "$PWD/keep" "l/blobs/sha256/$layer"
	tool skopeo-c delete oci:l:one
	[ "$(cat keep)" = keep ]
	is_exact l
	mv l/blobs/sha256 elsewhere
	ln -s "$PWD/elsewhere" l/blobs/sha256
	before=$(ls elsewhere)
	tool 7 skopeo-c delete oci:l:two
	[ "$(ls elsewhere)" = "$before" ]
	[ "$(names l)" = two ]
}

@test "delete oci: indexes in indexes are bounded" {
	digest=$(image one one)
	for depth in {1..8}; do
		digest=$(put_index l "deep-$depth" "$digest")
	done
	tool skopeo-c delete oci:l:deep-1
	put_index l deep-9 "$digest"
	change_index l '.manifests |= map(select(.annotations[] | . == "one" or . == "deep-9"))'
	before=$(state l)
	tool 9 skopeo-c delete oci:l:one
	error_is limit "deeper than 8 levels"
	[ "$(state l)" = "$before" ]
}

@test "delete oci: blobs that layouts share stay" {
	image one one
	skopeo copy -q --dest-shared-blob-dir shared oci:l:one oci:m:one
	before=$(state shared)
	tool 3 skopeo-c delete oci:m:one
	error_is not-found "is missing"
	tool 3 skopeo-c delete --shared-blob-dir none oci:m:one
	tool skopeo-c delete --shared-blob-dir shared oci:m:one
	jq -e '.deleted == "tag" and .blobs == 0' <<<"$output"
	[ "$(state shared)" = "$before" ]
	[ -z "$(names m)" ]
}

@test "delete oci: what it does not take" {
	image one one
	tool 2 skopeo-c delete --all-tags oci:l:one
	error_is usage "--all-tags is for docker://"
	tool 2 skopeo-c delete --daemon-host unix:///x oci:l:one
	error_is usage "nothing can be deleted"
	# the store has locks of its own
	tool skopeo-c copy oci:l:one store:one
	tool 5 skopeo-c delete "oci:$OCID_ROOT/images:docker.io/library/one:latest"
	error_is in-use "images of the store"
	tool skopeo-c inspect store:one
}

@test "delete oci: a kill leaves nothing but blobs without a name" {
	local killed=0 call when

	export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 # it cannot be traced

	image one one
	image two two
	cp -a l good
	for call in fsync renameat unlinkat; do
		for when in 1 2 3 4; do
			rm -rf l
			cp -a good l
			timeout 60 strace -f -o /dev/null -e "inject=$call:signal=KILL:when=$when" skopeo-c delete oci:l:one >/dev/null 2>&1 ||
				{ [ "$?" -eq 137 ] && killed=$((killed + 1)); }
			is_exact l more
			skopeo copy -q oci:l:two "dir:d-$call-$when"
			if [[ $(names l) == *one* ]]; then
				tool skopeo-c delete oci:l:one
			else
				tool 3 skopeo-c delete oci:l:one
			fi
			tool skopeo-c copy oci:good:one oci:l:one
			is_exact l
		done
	done
	echo "$killed killed"
	[ "$killed" -ge 5 ]
}

@test "delete oci: waits for a copy that has found blobs there and not named them yet" {
	local copy copied delete

	export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 # it cannot be traced

	image one one
	# it stops before it writes the index
	timeout 60 strace -f -o log -e inject=fsync:signal=STOP:when=1 \
		skopeo-c copy oci:l:one oci:l:new >/dev/null 2>&1 3>&- &
	copy=$!
	wait_for 20 grep -q 'stopped by SIGSTOP' log
	[ "$(names l)" = one ]
	timeout 60 skopeo-c --log-level info delete oci:l:one >deleted 2>waits 3>&- &
	delete=$!
	wait_for 20 grep -q "waiting for copies" waits
	[ "$(names l)" = one ]
	copied=$(awk '/stopped by SIGSTOP/ { print $1; exit }' log)
	kill -CONT "$copied"
	wait "$copy"
	wait "$delete"
	jq -e '.deleted == "tag" and .blobs == 0' deleted
	[ "$(names l)" = new ]
	is_exact l
}

@test "delete oci: copies at the same time lose nothing" {
	local i pids pid

	oci_image s one '{"author":"one"}' "$BATS_FILE_TMPDIR/base.tar" "$BATS_FILE_TMPDIR/one.tar"
	oci_image s two '{"author":"two"}' "$BATS_FILE_TMPDIR/base.tar" "$BATS_FILE_TMPDIR/two.tar"
	tool skopeo-c copy oci:s:one oci:l:one-0
	tool skopeo-c copy oci:s:two oci:l:two-0
	for i in {1..8}; do
		pids=()
		for name in one two; do
			timeout 60 skopeo-c copy "oci:s:$name" "oci:l:$name-$i" >/dev/null 3>&- &
			pids+=($!)
			timeout 60 skopeo-c delete "oci:l:$name-$((i - 1))" >/dev/null 3>&- &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do
			wait "$pid"
		done
		is_exact l
		[ "$(names l)" = "one-$i two-$i" ]
	done
	skopeo copy -q oci:l:one-8 dir:one
	skopeo copy -q oci:l:two-8 dir:two
}
