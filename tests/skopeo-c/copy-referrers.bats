# SPDX-License-Identifier: Apache-2.0
# Signatures, attestations, SBOMs and other referrers that go with an image.

load ../helpers
load common
load signing

MANIFEST=application/vnd.oci.image.manifest.v1+json
INDEX=application/vnd.oci.image.index.v1+json

setup_file() {
	file_setup
	registry_start # has no API for referrers
	signing_registry_start
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	oci_image "$BATS_FILE_TMPDIR/oci" v1 '{}' "$BATS_FILE_TMPDIR/base.tar"
}

teardown_file() {
	signing_registry_stop
	registry_stop
	file_teardown
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# copy [STATUS] OPTION... SOURCE DESTINATION
copy() {
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	tool "$expected" skopeo-c copy -q --tls-verify=false "$@"
}

# image REPOSITORY: an image as v1 in the registry with the API; prints its digest
image() {
	skopeo-c copy --tls-verify=false "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$SIGNING/$1:v1" |
		jq -r .image.descriptor.digest
}

# put REPOSITORY NAME FILE [TYPE]: a manifest; prints its digest
put() {
	curl -fs -X PUT -H "Content-Type: ${4:-$MANIFEST}" --data-binary "@$3" "http://$SIGNING/v2/$1/manifests/$2"
	digest "$3"
}

digest() {
	sha256sum "$1" | sed 's/^/sha256:/; s/ .*//'
}

# blob REPOSITORY TEXT: a small blob; prints its descriptor
blob() {
	local location file=$BATS_TEST_TMPDIR/blob

	printf %s "$2" >"$file"
	location=$(curl -fsi -X POST "http://$SIGNING/v2/$1/blobs/uploads/" | sed -n 's/\r//; s/^Location: //p')
	curl -fs -X PUT --data-binary "@$file" "http://$SIGNING$location?digest=$(digest "$file")"
	jq -nc --arg digest "$(digest "$file")" --argjson size "${#2}" \
		'{mediaType: "application/x-note", $digest, $size}'
}

# artifact REPOSITORY SUBJECT TEXT [NAME]: a manifest with one layer, about SUBJECT unless that is
# empty, under NAME or its digest; prints its digest
artifact() {
	jq -nc --argjson config "$(blob "$1" '{}')" --argjson layer "$(blob "$1" "$3")" --arg subject "$2" \
		--arg type "$MANIFEST" '{schemaVersion: 2, mediaType: $type, artifactType: "application/x-note", $config,
		layers: [$layer]} + if $subject == "" then {} else {subject: {mediaType: $type, digest: $subject, size: 1}} end' \
		>artifact.json
	put "$1" "${4:-$(digest artifact.json)}" artifact.json
}

# layer_text REGISTRY/REPOSITORY NAME: the first layer of what is there, read without our tools
layer_text() {
	local url=http://${1%%/*}/v2/${1#*/}

	curl -fs "$url/blobs/$(curl -fs -H "Accept: $MANIFEST" "$url/manifests/$2" | jq -r '.layers[0].digest')"
}

# listed REGISTRY/REPOSITORY SUBJECT: the digests in the list that the API gives, or else the tag
listed() {
	local url=http://${1%%/*}/v2/${1#*/}

	{ curl -fs "$url/referrers/$2" || curl -fs -H "Accept: $INDEX" "$url/manifests/${2/:/-}"; } |
		jq -r '.manifests[].digest' | sort | xargs
}

sorted() {
	printf '%s\n' "$@" | sort | xargs
}

