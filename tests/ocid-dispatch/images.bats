# SPDX-License-Identifier: Apache-2.0
# The image service with the real tools and a real registry.

load ../helpers
load helpers

setup_file() {
	file_setup
	cri_setup
	unset OCID_LIBEXEC
	registry_tls_start
	push_images
	server_start
}

teardown_file() {
	server_stop
	rmdir "$(dirname "$SOCKET")"
	file_teardown
}

teardown() {
	for image in $(cri ListImages | jq -r '.images[]?.id'); do
		cri RemoveImage "{\"image\": {\"image\": \"$image\"}}"
	done
}

# push NAME CONFIG: the busybox image with that config
push() {
	oci_image "$BATS_FILE_TMPDIR/oci" "$1" "$2" "$BATS_FILE_TMPDIR/busybox.tar"
	skopeo-c copy -q --creds me:secret "oci:$BATS_FILE_TMPDIR/oci:$1" "docker://$REGISTRY/$1" >/dev/null
}

push_images() {
	busybox_tar "$BATS_FILE_TMPDIR/busybox.tar"
	push plain:1 '{"config": {"Cmd": ["sh"]}}'
	push plain:2 '{"config": {"Cmd": ["sh"]}}'
	push other/plain:latest '{"config": {"Cmd": ["sh"]}}'
	push uid:1 '{"config": {"User": "1000:50"}}'
	push username:1 '{"config": {"User": "user:staff"}}'
	export DIGEST
	DIGEST=$(skopeo-c inspect --creds me:secret -n "docker://$REGISTRY/plain:1" | jq -r .Digest)
}

# pull NAME [OPTION…]
pull() {
	local name=$1

	shift
	tool cri PullImage "{\"image\": {\"image\": \"$name\"}, \"auth\": {\"username\": \"me\", \"password\": \"secret\"}}" "$@"
}

image() {
	echo "{\"image\": {\"image\": \"$1\"}}"
}

@test "images: one whose tag has moved is listed until it is removed" {
	push moving:1 '{"config": {"Cmd": ["old"]}}'
	pull "$REGISTRY/moving:1"
	old=$(jq -r .imageRef <<<"$output")
	push moving:1 '{"config": {"Cmd": ["new"]}}'
	pull "$REGISTRY/moving:1"
	tool cri ListImages
	[ "$(jq -c '[.images[] | .repoTags // []] | sort' <<<"$output")" = "[[],[\"$REGISTRY/moving:1\"]]" ]
	[ "$(jq -r '.images[] | select(.repoTags == null) | .id' <<<"$output")" = "$old" ]
	[[ "$(jq -r '.images[] | select(.repoTags == null) | .repoDigests[0]' <<<"$output")" == "$REGISTRY/moving@sha256:"* ]]
}

@test "images: a pull for a runtime that is not known is refused" {
	request="{\"image\": {\"image\": \"$REGISTRY/plain:1\", \"runtimeHandler\": \"nope\"}}"
	tool 1 cri PullImage "$request"
	[[ $stderr == 'INVALID_ARGUMENT: no runtime handler "nope"'* ]]
}

@test "images: what is pulled is there, under its id, its tag and its digest" {
	pull "$REGISTRY/plain:1"
	ref=$(jq -r .imageRef <<<"$output")
	[[ $ref =~ ^sha256:[0-9a-f]{64}$ ]]
	tool cri ListImages
	[ "$(jq -c '[.images[] | [.id, .repoTags, .repoDigests]]' <<<"$output")" = \
		"[[\"$ref\",[\"$REGISTRY/plain:1\"],[\"$REGISTRY/plain@$DIGEST\"]]]" ]
	listed=$(jq -c '.images[0]' <<<"$output")
	for name in "$ref" "${ref#sha256:}" "${ref:7:12}" "$REGISTRY/plain:1" "$REGISTRY/plain@$DIGEST"; do
		tool cri ImageStatus "$(image "$name")"
		[ "$(jq -c .image <<<"$output")" = "$listed" ]
	done
	[ "$(jq -r .image.size <<<"$output")" -gt 100000 ]
	# beside a digest a tag says nothing
	tool cri ImageStatus "$(image "$REGISTRY/plain:9@$DIGEST")"
	[ "$(jq -c .image <<<"$output")" = "$listed" ]
	tool cri ImageStatus "{\"image\": {\"image\": \"$ref\"}, \"verbose\": true}"
	[ "$(jq -c '.info.info | fromjson | .imageSpec.config.Cmd' <<<"$output")" = '["sh"]' ]
}

