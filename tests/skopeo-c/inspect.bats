# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # jq's variables

load ../helpers
load common

setup_file() {
	file_setup
	export REGISTRY_LOG_ACCESSLOG_DISABLED=false
	registry_start
	liar_start
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	tar -C "$TESTS" -cf "$BATS_FILE_TMPDIR/second.tar" helpers.bash
	oci_image "$BATS_FILE_TMPDIR/oci" v1 '{"config":{"Labels":{"a":"b"},"Env":["PATH=/bin","X=1"],"Cmd":["sh"]}}' \
		"$BATS_FILE_TMPDIR/base.tar" "$BATS_FILE_TMPDIR/second.tar"
	index_image "$BATS_FILE_TMPDIR/multi" v1 "$BATS_FILE_TMPDIR/base.tar"
	skopeo copy -q --dest-tls-verify=false "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$REGISTRY/some/image:v1"
	skopeo copy -q --dest-tls-verify=false "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$REGISTRY/some/image:v2"
	skopeo copy -q --dest-tls-verify=false --format v2s2 "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$REGISTRY/some/docker:v1"
	skopeo copy -q --all --dest-tls-verify=false "oci:$BATS_FILE_TMPDIR/multi:v1" "docker://$REGISTRY/some/multi:v1"
}

teardown() {
	[ -z "${web_pid-}" ] || kill "$web_pid"
}

teardown_file() {
	liar_stop
	file_teardown
}

same_as_skopeo() { # IMAGE; byte for byte, since scripts look for lines
	skopeo inspect --tls-verify=false "$1" >"$BATS_TEST_TMPDIR/theirs"
	tool skopeo-c inspect --tls-verify=false "$1"
	# older versions of skopeo do not have LayersData
	if ! jq -e 'has("LayersData")' "$BATS_TEST_TMPDIR/theirs"; then
		output=$(jq --indent 4 'del(.LayersData)' <<<"$output")
	fi
	diff "$BATS_TEST_TMPDIR/theirs" - <<<"$output"
}

@test "inspect: prints what skopeo prints, of OCI and Docker images and of an index" {
	same_as_skopeo "docker://$REGISTRY/some/image:v1"
	same_as_skopeo "docker://$REGISTRY/some/docker:v1"
	same_as_skopeo "docker://$REGISTRY/some/multi:v1"
	same_as_skopeo "oci:$BATS_FILE_TMPDIR/oci:v1"
}

@test "inspect: of one image is in lines as skopeo's, with --json in one" {
	tool skopeo-c inspect --tls-verify=false "docker://$REGISTRY/some/image:v1"
	grep -q '^    "Digest": "sha256:' <<<"$output"
	tool skopeo-c inspect --json --tls-verify=false "docker://$REGISTRY/some/image:v1"
	[ "$(wc -l <<<"$output")" -eq 1 ]
}

@test "inspect: by digest" {
	digest=$(skopeo inspect --tls-verify=false "docker://$REGISTRY/some/image:v1" | jq -r .Digest)
	same_as_skopeo "docker://$REGISTRY/some/image@$digest"
	tool skopeo-c inspect --tls-verify=false "docker://$REGISTRY/some/image:ignored@$digest"
	[ "$(jq -r .Digest <<<"$output")" = "$digest" ]
}

@test "inspect: --raw gives the manifest's very bytes" {
	skopeo-c inspect --raw --tls-verify=false "docker://$REGISTRY/some/image:v1" >"$BATS_TEST_TMPDIR/raw"
	skopeo-c inspect --tls-verify=false "docker://$REGISTRY/some/image:v1" >"$BATS_TEST_TMPDIR/all"
	[ "sha256:$(sha256sum <"$BATS_TEST_TMPDIR/raw" | cut -d ' ' -f 1)" = "$(jq -r .Digest "$BATS_TEST_TMPDIR/all")" ]
	skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/some/multi:v1" >"$BATS_TEST_TMPDIR/theirs"
	skopeo-c inspect --raw --tls-verify=false "docker://$REGISTRY/some/multi:v1" | cmp - "$BATS_TEST_TMPDIR/theirs"
}