@test "copy: --with-referrers carries the graph and cosign's tags, by the API and by tags" {
	image=$(image a/x)
	sbom=$(artifact a/x "$image" "an SBOM")
	scan=$(artifact a/x "$image" "a scan")
	about=$(artifact a/x "$sbom" "about the SBOM")
	tag=${image/:/-}
	for suffix in sig att sbom; do
		artifact a/x "" "a tag's $suffix" "$tag.$suffix"
	done
	copy "docker://$SIGNING/a/x:v1" "docker://$REGISTRY/plain/x:v1"
	[ -z "$(listed "$REGISTRY/plain/x" "$image")" ]
	# to a registry without the API, and on to one with it
	copy --with-referrers "docker://$SIGNING/a/x:v1" "docker://$REGISTRY/a/x:v1"
	copy --with-referrers "docker://$REGISTRY/a/x:v1" "docker://$SIGNING/b/x:v1"
	for there in "$REGISTRY/a/x" "$SIGNING/b/x"; do
		[ "$(listed "$there" "$image")" = "$(sorted "$sbom" "$scan")" ]
		[ "$(listed "$there" "$sbom")" = "$about" ]
		[ "$(layer_text "$there" "$about")" = "about the SBOM" ]
		for suffix in sig att sbom; do
			[ "$(layer_text "$there" "$tag.$suffix")" = "a tag's $suffix" ]
		done
	done
	curl -fs -H "Accept: $INDEX" "http://$REGISTRY/v2/a/x/manifests/$tag" |
		jq -e '.mediaType == "'$INDEX'" and all(.manifests[]; .artifactType == "application/x-note")'
	# nothing is new
	: >"$SIGNING_DIR/log"
	copy --with-referrers "docker://$REGISTRY/a/x:v1" "docker://$SIGNING/b/x:v1"
	[ "$(grep -c "^P" "$SIGNING_DIR/log")" -eq 0 ]
	# one more, and the list keeps what was in it
	more=$(artifact b/x "$image" "one more")
	copy --with-referrers "docker://$SIGNING/b/x:v1" "docker://$REGISTRY/a/x:v1"
	[ "$(listed "$REGISTRY/a/x" "$image")" = "$(sorted "$sbom" "$scan" "$more")" ]
}

@test "copy: --with-referrers --all carries what is about each image of an index, and about the index" {
	index=$(index_image "$BATS_TEST_TMPDIR/multi" v1 "$BATS_FILE_TMPDIR/base.tar")
	copy --all oci:multi:v1 "docker://$SIGNING/multi/x:v1"
	part=$(skopeo-c inspect --raw oci:multi:v1 | jq -r '.manifests[1].digest')
	artifact multi/x "$index" "about the index"
	artifact multi/x "$part" "about a part"
	artifact multi/x "" "signed" "${index/:/-}.sig"
	# a referrer that is itself an index
	jq -nc --arg digest "$part" --argjson inner "$(skopeo-c inspect --raw oci:multi:v1 | jq '.manifests[0]')" \
		'{schemaVersion: 2, mediaType: "'$INDEX'", manifests: [$inner], subject: {mediaType: "'$MANIFEST'", $digest, size: 1}}' >nested.json
	nested=$(put multi/x nested nested.json "$INDEX")
	copy --with-referrers --all "docker://$SIGNING/multi/x:v1" "docker://$REGISTRY/multi/x:v1"
	[ "$(listed "$REGISTRY/multi/x" "$index")" = "$(listed "$SIGNING/multi/x" "$index")" ]
	[ "$(listed "$REGISTRY/multi/x" "$part")" = "$(listed "$SIGNING/multi/x" "$part")" ]
	listed "$REGISTRY/multi/x" "$part" | grep -q "$nested"
	[ "$(layer_text "$REGISTRY/multi/x" "${index/:/-}.sig")" = signed ]
}

@test "copy: --with-referrers loses no signature that the destination has" {
	image=$(image s/x)
	tag=${image/:/-}.sig
	artifact s/x "" one "$tag"
	copy --with-referrers "docker://$SIGNING/s/x:v1" "docker://$SIGNING/t/x:v1"
	# the source has more
	jq -c --argjson layer "$(blob s/x two)" '.layers += [$layer]' artifact.json >both.json
	put s/x "$tag" both.json
	copy --with-referrers "docker://$SIGNING/s/x:v1" "docker://$SIGNING/t/x:v1"
	curl -fs "http://$SIGNING/v2/t/x/manifests/$tag" | cmp - both.json
	# the source has less
	put s/x "$tag" artifact.json
	copy --with-referrers "docker://$SIGNING/s/x:v1" "docker://$SIGNING/t/x:v1"
	curl -fs "http://$SIGNING/v2/t/x/manifests/$tag" | cmp - both.json
	# each has one that the other has not: the image keeps its name
	artifact s/x "" three "$tag"
	copy 4 --with-referrers "docker://$SIGNING/s/x:v1" "docker://$SIGNING/t/x:new"
	error_is exists "$tag"
	curl -fs "http://$SIGNING/v2/t/x/manifests/$tag" | cmp - both.json
	tool 3 skopeo-c inspect --tls-verify=false "docker://$SIGNING/t/x:new"
}

