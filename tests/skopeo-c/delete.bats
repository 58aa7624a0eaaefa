# SPDX-License-Identifier: Apache-2.0

load ../helpers
load common

setup_file() {
	file_setup
	registry_start
	liar_start
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
}

teardown_file() {
	liar_stop
	file_teardown
}

# push REPOSITORY CREATED TAG…: one image under several tags
push() {
	local tag repository=$1

	oci_image "$BATS_TEST_TMPDIR/oci" "$2" "{\"config\":{\"Labels\":{\"n\":\"$2\"}}}" "$BATS_FILE_TMPDIR/base.tar" >/dev/null
	for tag in "${@:3}"; do
		skopeo copy -q --dest-tls-verify=false "oci:$BATS_TEST_TMPDIR/oci:$2" "docker://$REGISTRY/$repository:$tag"
	done
}

delete() {
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	tool "$expected" skopeo-c delete --tls-verify=false "$@"
}

there() {
	skopeo inspect -n --raw --tls-verify=false "docker://$REGISTRY/$1" >/dev/null 2>&1
}

@test "delete: a tag that alone has its manifest" {
	push one a v1
	push one b v2
	tool skopeo-c inspect -n --tls-verify=false "docker://$REGISTRY/one:v1"
	digest=$(jq -r .Digest <<<"$output")
	delete "docker://$REGISTRY/one:v1"
	jq -e --arg n "$REGISTRY/one:v1" --arg d "$digest" '. == {name: $n, deleted: "manifest", digest: $d}' <<<"$output"
	run ! there one:v1
	there one:v2
	delete 3 "docker://$REGISTRY/one:v1"
	error_is not-found "no image $REGISTRY/one:v1"
}

@test "delete: a manifest that other tags share stays, unless --all-tags" {
	push shared a v1 v2 v3 v4 v5 v6 v7 v8
	push shared b other
	delete 5 "docker://$REGISTRY/shared:v3"
	error_is in-use "also has the tags v"
	[[ $stderr =~ "tags "(v[1245678], ){5}"..." ]]
	[[ $stderr == *--all-tags* ]]
	there shared:v3
	there shared:v1
	push few c one two
	delete 5 "docker://$REGISTRY/few:one"
	error_is in-use "also has the tag two"
	delete --all-tags "docker://$REGISTRY/shared:v3"
	[[ $stderr =~ "takes along, the tags "(v[1245678], ){5}"..." ]]
	jq -e '.deleted == "manifest" and (.tags | sort) == ["v1", "v2", "v4", "v5", "v6", "v7", "v8"]' <<<"$output"
	run ! there shared:v3
	run ! there shared:v1
	there shared:other
}

@test "delete: an image that an index with a tag needs stays, unless --all-tags" {
	repository=docker://$REGISTRY/parts
	index_image "$BATS_TEST_TMPDIR/index" v1 "$BATS_FILE_TMPDIR/base.tar" >/dev/null
	skopeo copy -q --all --dest-tls-verify=false "oci:$BATS_TEST_TMPDIR/index:v1" "$repository:v1"
	skopeo copy -q --all --dest-tls-verify=false "oci:$BATS_TEST_TMPDIR/index:v1" "$repository:latest"
	for n in 0 1; do
		part=$(skopeo inspect --raw --tls-verify=false "$repository:v1" | jq -r ".manifests[$n].digest")
		skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "$repository@$part" "$repository:part$n"
	done
	push parts a other
	delete 5 "$repository:part1"
	error_is in-use "part of the index with the tags "
	[[ $stderr == *--all-tags* ]]
	there "parts@$part"
	# what it does not need goes
	delete "$repository:other"
	delete --all-tags "$repository:part1"
	run ! there "parts@$part"
	# and the index is in the way no longer than it is there
	delete --all-tags "$repository:v1"
	delete "$repository:part0"
}

@test "delete: a digest is a manifest" {
	push digest a v1 v2
	tool skopeo-c inspect -n --tls-verify=false "docker://$REGISTRY/digest:v1"
	digest=$(jq -r .Digest <<<"$output")
	delete "docker://$REGISTRY/digest@$digest"
	jq -e '.tags | sort == ["v1", "v2"]' <<<"$output"
	run ! there digest:v2
	delete 3 "docker://$REGISTRY/digest@$digest"
}

@test "delete: the tag alone where the registry can" {
	: >"$LIAR_LOG"
	delete "docker://$LIAR/untags/x:v1"
	jq -e '.deleted == "tag"' <<<"$output"
	[ "$(grep -c DELETE "$LIAR_LOG")" -eq 1 ]
	grep -q "DELETE /v2/untags/x/manifests/v1" "$LIAR_LOG"
	# one that does not delete manifests at all
	delete 10 --all-tags "docker://$LIAR/untags/x:v1"
	error_is unsupported "answered 405"
}

@test "delete: what is no image in a registry" {
	delete 2 "docker://$REGISTRY/one"
	error_is usage "no tag and no digest"
	delete 2 "dir:$BATS_TEST_TMPDIR/x"
	delete 6 "docker://$LIAR/locked/x:v1"
	delete 6 "docker://$LIAR/forbidden/x:v1"
}

@test "manifest-digest: is that of the bytes" {
	printf '{"schemaVersion": 2}\n' >"$BATS_TEST_TMPDIR/m"
	tool skopeo-c manifest-digest "$BATS_TEST_TMPDIR/m"
	[ "$output" = "$(skopeo manifest-digest "$BATS_TEST_TMPDIR/m")" ]
	tool skopeo-c manifest-digest - <"$BATS_TEST_TMPDIR/m"
	[ "$output" = "sha256:$(sha256sum <"$BATS_TEST_TMPDIR/m" | cut -d ' ' -f 1)" ]
	tool 3 skopeo-c manifest-digest "$BATS_TEST_TMPDIR/none"
	error_is not-found
	echo '<html>' >"$BATS_TEST_TMPDIR/m"
	tool 7 skopeo-c manifest-digest "$BATS_TEST_TMPDIR/m"
	echo '{"schemaVersion": 1, "signatures": []}' >"$BATS_TEST_TMPDIR/m"
	tool 7 skopeo-c manifest-digest "$BATS_TEST_TMPDIR/m"
	error_is integrity "signatures"
	# a header that claims the digest of other bytes
	genuine='{"schemaVersion":2}'
	header=$(printf '{"formatLength":1,"formatTail":"%s"}' "$(printf %s "${genuine:1}" | base64 -w 0)" | base64 -w 0)
	printf '{"schemaVersion":2,"x":1,"signatures":[{"protected":"%s"}]}' "$header" >"$BATS_TEST_TMPDIR/m"
	tool skopeo-c manifest-digest "$BATS_TEST_TMPDIR/m"
	[ "$output" = "sha256:$(sha256sum <"$BATS_TEST_TMPDIR/m" | cut -d ' ' -f 1)" ]
	sed -i 's/Version":2/Version":1/' "$BATS_TEST_TMPDIR/m"
	tool 7 skopeo-c manifest-digest "$BATS_TEST_TMPDIR/m"
}