@test "inspect: --config gives the image config, with --raw its very bytes" {
	tool skopeo-c inspect --config --tls-verify=false "docker://$REGISTRY/some/image:v1"
	jq -e '.config.Labels == {"a":"b"} and .os == "linux"' <<<"$output"
	digest=$(skopeo-c inspect --raw --tls-verify=false "docker://$REGISTRY/some/image:v1" | jq -r .config.digest)
	raw=$(skopeo-c inspect --config --raw --tls-verify=false "docker://$REGISTRY/some/image:v1" | sha256sum | cut -d ' ' -f 1)
	[ "sha256:$raw" = "$digest" ]
}

@test "inspect: -n does not ask for the tags" {
	: >"$LIAR_LOG"
	tool skopeo-c inspect --tls-verify=false "docker://$LIAR/good/image:v1"
	[ "$(jq -c .RepoTags <<<"$output")" = '["v1"]' ]
	[ "$(grep -c /tags/ "$LIAR_LOG")" -eq 1 ]
	: >"$LIAR_LOG"
	tool skopeo-c inspect -n --tls-verify=false "docker://$LIAR/good/image:v1"
	[ "$(jq -c .RepoTags <<<"$output")" = '[]' ]
	run ! grep -q /tags/ "$LIAR_LOG"
}

@test "inspect: tags that are kept secret are a warning, not a failure" {
	tool skopeo-c inspect --tls-verify=false "docker://$LIAR/tagless/image:v1"
	[ "$(jq -c .RepoTags <<<"$output")" = '[]' ]
	[[ $stderr == *"warn"*"403"* ]]
}

@test "inspect: dir:, store: and tarball: too" {
	skopeo copy -q "oci:$BATS_FILE_TMPDIR/oci:v1" "dir:$BATS_TEST_TMPDIR/dir"
	tool skopeo-c inspect "dir:$BATS_TEST_TMPDIR/dir"
	[ "$(jq -r .Labels.a <<<"$output")" = b ]
	tool skopeo-c copy "oci:$BATS_FILE_TMPDIR/oci:v1" store:inspected
	tool skopeo-c inspect store:inspected
	[ "$(jq -r '.Layers | length' <<<"$output")" -eq 2 ]
	tool skopeo-c inspect "tarball:$BATS_FILE_TMPDIR/base.tar"
	[ "$(jq -r '.Os' <<<"$output")" = linux ]
}

@test "inspect: --override-arch and --override-variant choose from an index" {
	tool skopeo-c inspect --override-arch arm64 --tls-verify=false "docker://$REGISTRY/some/multi:v1"
	[ "$(jq -r .Architecture <<<"$output")" = arm64 ]
	tool skopeo-c inspect --override-arch arm --override-variant v7 "oci:$BATS_FILE_TMPDIR/multi:v1"
	[ "$(jq -r .Architecture <<<"$output")" = arm ]
	tool 3 skopeo-c inspect --override-arch riscv64 --tls-verify=false "docker://$REGISTRY/some/multi:v1"
	error_is not-found "linux/riscv64 (it has linux/amd64, linux/arm64/v8, linux/arm/v7)"
	tool 3 skopeo-c inspect --override-os windows "oci:$BATS_FILE_TMPDIR/multi:v1"
	error_is not-found windows
	tool skopeo-c inspect --platform linux/arm/v7 "oci:$BATS_FILE_TMPDIR/multi:v1"
	[ "$(jq -r .Architecture <<<"$output")" = arm ]
	tool skopeo-c inspect --platform linux/arm64 "oci:$BATS_FILE_TMPDIR/multi:v1" "oci:$BATS_FILE_TMPDIR/multi:v1"
	[ "$(jq -r .Architecture <<<"$output" | sort -u)" = arm64 ]
	for wrong in "linux" "/arm64" "linux/arm64 --override-os linux"; do
		# shellcheck disable=SC2086 # words
		tool 2 skopeo-c inspect --platform $wrong "oci:$BATS_FILE_TMPDIR/multi:v1"
		error_is usage
	done
}