@test "copy: --with-referrers believes no list" {
	image=$(image l/x)
	copy --with-referrers "docker://$SIGNING/l/x:v1" "docker://$REGISTRY/l/x:v1"
	artifact l/x "$image" "good"
	copy --with-referrers "docker://$SIGNING/l/x:v1" "docker://$REGISTRY/l/x:v1"
	artifact l/x "sha256:$(printf '0%.0s' {1..64})" "about something else"
	other=$(digest artifact.json)
	# in the list of the registry without the API are one that is gone, and one about something else
	curl -fs -H "Accept: $INDEX" "http://$REGISTRY/v2/l/x/manifests/${image/:/-}" >list.json
	copy "docker://$SIGNING/l/x@$other" "docker://$REGISTRY/l/x:other"
	jq -c --arg other "$other" --arg gone "sha256:$(printf '1%.0s' {1..64})" \
		'.manifests += [.manifests[0] | .digest = ($other, $gone)]' list.json >lies.json
	jq -c '.manifests |= map(select(.digest != "sha256:'"$(printf '1%.0s' {1..64})"'"))' lies.json >wrong.json
	curl -fs -X PUT -H "Content-Type: $INDEX" --data-binary @wrong.json "http://$REGISTRY/v2/l/x/manifests/${image/:/-}"
	copy --with-referrers "docker://$REGISTRY/l/x:v1" "docker://$SIGNING/m/x:v1"
	[[ $stderr == *"$other is listed as a referrer of $image, but is none"* ]]
	[ "$(listed "$SIGNING/m/x" "$image")" = "$(listed "$SIGNING/l/x" "$image")" ]
	put l/x "${image/:/-}.att" lies.json "$INDEX"
	copy 3 --with-referrers "docker://$SIGNING/l/x:v1" "docker://$REGISTRY/l/y:v1"
	error_is not-found "sha256:1111"
	tool 3 skopeo-c inspect --tls-verify=false "docker://$REGISTRY/l/y:v1"
}

@test "copy: --with-referrers copies nothing where it is not told what there is" {
	local status name

	for status in 401:6 403:6 429:8 500:8; do
		name=refuses-${status%:*}/x
		image "$name" >/dev/null
		copy "${status#*:}" --retry-times 0 --with-referrers "docker://$SIGNING/$name:v1" "docker://$REGISTRY/$name:v1"
		tool 3 skopeo-c inspect --tls-verify=false "docker://$REGISTRY/$name:v1"
	done
	image elsewhere/x >/dev/null
	copy 7 --with-referrers "docker://$SIGNING/elsewhere/x:v1" "docker://$REGISTRY/elsewhere/x:v1"
	error_is integrity "the next page is not at the registry"
	# but these only do not know what that is
	for status in 400 404 405; do
		name=refuses-$status/x
		image "$name" >/dev/null
		copy --with-referrers "docker://$SIGNING/$name:v1" "docker://$REGISTRY/$name:v1"
	done
}

