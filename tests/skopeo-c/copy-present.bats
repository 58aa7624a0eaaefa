# SPDX-License-Identifier: Apache-2.0
# What is asked of registries where the destination has everything already.

load ../helpers
load common

setup_file() {
	file_setup
	export REGISTRY_LOG_ACCESSLOG_DISABLED=false
	registry_start
	busybox_tar "$BATS_FILE_TMPDIR/layer.tar"
	export ONE=$BATS_FILE_TMPDIR/one MANY=$BATS_FILE_TMPDIR/many
	oci_image "$ONE" x '{"architecture":"amd64"}' "$BATS_FILE_TMPDIR/layer.tar" >/dev/null
	index_image "$MANY" x "$BATS_FILE_TMPDIR/layer.tar" >/dev/null
	copy "oci:$ONE:x" "docker://$REGISTRY/one:1"
	copy --all "oci:$MANY:x" "docker://$REGISTRY/many:1"
}

setup() {
	export OCID_ROOT=$BATS_TEST_TMPDIR/root
}

copy() {
	tool skopeo-c copy --insecure-policy --override-arch amd64 --src-tls-verify=false --dest-tls-verify=false "$@"
}

# copied ARG...: copy, of which only the requests matter
copied() {
	from_now_on
	copy "$@"
}

manifest_digest() {
	jq -r '.manifests[0].digest' "$1/index.json"
}

@test "copy: of an image that the registry has each side is asked once, and the descriptor is printed" {
	copy "docker://$REGISTRY/one:1" "docker://$REGISTRY/two:1"
	before=$output
	copied "docker://$REGISTRY/one:1" "docker://$REGISTRY/two:1"
	asked "HEAD one/manifests/1" "HEAD two/manifests/1"
	[ "$(jq -cS '.image | keys' <<<"$output")" = '["descriptor","name"]' ]
	[ "$(jq -cS .image.descriptor <<<"$output")" = "$(jq -cS .image.descriptor <<<"$before")" ]
	copied --digestfile "$BATS_TEST_TMPDIR/digest" "docker://$REGISTRY/one:1" "docker://$REGISTRY/two:1"
	[ "$(cat "$BATS_TEST_TMPDIR/digest")" = "$(manifest_digest "$ONE")" ]
}

@test "copy: of an index that the registry has each side is asked once; an image of it needs the index" {
	copy --all "docker://$REGISTRY/many:1" "docker://$REGISTRY/all:1"
	copied --all "docker://$REGISTRY/many:1" "docker://$REGISTRY/all:1"
	asked "HEAD many/manifests/1" "HEAD all/manifests/1"
	[ "$(jq -r .image.descriptor.digest <<<"$output")" = "$(manifest_digest "$MANY")" ]

	copy "docker://$REGISTRY/many:1" "docker://$REGISTRY/chosen:1"
	before=$output
	copied "docker://$REGISTRY/many:1" "docker://$REGISTRY/chosen:1"
	asked "HEAD many/manifests/1" "GET many/manifests/1" "HEAD chosen/manifests/1"
	[ "$(jq -r .image.descriptor.digest <<<"$output")" = "$(jq -r .image.descriptor.digest <<<"$before")" ]
	# another one is not there
	copied --override-arch arm64 "docker://$REGISTRY/many:1" "docker://$REGISTRY/chosen:1"
	[ "$(jq -r .image.config.architecture <<<"$output")" = arm64 ]
	tool skopeo-c inspect --tls-verify=false --config "docker://$REGISTRY/chosen:1"
	[ "$(jq -r .architecture <<<"$output")" = arm64 ]
}

@test "copy: another tag in the same repository is only a manifest" {
	local digest

	# the answer to HEAD of the source is not waited for
	besides() {
		[ "$(requests | grep -v '^HEAD .*/manifests/1$')" = "$1" ]
	}
	copied "docker://$REGISTRY/one:1" "docker://$REGISTRY/one:2"
	wait_for 5 besides $'GET one/blobs/DIGEST\nGET one/manifests/1\nHEAD one/manifests/2\nPUT one/manifests/2'
	[ "$(jq -r .image.descriptor.digest <<<"$output")" = "$(manifest_digest "$ONE")" ]
	copied --all "docker://$REGISTRY/many:1" "docker://$REGISTRY/many:2"
	wait_for 5 besides "$(printf '%s\n' "GET many/blobs/DIGEST" "GET many/manifests/1" "GET many/manifests/"{DIGEST,DIGEST,DIGEST} "HEAD many/manifests/2" "PUT many/manifests/2")"
	digest=$(manifest_digest "$MANY")
	[ "$(skopeo-c inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/many:2")" = "$digest" ]
	# an image of the index is there without a tag
	copied "docker://$REGISTRY/many:1" "docker://$REGISTRY/many@@unknown-digest@@"
	wait_for 5 besides "$(printf '%s\n' "GET many/blobs/DIGEST" "GET many/manifests/"{1,DIGEST})"
	# what becomes different is not there
	copy --format v2s2 "docker://$REGISTRY/one:1" "docker://$REGISTRY/one:docker"
	[ "$(jq -r .image.descriptor.mediaType <<<"$output")" = application/vnd.docker.distribution.manifest.v2+json ]
	copied --dest-compress-format zstd --dest-force-compress-format "docker://$REGISTRY/one:1" "docker://$REGISTRY/one:zstd"
	wait_for 5 eval "requests | grep -q 'PUT one/blobs/uploads/'"
	# a layer that a registry has lost under the image's feet is no success
	copy "docker://$REGISTRY/one:docker" "docker://$REGISTRY/lost:1"
	digest=$(skopeo-c inspect --tls-verify=false "docker://$REGISTRY/lost:1" | jq -r '.Layers[0]')
	curl -sf -X DELETE "http://$REGISTRY/v2/lost/blobs/$digest"
	tool 1 skopeo-c copy --insecure-policy --src-tls-verify=false --dest-tls-verify=false "docker://$REGISTRY/lost:1" "docker://$REGISTRY/lost:2"
	error_is failed "blob unknown to registry"
}