@test "inspect: --all gives every image of an index, with platform and size" {
	for image in "docker://$REGISTRY/some/multi:v1" "oci:$BATS_FILE_TMPDIR/multi:v1"; do
		tool skopeo-c inspect --all --tls-verify=false "$image"
		jq -es --arg i "$image" 'map(.Platform) == ["linux/amd64", "linux/arm64/v8", "linux/arm/v7"] and
			all(.Image == $i and .Size == ([.LayersData[].Size] | add)) and (map(.Digest) | unique | length) == 3' \
			<<<"$output"
		expected=$(skopeo inspect --raw --tls-verify=false "$image" | jq -c '[.manifests[].digest]')
		[ "$(jq -cs 'map(.Digest)' <<<"$output")" = "$expected" ]
	done
	tool skopeo-c inspect --all --config --tls-verify=false "docker://$REGISTRY/some/multi:v1" \
		"docker://$REGISTRY/some/image:v1"
	jq -es 'map(.Config.architecture) == ["amd64", "arm64", "arm", "amd64"]' <<<"$output"
	tool skopeo-c inspect -a -n --tls-verify=false "docker://$REGISTRY/some/docker:v1"
	jq -es 'length == 1 and .[0].Platform == "linux/amd64" and .[0].RepoTags == []' <<<"$output"
	tool 2 skopeo-c inspect -a --raw "oci:$BATS_FILE_TMPDIR/oci:v1"
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 tool strace -f -s 80 -e trace=sendto -o "$BATS_TEST_TMPDIR/trace" \
		skopeo-c inspect -a --tls-verify=false "docker://$REGISTRY/some/multi:v1"
	[ "$(grep -c tags/list "$BATS_TEST_TMPDIR/trace")" -eq 1 ]
	tool 3 skopeo-c inspect -a --tls-verify=false "docker://$REGISTRY/some/multi:v1" "docker://$REGISTRY/some/none:v1" \
		"oci:$BATS_FILE_TMPDIR/oci:v1"
	jq -es 'map(.Platform // .error.code) ==
		["linux/amd64", "linux/arm64/v8", "linux/arm/v7", "not-found", "linux/amd64"]' <<<"$output"
}

@test "inspect: entries of a layout by name, by position, and alone" {
	tool skopeo-c inspect "oci:$BATS_FILE_TMPDIR/oci"
	tool skopeo-c inspect "oci:$BATS_FILE_TMPDIR/oci:@0"
	tool 3 skopeo-c inspect "oci:$BATS_FILE_TMPDIR/oci:@1"
	error_is not-found
	tool 3 skopeo-c inspect "oci:$BATS_FILE_TMPDIR/oci:v"
	error_is not-found
	cp -r "$BATS_FILE_TMPDIR/oci" "$BATS_TEST_TMPDIR/two"
	oci_image "$BATS_TEST_TMPDIR/two" v2 '{"author":"x"}' "$BATS_FILE_TMPDIR/base.tar"
	tool 2 skopeo-c inspect "oci:$BATS_TEST_TMPDIR/two"
	error_is usage "holds 2 images"
}

@test "inspect: what is not there is exit 3" {
	tool 3 skopeo-c inspect --tls-verify=false "docker://$REGISTRY/some/image:none"
	error_is not-found "no image $REGISTRY/some/image:none"
	tool 3 skopeo-c inspect --tls-verify=false "docker://$REGISTRY/no/such:v1"
	error_is not-found
	tool 3 skopeo-c inspect --tls-verify=false "docker://$REGISTRY/some/image@sha256:$(printf 0%.0s {1..64})"
	error_is not-found
	tool 3 skopeo-c inspect "oci:$BATS_TEST_TMPDIR/none:v1"
	error_is not-found
	tool 3 skopeo-c inspect "dir:$BATS_TEST_TMPDIR/none"
	error_is not-found
	tool 3 skopeo-c inspect store:none
	error_is not-found none
	tool 3 skopeo-c inspect "tarball:$BATS_TEST_TMPDIR/none.tar"
	error_is not-found
}

@test "inspect: a registry that cannot be reached is exit 8" {
	tool 8 skopeo-c inspect "docker://127.0.0.1:1/x:v1"
	error_is temporary "cannot reach 127.0.0.1:1"
	tool 8 skopeo-c inspect --tls-verify=false "docker://127.0.0.1:1/x:v1"
	error_is temporary
	tool 8 skopeo-c inspect "docker://no-such-host.invalid/x:v1"
	error_is temporary no-such-host.invalid
}

@test "inspect: plain http is spoken only with --tls-verify=false" {
	tool 8 skopeo-c inspect "docker://$REGISTRY/some/image:v1"
	error_is temporary "--tls-verify=false"
}