@test "images: a name stands for that image alone, not for one that ends so" {
	pull "$REGISTRY/plain:1"
	for name in plain:1 plain "$REGISTRY/plain" other/plain:1 x.io/other/plain:1 \
		"other/plain@$DIGEST" "${DIGEST:7:8}"; do
		tool cri ImageStatus "$(image "$name")"
		[ "$output" = '{}' ]
		tool cri ListImages "{\"filter\": $(image "$name")}"
		[ "$output" = '{}' ]
		tool cri RemoveImage "$(image "$name")"
	done
	tool cri ListImages
	[ "$(jq '.images | length' <<<"$output")" -eq 1 ]
}

@test "images: the layers are unpacked with the pull" {
	pull "$REGISTRY/plain:1"
	[ "$(find "$OCID_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
	[ -n "$(find "$OCID_ROOT"/layers/*/diff ! -size 0)" ]
}

@test "images: missing is an empty status, and not found when pulled" {
	tool cri ImageStatus "$(image "$REGISTRY/nothing:1")"
	[ "$output" = '{}' ]
	tool cri ListImages '{"filter": {"image": {"image": "nothing"}}}'
	[ "$output" = '{}' ]
	run ! pull "$REGISTRY/nothing:1"
	[[ $output == *"NOT_FOUND: "* ]]
}

@test "images: the list is filtered by a name" {
	pull "$REGISTRY/plain:1"
	pull "$REGISTRY/uid:1"
	tool cri ListImages "{\"filter\": $(image "$REGISTRY/uid:1")}"
	[ "$(jq -c '[.images[].repoTags]' <<<"$output")" = "[[\"$REGISTRY/uid:1\"]]" ]
}

@test "images: a certificate that nobody knows is to be made known on the node" {
	HOME=$BATS_TEST_TMPDIR tool 6 ocid-dispatch call PullImage <<<"$(image "$REGISTRY/plain:1")"
	[[ $stderr == *"name its authority in certs.d, or say insecure in registries.conf"* ]]
}

@test "images: credentials decide" {
	tool 1 cri PullImage "$(image "$REGISTRY/plain:1")"
	[[ $stderr == PERMISSION_DENIED:*"(a pod's imagePullSecrets or the node's auth.json can have credentials)" ]]
	tool 1 cri PullImage "{\"image\": {\"image\": \"$REGISTRY/plain:1\"}, \"auth\": {\"username\": \"me\", \"password\": \"wr0ng\"}}"
	[[ $stderr == PERMISSION_DENIED:* && $stderr != *wr0ng* ]]
	for bad in '!!!' "$(printf me | base64)"; do
		tool 1 cri PullImage "{\"image\": {\"image\": \"$REGISTRY/plain:1\"}, \"auth\": {\"auth\": \"$bad\"}}"
		[[ $stderr == INVALID_ARGUMENT:*"not the Base64 of USER:PASSWORD"* ]]
	done
	tool cri PullImage "{\"image\": {\"image\": \"$REGISTRY/plain:1\"}, \"auth\": {\"auth\": \"$(printf me:secret | base64)\", \"serverAddress\": \"https://$REGISTRY\"}}"
}

@test "images: a pull by digest has no tag; the same image by another name is one more of it" {
	pull "$REGISTRY/plain@$DIGEST"
	tool cri ListImages
	[ "$(jq -c '[.images[] | [.repoTags // [], .repoDigests]]' <<<"$output")" = "[[[],[\"$REGISTRY/plain@$DIGEST\"]]]" ]
	pull "$REGISTRY/plain:1"
	ref=$output
	pull "$REGISTRY/plain:2"
	[ "$output" = "$ref" ]
	pull "$REGISTRY/other/plain"
	[ "$output" = "$ref" ]
	tool cri ListImages
	[ "$(jq -c '[.images[] | .repoTags | sort]' <<<"$output")" = \
		"[[\"$REGISTRY/other/plain:latest\",\"$REGISTRY/plain:1\",\"$REGISTRY/plain:2\"]]" ]
}

@test "images: the user comes without its group, as a number or as a name" {
	pull "$REGISTRY/uid:1"
	tool cri ImageStatus "$(image "$REGISTRY/uid:1")"
	[ "$(jq -c '.image | [.uid, .username]' <<<"$output")" = '[{"value":"1000"},null]' ]
	pull "$REGISTRY/username:1"
	tool cri ImageStatus "$(image "$REGISTRY/username:1")"
	[ "$(jq -c '.image | [.uid, .username]' <<<"$output")" = '[null,"user"]' ]
}

@test "images: removal by one tag takes all, and is no error when there is nothing" {
	pull "$REGISTRY/plain:1"
	pull "$REGISTRY/plain:2"
	tool cri RemoveImage "$(image "$REGISTRY/plain:2")"
	tool cri ListImages
	[ "$output" = '{}' ]
	tool cri RemoveImage "$(image "$REGISTRY/plain:2")"
	tool cri RemoveImage "$(image "sha256:$(printf 'a%.0s' {1..64})")"
}

@test "images: five removals at once all succeed" {
	pull "$REGISTRY/plain:1"
	id=$(jq -r .imageRef <<<"$output")
	pids=
	for _ in 1 2 3 4 5; do
		cri RemoveImage "$(image "$id")" 3>&- &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid"
	done
	tool cri ListImages
	[ "$output" = '{}' ]
}

@test "images: eight pulls of one image at once" {
	pids=
	for _ in 1 2 3 4 5 6 7 8; do
		pull "$REGISTRY/plain:1" 3>&- &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid"
	done
	tool cri ListImages
	[ "$(jq '.images | length' <<<"$output")" -eq 1 ]
}

@test "images: a mounted image is not removed" {
	pull "$REGISTRY/plain:1"
	mkdir "$BATS_TEST_TMPDIR/mnt"
	tool ctr-store mount "$REGISTRY/plain:1" "$BATS_TEST_TMPDIR/mnt"
	tool 1 cri RemoveImage "$(image "$REGISTRY/plain:1")"
	[[ $stderr == FAILED_PRECONDITION:*"$BATS_TEST_TMPDIR/mnt"* ]]
	tool ctr-store umount "$BATS_TEST_TMPDIR/mnt"
	tool cri RemoveImage "$(image "$REGISTRY/plain:1")"
}

@test "images: pulls that are cut off leave a store on which the next one works" {
	for timeout in 0.001 0.02 0.05 0.08 0.12 0.2; do
		run pull "$REGISTRY/plain:1" timeout="$timeout"
	done
	wait_for 6 no_handlers
	pull "$REGISTRY/plain:1"
	tool ctr-store gc
}

@test "images: nothing listens at the registry's port" {
	run ! pull "127.0.0.1:$(free_port)/x:1"
	[[ $output == *"UNKNOWN: RegistryUnavailable: "* ]]
}

@test "images: one that the policy refuses" {
	printf '{"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": {"%s/uid": [{"type": "reject"}], "%s/username": [
		{"type": "signedBy", "keyType": "GPGKeys", "keyData": "AAAA"}]}}}' "$REGISTRY" "$REGISTRY" >"$BATS_TEST_TMPDIR/policy.json"
	mkdir -p "$HOME/.config/containers"
	mv "$BATS_TEST_TMPDIR/policy.json" "$HOME/.config/containers/policy.json"
	for name in uid username; do
		run ! pull "$REGISTRY/$name:1"
		[[ $output == *"UNKNOWN: SignatureValidationFailed: "*" is refused by the policy"* ]]
	done
	rm "$HOME/.config/containers/policy.json"
	pull "$REGISTRY/uid:1"
}

@test "images: those of additional stores are pinned" {
	local other=$BATS_TEST_TMPDIR/other
	OCID_ROOT=$other skopeo-c copy -q "oci:$BATS_FILE_TMPDIR/oci:plain:1" store:shared:1 >/dev/null
	jq -n --arg dir "$other" '{additionalimagestores: [$dir]}' >"$OCID_ROOT/store.json"
	pull "$REGISTRY/uid:1"
	tool cri ListImages
	[ "$(jq -c '[.images[] | [.repoTags[0], .pinned == true]] | sort_by(.[1])' <<<"$output")" = \
		"[[\"$REGISTRY/uid:1\",false],[\"docker.io/library/shared:1\",true]]" ]
	tool 1 cri RemoveImage "$(image shared:1)"
	[[ $stderr == *PERMISSION_DENIED*'only read'* ]]
	tool cri ImageStatus "$(image shared:1)"
	rm "$OCID_ROOT/store.json"
}