@test "copy: who follows the events, changes the image or carries what refers to it gets to know what is in it" {
	copy "docker://$REGISTRY/one:1" "docker://$REGISTRY/two:2"
	copied --events 3 "docker://$REGISTRY/one:1" "docker://$REGISTRY/two:2" 3>"$BATS_TEST_TMPDIR/events"
	[ "$(jq -r 'select(.event == "blob") | .state' "$BATS_TEST_TMPDIR/events" | sort -u)" = present ]
	jq -e .image.manifest <<<"$output"
	copied --format v2s2 "docker://$REGISTRY/one:1" "docker://$REGISTRY/two:2"
	[ "$(jq -r .image.descriptor.mediaType <<<"$output")" = application/vnd.docker.distribution.manifest.v2+json ]
	# what has become another image is one to copy
	copied "docker://$REGISTRY/one:1" "docker://$REGISTRY/two:2"
	[ "$(jq -r .image.descriptor.digest <<<"$output")" = "$(manifest_digest "$ONE")" ]
	jq -e .image.config <<<"$output"
}

@test "copy: a policy that wants signatures looks at an image that is there, too" {
	local policy=$BATS_TEST_TMPDIR/policy.json key=$BATS_TEST_TMPDIR/key

	tool skopeo-c generate-sigstore-key --output-prefix "$key" --passphrase-file /dev/null
	jq -n --arg key "$key.pub" '{default: [{type: "sigstoreSigned", keyPath: $key}]}' >"$policy"
	tool 6 skopeo-c copy --policy "$policy" --tls-verify=false "docker://$REGISTRY/one:1" "docker://$REGISTRY/one:1"
	jq -n '{default: [{type: "reject"}]}' >"$policy"
	tool 6 skopeo-c copy --policy "$policy" --tls-verify=false "docker://$REGISTRY/one:1" "docker://$REGISTRY/one:1"
}

@test "copy: of an image that a layout, the store or a directory has one HEAD is asked" {
	local to

	for to in "oci:$BATS_TEST_TMPDIR/o:x" store: store:named "dir:$BATS_TEST_TMPDIR/d"; do
		copy "docker://$REGISTRY/one:1" "$to"
		before=$output
		copied "docker://$REGISTRY/one:1" "$to"
		asked "HEAD one/manifests/1"
		[ "$output" = "$before" ]
		copy "docker://$REGISTRY/many:1" "$to"
		before=$output
		copied "docker://$REGISTRY/many:1" "$to"
		asked "HEAD many/manifests/1" "GET many/manifests/1"
		[ "$output" = "$before" ]
	done
}

@test "copy: what a layout has lost or has wrong is fetched again" {
	local blobs=$BATS_TEST_TMPDIR/o/blobs/sha256 manifest layer config

	copy "docker://$REGISTRY/one:1" "oci:$BATS_TEST_TMPDIR/o:x"
	manifest=$(manifest_digest "$ONE")
	layer=$(jq -r '.layers[0].digest' "$blobs/${manifest#*:}")
	config=$(jq -r .config.digest "$blobs/${manifest#*:}")
	rm "$blobs/${layer#*:}" "$blobs/${config#*:}"
	copied "docker://$REGISTRY/one:1" "oci:$BATS_TEST_TMPDIR/o:x"
	asked "HEAD one/manifests/1" "GET one/blobs/DIGEST" "GET one/blobs/DIGEST"
	sed -i s/amd64/amd63/ "$blobs/${config#*:}"
	echo '{}' >"$blobs/${manifest#*:}"
	copied "docker://$REGISTRY/one:1" "oci:$BATS_TEST_TMPDIR/o:x"
	[ "$(jq -r .image.config.architecture <<<"$output")" = amd64 ]
	[ "sha256:$(sha256sum <"$blobs/${manifest#*:}" | cut -d ' ' -f 1)" = "$manifest" ]
}