@test "inspect: a name that is none, and no transport" {
	tool 2 skopeo-c inspect "docker://UPPER/x"
	error_is usage
	for name in ./busybox "oci busybox" x:y:z; do
		tool 2 skopeo-c inspect "$name"
		error_is usage "does not begin with a transport"
	done
	tool 10 skopeo-c inspect sif:image.sif
	error_is unsupported "the transport sif: is not supported"
	tool 2 skopeo-c inspect
	error_is usage
	tool 2 skopeo-c inspect --retry-times x docker://x
	error_is usage
}

@test "inspect: manifests that are too large, cut, or no manifests" {
	for lie in big-manifest endless-manifest; do
		tool 9 skopeo-c inspect --tls-verify=false "docker://$LIAR/$lie/x:v1"
		error_is limit
	done
	tool 9 skopeo-c inspect -n --tls-verify=false "docker://$LIAR/many-headers/x:v1"
	error_is limit
	tool 3 skopeo-c inspect -n --tls-verify=false "docker://$LIAR/long-error/x:v1"
	error_is not-found
	for lie in half-manifest html empty deep twice both confused negative traversal wrong-header; do
		tool 7 skopeo-c inspect -n --tls-verify=false "docker://$LIAR/$lie/x:v1"
		error_is integrity
		[ -z "$output" ]
	done
	tool 8 skopeo-c inspect --retry-times 0 --tls-verify=false "docker://$LIAR/cut-manifest/x:v1"
	error_is temporary "connection broke"
	tool 7 skopeo-c inspect -n --tls-verify=false "docker://$LIAR/schema1/x:v1"
	error_is integrity "schema 1 with 0 layers"
	tool 7 skopeo-c inspect -n --tls-verify=false "docker://$LIAR/nested/x:v1"
	error_is integrity "nested deeper"
}

@test "inspect: a config that is another, or no JSON" {
	tool 7 skopeo-c inspect -n --tls-verify=false "docker://$LIAR/wrong-config/x:v1"
	error_is integrity "digest is"
	tool 7 skopeo-c inspect -n --tls-verify=false "docker://$LIAR/text-config/x:v1"
	error_is integrity "not a JSON object"
}

@test "inspect: redirects in a circle and to other protocols end" {
	tool 1 skopeo-c inspect -n --tls-verify=false "docker://$LIAR/circle/x:v1"
	error_is failed "circle"
	tool 1 skopeo-c inspect -n --tls-verify=false "docker://$LIAR/file/x:v1"
	error_is failed "cannot follow"
	[[ $output != *root:* ]]
}

@test "inspect: busy registries are asked again, broken ones not for ever" {
	tool skopeo-c inspect -n --tls-verify=false "docker://$LIAR/busy/x:v1"
	: >"$LIAR_LOG"
	tool 8 skopeo-c inspect -n --retry-times 1 --tls-verify=false "docker://$LIAR/broken/x:v1"
	error_is temporary "answered 500: no luck (UNKNOWN)"
	[ "$(grep -c manifests "$LIAR_LOG")" -eq 2 ]
	: >"$LIAR_LOG"
	tool 8 skopeo-c inspect -n --retry-times 0 --tls-verify=false "docker://$LIAR/broken/x:v1"
	[ "$(grep -c manifests "$LIAR_LOG")" -eq 1 ]
}

@test "inspect: output that cannot be written is an error" {
	run --separate-stderr sh -c 'skopeo-c inspect --raw "$0" >/dev/full' "oci:$BATS_FILE_TMPDIR/oci:v1"
	[ "$status" -ne 0 ]
	[[ $stderr == *"standard output"* ]]
}