@test "copy: --with-referrers into a layout and out of it" {
	image=$(image o/x)
	sbom=$(artifact o/x "$image" "an SBOM")
	about=$(artifact o/x "$sbom" "about the SBOM")
	tag=${image/:/-}
	artifact o/x "" "signed" "$tag.sig"
	for place in oci:layout oci-archive:archive.tar; do
		copy --with-referrers "docker://$SIGNING/o/x:v1" "$place:v1"
		copy --with-referrers "docker://$SIGNING/o/x:v1" "$place:v1" # nothing twice
		tool skopeo-c list-tags "$place"
		jq -e --arg sig "$tag.sig" '(.Tags | length == 4) and (.Tags | index("v1") and index($sig))' <<<"$output"
		# the only image, whatever goes with it
		[ "$(skopeo-c inspect --format '{{.Digest}}' "$place")" = "$image" ]
		[ "$(skopeo inspect --format '{{.Digest}}' "$place:v1")" = "$image" ]
		skopeo copy -q --insecure-policy "$place:$tag.sig" "dir:sig.${place%%:*}"
		grep -qx signed "sig.${place%%:*}"/*
	done
	# as oras has them: entries without a name that say what they are
	jq -e --arg sbom "$sbom" --arg about "$about" '[.manifests[] | select(has("annotations") | not)]
		| (map(.digest) | sort) == ([$sbom, $about] | sort) and all(.artifactType == "application/x-note")' layout/index.json
	copy --with-referrers oci:layout:v1 "oci-archive:other.tar:v1"
	copy --with-referrers oci-archive:archive.tar:v1 "docker://$REGISTRY/o/x:v1"
	copy --with-referrers oci-archive:other.tar "docker://$SIGNING/o/y:v1"
	for there in "$REGISTRY/o/x" "$SIGNING/o/y"; do
		[ "$(listed "$there" "$image")" = "$sbom" ]
		[ "$(listed "$there" "$sbom")" = "$about" ]
		[ "$(layer_text "$there" "$about")" = "about the SBOM" ]
		[ "$(layer_text "$there" "$tag.sig")" = signed ]
	done
	curl -fs -H "Accept: $INDEX" "http://$REGISTRY/v2/o/x/manifests/$tag" |
		jq -e 'all(.manifests[]; .artifactType == "application/x-note")'
	# through a pipe
	skopeo-c copy -q --with-referrers oci:layout:v1 oci-archive:-:v1 | skopeo-c copy -q --with-referrers oci-archive:-:v1 oci:piped:v1
	diff <(jq -S '.manifests | sort_by(.digest)' layout/index.json) <(jq -S '.manifests | sort_by(.digest)' piped/index.json)
}

@test "copy: --with-referrers lets no referrer take a name in a layout" {
	image=$(image n/x)
	jq -nc --argjson config "$(blob n/x '{}')" --arg image "$image" '{schemaVersion: 2, mediaType: "'$MANIFEST'", $config, layers: [],
		annotations: {"org.opencontainers.image.ref.name": "v1"}, subject: {mediaType: "'$MANIFEST'", digest: $image, size: 1}}' >thief.json
	put n/x "$(digest thief.json)" thief.json
	copy --with-referrers "docker://$SIGNING/n/x:v1" oci:layout:v1
	[ "$(skopeo-c inspect --format '{{.Digest}}' oci:layout:v1)" = "$image" ]
	jq -e '.manifests | length == 2' layout/index.json
}

@test "copy: --with-referrers keeps sigstore's signatures where they are not kept otherwise" {
	image=$(image z/x)
	mkdir registries.d
	echo 'default-docker: {use-sigstore-attachments: true}' >registries.d/default.yaml
	echo secret >passphrase
	tool skopeo-c generate-sigstore-key --output-prefix key --passphrase-file passphrase
	copy --registries.d registries.d --sign-by-sigstore-private-key key.private --sign-passphrase-file passphrase \
		"docker://$SIGNING/z/x:v1" "docker://$SIGNING/z/x:v1"
	copy 10 --registries.d registries.d "docker://$SIGNING/z/x:v1" oci:layout:v1
	copy --registries.d registries.d --with-referrers "docker://$SIGNING/z/x:v1" oci:layout:v1
	copy --with-referrers oci:layout:v1 "docker://$SIGNING/z/y:v1"
	cmp <(curl -fs "http://$SIGNING/v2/z/x/manifests/${image/:/-}.sig") <(curl -fs "http://$SIGNING/v2/z/y/manifests/${image/:/-}.sig")
}

@test "sync: --with-referrers, also for what is there already" {
	image=$(image y/x)
	tool skopeo-c sync --src docker --dest docker --tls-verify=false "$SIGNING/y/x:v1" "$REGISTRY/sync"
	sbom=$(artifact y/x "$image" "an SBOM")
	artifact y/x "" "signed" "${image/:/-}.sig"
	tool skopeo-c sync --src docker --dest docker --tls-verify=false --with-referrers "$SIGNING/y/x:v1" "$REGISTRY/sync"
	jq -e '.status == "unchanged"' <<<"$output"
	[ "$(listed "$REGISTRY/sync/x" "$image")" = "$sbom" ]
	[ "$(layer_text "$REGISTRY/sync/x" "${image/:/-}.sig")" = signed ]
	tool 2 skopeo-c sync --src docker --dest dir --tls-verify=false --with-referrers "$SIGNING/y/x" dir
	error_is usage "registries on both sides"
}

@test "copy: --with-referrers is for what keeps them, and for what does not change" {
	image v/x >/dev/null
	copy 2 --with-referrers "docker://$SIGNING/v/x:v1" dir:d
	error_is usage "dir:d keeps nothing that refers to images"
	copy 2 --with-referrers --remove-signatures "docker://$SIGNING/v/x:v1" "docker://$SIGNING/w/x:v1"
	error_is usage "exclude each other"
	copy 1 --with-referrers --format v2s2 "docker://$SIGNING/v/x:v1" "docker://$SIGNING/w/x:v1"
	error_is failed "would change digests, to which referrers refer"
	tool 3 skopeo-c inspect --tls-verify=false "docker://$SIGNING/w/x:v1"
}
