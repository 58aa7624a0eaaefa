# SPDX-License-Identifier: Apache-2.0

load ../helpers
load common

setup_file() {
	file_setup
	liar_start
	export LAYOUT=$BATS_FILE_TMPDIR/oci
	cd "$BATS_FILE_TMPDIR" || return
	mkdir one two
	echo 1 >one/file
	echo 2 >two/file
	tar -C one -cf base.tar file
	tar -C two -cf top.tar file
	tar -C two --transform s/file/other/ -cf other.tar file
	oci_image "$LAYOUT" a '{"config":{"Env":["PATH=/","X=1"],"Labels":{"a/b~c":"1","same":"s"}}}' base.tar top.tar
	oci_image "$LAYOUT" b '{"config":{"Env":["PATH=/","X=2","Y=3"],"Labels":{"same":"s"},"User":"me"}}' base.tar other.tar
	skopeo copy -q --dest-compress --dest-compress-format zstd "oci:$LAYOUT:a" "dir:$BATS_FILE_TMPDIR/zstd"
}

teardown_file() {
	liar_stop
	file_teardown
}

@test "diff: an image and itself, under two names" {
	skopeo-c copy "oci:$LAYOUT:a" store:mine/a:1 >/dev/null
	tool skopeo-c diff "oci:$LAYOUT:a" store:mine/a:1
	jq -e '.same and .A.Digest == .B.Digest and .A.Image != .B.Image and (has("config") or has("layers") | not)' <<<"$output"
}

@test "diff: configurations, member by member" {
	tool skopeo-c diff "oci:$LAYOUT:a" "oci:$LAYOUT:b"
	jq -e '.same == false and .manifest == {} and .config == {
		"/config/Env": {A: ["X=1"], B: ["X=2", "Y=3"]},
		"/config/Labels/a~1b~0c": {A: "1"},
		"/config/User": {B: "me"}}' <<<"$output"
}

@test "diff: layers above the common ones" {
	tool skopeo-c diff "oci:$LAYOUT:a" "oci:$LAYOUT:b"
	jq -e --argjson a "$(skopeo inspect --raw "oci:$LAYOUT:a")" --argjson b "$(skopeo inspect --raw "oci:$LAYOUT:b")" \
		'.layers | map_values(map(del(.diffID))) == {common: [$a.layers[0]], A: [$a.layers[1]], B: [$b.layers[1]]}' <<<"$output"
	jq -e --arg d "sha256:$(sha256sum <"$BATS_FILE_TMPDIR/top.tar" | cut -d ' ' -f 1)" '.layers.A[0].diffID == $d' <<<"$output"
}

@test "diff: layers that are only compressed in another way are common" {
	tool skopeo-c diff "oci:$LAYOUT:a" "dir:$BATS_FILE_TMPDIR/zstd"
	jq -e '.same == false and .config == {} and .layers.A == [] and .layers.B == []
		and (.layers.common | length == 2 and all(.digest != .recompressed.digest and .diffID == .recompressed.diffID))' <<<"$output"
}

@test "diff: no layer is fetched, and of the same manifest nothing else" {
	: >"$LIAR_LOG"
	tool skopeo-c diff --tls-verify=false "docker://$LIAR/good/x" "docker://$LIAR/good/y"
	jq -e .same <<<"$output"
	run ! grep -q /blobs/ "$LIAR_LOG"
	tool skopeo-c diff --tls-verify=false "docker://$LIAR/good/x" "oci:$LAYOUT:a"
	jq -e '.same == false and .layers.common == [] and (.layers.A | length == 1) and .config["/config/Labels/lie"] == {A: "no"}' <<<"$output"
	[ "$(grep -c /blobs/ "$LIAR_LOG")" -eq 1 ]
}

@test "diff: of an index the image for a platform" {
	index_image "$BATS_TEST_TMPDIR/index" v1 "$BATS_FILE_TMPDIR/base.tar" >/dev/null
	tool skopeo-c diff --override-arch arm64 "oci:$BATS_TEST_TMPDIR/index:v1" "oci:$LAYOUT:a"
	jq -e '.A.Digest != .A.Manifest and .B.Digest == .B.Manifest and .config["/architecture"].A == "arm64"' <<<"$output"
	tool 3 skopeo-c diff --override-arch s390x "oci:$BATS_TEST_TMPDIR/index:v1" "oci:$LAYOUT:a"
}

@test "diff: what is not there, lies or is no image" {
	tool 3 skopeo-c diff "oci:$LAYOUT:a" "oci:$LAYOUT:none"
	error_is not-found
	tool 7 skopeo-c diff --tls-verify=false "docker://$LIAR/wrong-config/x" "oci:$LAYOUT:a"
	error_is integrity
	tool 7 skopeo-c diff --tls-verify=false "oci:$LAYOUT:a" "docker://$LIAR/html/x"
	tool 2 skopeo-c diff "oci:$LAYOUT:a"
	tool 2 skopeo-c diff "oci:$LAYOUT:a" "$LAYOUT"
}