@test "inspect: many images are a line each, in order, failures among them" {
	tool 1 skopeo-c inspect --tls-verify=false "docker://$REGISTRY/some/image:v2" "docker://$REGISTRY/some/none:v1" \
		"oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$LIAR/locked/x:v1" nonsense "docker://$REGISTRY/some/image:v1"
	error_is failed "3 of 6 images"
	[ "$(wc -l <<<"$output")" -eq 6 ]
	jq -es --arg r "$REGISTRY" --arg l "$LIAR" 'map(.error.code // .Name // "no name") ==
		[$r + "/some/image", "not-found", "no name", "denied", "usage", $r + "/some/image"]' <<<"$output"
	jq -es --arg r "$REGISTRY" '.[1].Image == "docker://" + $r + "/some/none:v1" and
		(.[1].error.message | contains("no image")) and .[4].Image == "nonsense" and
		.[0].Digest == .[5].Digest and .[0].RepoTags == .[5].RepoTags' <<<"$output"
	# a line is what the image alone would be
	many=$(jq -cS 'select(.Image | endswith("some/image:v1")) | del(.Image)' <<<"$output")
	tool skopeo-c inspect --tls-verify=false "docker://$REGISTRY/some/image:v1"
	[ "$(jq -cS . <<<"$output")" = "$many" ]
	# the kind of all failures is the exit status
	tool 3 skopeo-c inspect --tls-verify=false "docker://$REGISTRY/some/none:v1" "docker://$REGISTRY/some/image:v9"
}

@test "inspect: names from standard input, with the tags asked for once" {
	: >"$LIAR_LOG"
	for n in 1 2 3 4 5; do
		echo "docker://$LIAR/good/x:v$n"
	done >"$BATS_TEST_TMPDIR/names"
	echo >>"$BATS_TEST_TMPDIR/names"
	printf %s "docker://$LIAR/good/x:last" >>"$BATS_TEST_TMPDIR/names"
	tool skopeo-c inspect --tls-verify=false - <"$BATS_TEST_TMPDIR/names"
	jq -es 'length == 6 and all(.RepoTags == ["v1"])' <<<"$output"
	jq -es --arg l "$LIAR" '.[5].Image == "docker://" + $l + "/good/x:last"' <<<"$output"
	[ "$(grep -c tags/list "$LIAR_LOG")" -eq 1 ]
	tool skopeo-c inspect - </dev/null
	[ -z "$output" ]
	tool skopeo-c inspect --config --tls-verify=false - <"$BATS_TEST_TMPDIR/names"
	jq -es 'all(.Config.config.Labels.lie == "no")' <<<"$output"
	tool 2 skopeo-c inspect --raw --tls-verify=false - <"$BATS_TEST_TMPDIR/names"
	head -c 5000 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/names"
	tool 2 skopeo-c inspect - <"$BATS_TEST_TMPDIR/names"
	error_is usage "more than"
}

@test "inspect: a line is there as soon as it is known" {
	mkfifo "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
	timeout 60 skopeo-c inspect - <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 3>&- &
	exec 7>"$BATS_TEST_TMPDIR/in" 8<"$BATS_TEST_TMPDIR/out"
	for n in 1 2; do
		echo "oci:$BATS_FILE_TMPDIR/oci:v1" >&7
		read -r -t 10 line <&8
		jq -e .Digest <<<"$line"
	done
	exec 7>&-
	wait $!
	exec 8<&-
}

@test "inspect: many of one repository share connections and tokens" {
	: >"$LIAR_LOG"
	# a token serves three requests there
	tool skopeo-c inspect -n --creds alice:secret --tls-verify=false "docker://$LIAR/token/x:v1" \
		"docker://$LIAR/token/x:v2" "docker://$LIAR/token/x:v3" "docker://$LIAR/token/x:v4"
	[ "$(grep -c "GET /auth" "$LIAR_LOG")" -eq 2 ]
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 tool strace -f -e trace=connect -o "$BATS_TEST_TMPDIR/trace" skopeo-c inspect -n --tls-verify=false \
		"docker://$REGISTRY/some/image:v1" "docker://$REGISTRY/some/image:v2" "docker://$REGISTRY/some/image:v1"
	# one that finds no TLS there, and one
	[ "$(grep -c "${REGISTRY#*:}" "$BATS_TEST_TMPDIR/trace")" -le 2 ]
}

@test "inspect: many are looked at together, and tags of one image at it once" {
	: >"$LIAR_LOG"
	tool skopeo-c inspect --tls-verify=false "docker://$LIAR/together/x:v1" "docker://$LIAR/together/x:v2" \
		"docker://$LIAR/together/x:v3" "docker://$LIAR/together/x:v4"
	jq -es 'map(.Image[-2:]) == ["v1", "v2", "v3", "v4"] and all(.Labels.lie == "no" and .LayersData[0].Size > 0)' \
		<<<"$output"
	[ "$(grep -c blobs/ "$LIAR_LOG")" -eq 1 ]
	[ "$(grep -c tags/list "$LIAR_LOG")" -eq 1 ]
	: >"$LIAR_LOG"
	tool skopeo-c inspect --tls-verify=false - < <(printf "docker://$LIAR/good/r%d:v1\n" {1..40} {1..40})
	jq -es 'length == 80 and all(.RepoTags == ["v1"])' <<<"$output"
	[ "$(grep -c tags/list "$LIAR_LOG")" -le 80 ]
	# not the tags of another repository, nor an image whose registry says nothing of it
	tool 1 skopeo-c inspect --tls-verify=false "docker://$REGISTRY/some/none:v1" "docker://$LIAR/good/x:v1" \
		"docker://$LIAR/good/y:v1" "docker://$LIAR/wrong-config/y:v1"
	jq -es 'map(.Name // .error.code | sub(".*/good"; "")) == ["not-found", "/x", "/y", "integrity"]' <<<"$output"
}

@test "inspect: what a template does not name is not asked for" {
	local image=docker://$REGISTRY/some/multi:v1 template digest platform=(--override-arch amd64)

	digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "$image")
	from_now_on
	tool skopeo-c inspect --tls-verify=false --format '{{.Digest}}' "$image"
	[ "$output" = "$digest" ]
	asked "GET some/multi/manifests/v1"
	from_now_on
	tool skopeo-c inspect --tls-verify=false --format '{{.Name}} {{json .RepoTags}}' "$image"
	[ "$output" = "$REGISTRY/some/multi [\"v1\"]" ]
	asked "GET some/multi/manifests/v1" "GET some/multi/tags/list"
	from_now_on
	tool skopeo-c inspect "${platform[@]}" --tls-verify=false --format '{{.Digest}} {{.Labels.none}}' "$image"
	[ "$output" = "$digest <no value>" ]
	asked "GET some/multi/manifests/v1" "GET some/multi/manifests/DIGEST" "GET some/multi/blobs/DIGEST"
	for template in json '{{json .}}'; do
		from_now_on
		tool skopeo-c inspect "${platform[@]}" --tls-verify=false --format "$template" "$image"
		jq -e --arg digest "$digest" '.Digest == $digest and .RepoTags == ["v1"] and .Architecture == "amd64"' <<<"$output"
		asked "GET some/multi/manifests/v1" "GET some/multi/manifests/DIGEST" "GET some/multi/blobs/DIGEST" "GET some/multi/tags/list"
	done
	tool skopeo-c inspect "${platform[@]}" --tls-verify=false --config --format '{{.Architecture}}' "$image"
	[ "$output" = amd64 ]
	# of many, too
	from_now_on
	tool skopeo-c inspect --all --tls-verify=false --format '{{.Digest}}' "$image"
	[ "$(sort -u <<<"$output" | wc -l)" = 3 ]
	asked "GET some/multi/manifests/v1" "GET some/multi/manifests/DIGEST" "GET some/multi/manifests/DIGEST" "GET some/multi/manifests/DIGEST"
}

@test "inspect: an image in an archive has the name by which it was asked for" {
	cd "$BATS_TEST_TMPDIR" || return
	tool skopeo-c copy "oci:$BATS_FILE_TMPDIR/oci:v1" docker-archive:a.tar:some/app:1
	for image in a.tar:some/app:1 a.tar:@0 a.tar; do
		tool skopeo-c inspect "docker-archive:$image"
		[ "$(jq -r .Name <<<"$output")" = "$(skopeo inspect "docker-archive:$image" | jq -r .Name)" ]
	done
}

@test "inspect: times are printed as skopeo prints them, and labels that look like times are text" {
	local time

	cd "$BATS_TEST_TMPDIR" || return
	for time in 2024-05-06T07:08:09Z 2024-05-06T07:08:09.120500000Z 2024-05-06T07:08:09.000Z 2024-05-06T07:08:09+00:00 \
		2024-05-06T07:08:09.5+02:00 1969-01-02T03:04:05-07:30; do
		oci_image made v1 "{\"created\": \"$time\", \"config\": {\"Labels\": {\"at\": \"$time\"}}}" >/dev/null
		tool skopeo-c inspect oci:made:v1
		jq -r .Created <<<"$output" >ours
		skopeo inspect oci:made:v1 | jq -r .Created >theirs
		for template in '{{.Created}}' '{{.Labels}}' '{{json .Created}}'; do
			skopeo-c inspect --format "$template" oci:made:v1 >>ours
			[ "$template" = '{{json .Created}}' ] || skopeo inspect --format "$template" oci:made:v1 >>theirs
		done
		jq --raw-input --slurp 'split("\n")[0]' theirs >>theirs # older versions of skopeo have no json there
		diff theirs ours
	done
}

@test "inspect: --format gives what skopeo gives for fields, and points at jq for more" {
	tool skopeo-c inspect --format json "oci:$BATS_FILE_TMPDIR/oci:v1"
	[ "$output" = "$(skopeo-c inspect --format '' "oci:$BATS_FILE_TMPDIR/oci:v1")" ]
	[ "$output" = "$(skopeo-c inspect "oci:$BATS_FILE_TMPDIR/oci:v1")" ]
	cd "$BATS_TEST_TMPDIR" || return
	skopeo copy -q "oci:$BATS_FILE_TMPDIR/oci:v1" dir:d
	for template in '{{.Digest}}' '{{.Created}} {{.Os}}/{{.Architecture}}' 'layers: {{.Layers}}' '{{.Labels}}'; do
		tool skopeo-c inspect --format "$template" dir:d
		[ "$output" = "$(skopeo inspect --format "$template" dir:d)" ]
	done
	oci_image bare v1 '{}' >/dev/null
	for template in '{{.Env}}' '{{.Labels}}' '<{{.Name}}>' '{{.RepoTags}}{{.Layers}}'; do
		tool skopeo-c inspect --format "$template" oci:bare
		[ "$output" = "$(skopeo inspect --format "$template" oci:bare:v1)" ]
	done
	for template in '{{.OS}} {{.Architecture}}' '{{.RootFS.DiffIDs}}' '{{.Config.Cmd}}'; do
		tool skopeo-c inspect --config --format "$template" dir:d
		[ "$output" = "$(skopeo inspect --config --format "$template" dir:d)" ]
	done
	oci_image labels v1 '{"config":{"Labels":{"org.example.v":"3"}}}' >/dev/null
	for template in '{{index .Labels "org.example.v"}} {{ index .Labels "none" }}.' '{{index .Labels "none"}}'; do
		for options in "" --config; do
			written=${template//.Labels/${options:+.Config}.Labels}
			# shellcheck disable=SC2086 # an option or none
			tool skopeo-c inspect $options --format "$written" oci:labels
			# shellcheck disable=SC2086
			[ "$output" = "$(skopeo inspect $options --format "$written" oci:labels:v1)" ]
		done
	done
	# what a configuration does not have is empty, as are labels that are not there
	for template in '<{{.Author}}> {{.History}} {{.RootFS}}' '<{{.Config.User}}> {{.Config.Entrypoint}} {{.Config.ExposedPorts}}' \
		'{{.Config.Labels.none}}'; do
		tool skopeo-c inspect --config --format "$template" oci:bare
		[ "$output" = "$(skopeo inspect --config --format "$template" oci:bare:v1)" ]
	done
	# the whole is a struct with all of its fields, as those of the history are
	oci_image whole v1 '{"created":"2026-01-02T03:04:05Z","author":"me","history":[{"created":"2026-01-02T03:04:05.100Z",
		"created_by":"x","empty_layer":true,"comment":"y"},{"author":"z"}],"config":{"Labels":{"a":"b"}}}' >/dev/null
	for template in '{{.}}' '{{.History}}'; do
		tool skopeo-c inspect --config --format "$template" oci:whole
		[ "$output" = "$(skopeo inspect --config --format "$template" oci:whole:v1)" ]
	done
	template='{{.Name}} {{.Tag}} {{.Digest}} {{.RepoTags}} {{.Created}} {{.DockerVersion}} {{.Labels}} {{.Architecture}}'
	tool skopeo-c inspect --format "$template {{.Os}} {{.Layers}} {{.LayersData}} {{.Env}}" oci:whole
	fields=$output
	tool skopeo-c inspect --format '{{.}}' oci:whole
	[ "$output" = "{$fields}" ]
	# older versions of skopeo have no json there
	tool skopeo-c inspect --config --format '{{json .Config.WorkingDir}} {{json .Config.Volumes}} {{json .Config.Labels.none}}' oci:bare
	[ "$output" = '"" null null' ]
	tool skopeo-c inspect --format '{{.Labels.none}} {{json .Labels.none}}' dir:d
	[ "$output" = '<no value> null' ]
	tool 2 skopeo-c inspect --config --format '{{.Config.Nothing}}' dir:d
	tool skopeo-c inspect --format '{{json .LayersData}}' dir:d
	jq -e '.[0].Digest | startswith("sha256:")' <<<"$output"
	tool skopeo-c inspect -f '{{.Image}} {{.Digest}}' dir:d dir:d
	[ "$(wc -l <<<"$output")" -eq 2 ]
	tool 2 skopeo-c inspect --format '{{range .Layers}}{{.}}{{end}}' dir:d
	[[ $stderr == *jq* ]]
	tool 2 skopeo-c inspect --format '{{.Nothing}}' dir:d
	tool 2 skopeo-c inspect --raw --format '{{.Digest}}' dir:d
}

# web_server DIRECTORY: one that is no registry; $WEB is HOST:PORT, $web_pid its process
web_server() {
	local port

	port=$(free_port)
	/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory "$1" "$port" >"$1.log" 2>&1 3>&- &
	web_pid=$!
	WEB=127.0.0.1:$port
	wait_for 10 curl -s -o /dev/null "http://$WEB/"
}

@test "inspect, copy, delete, list-tags: a 404 of what is no registry is no missing image" {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir empty
	web_server empty
	for command in "inspect $WEB/some/image:v1" "delete $WEB/some/image:v1" "list-tags $WEB/some/image" \
		"copy $WEB/some/image:v1 dir:d"; do
		read -r verb name to <<<"$command"
		tool 1 skopeo-c "$verb" --tls-verify=false "docker://$name" ${to:+"$to"}
		error_is failed "$WEB is no registry"
	done
	tool 1 skopeo inspect --tls-verify=false "docker://$WEB/some/image:v1"
}

@test "inspect, delete: a 404 without a word is one of a registry that has /v2/, and is asked only then" {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p registry/v2
	web_server registry
	tool 3 skopeo-c inspect --tls-verify=false "docker://$WEB/some/image:v1"
	error_is not-found "no image $WEB/some/image:v1"
	tool 3 skopeo-c delete --tls-verify=false "docker://$WEB/some/image:v1"
	from_now_on
	tool 3 skopeo-c inspect --tls-verify=false --no-tags "docker://$REGISTRY/some/image:none"
	tool 3 skopeo-c delete --tls-verify=false "docker://$REGISTRY/some/image:none"
	asked "GET some/image/manifests/none" "HEAD some/image/manifests/none"
}

@test "inspect: of an image without a time, and of one of schema 1, is what skopeo prints" {
	local config

	cd "$BATS_TEST_TMPDIR" || return
	skopeo copy -q --format v2s2 "oci:$BATS_FILE_TMPDIR/oci:v1" dir:docker
	config=$(jq -r '.config.digest[7:]' docker/manifest.json)
	jq -c 'del(.created)' "docker/$config" >config
	config=$(sha256sum <config | cut -d ' ' -f 1)
	mv config "docker/$config"
	jq -c --arg digest "sha256:$config" --argjson size "$(stat -c %s "docker/$config")" \
		'.config += {$digest, $size}' docker/manifest.json >manifest.json
	mv manifest.json docker/manifest.json
	same_as_skopeo dir:docker
	jq -e '.Created == "0001-01-01T00:00:00Z"' <<<"$output"
	skopeo copy -q --format oci dir:docker oci:none:v1
	same_as_skopeo oci:none:v1
	oci_image src v1 '{"history":[{"created_by":"one"}]}' "$BATS_FILE_TMPDIR/base.tar" >/dev/null
	skopeo copy -q --format v2s1 oci:src:v1 dir:old
	jq '.tag = "v7" | del(.signatures)' old/manifest.json >manifest.json
	mv manifest.json old/manifest.json
	same_as_skopeo dir:old
	[ "$(skopeo-c inspect -f '{{.Tag}}' dir:old)" = v7 ]
	[ "$(skopeo-c inspect -f '{{.Tag}}' dir:docker)" = "" ]
	tool skopeo-c inspect dir:old
	jq -e '[.LayersData[].MIMEType] | unique == [""]' <<<"$output"
}
