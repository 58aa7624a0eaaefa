# SPDX-License-Identifier: Apache-2.0
# Uploads that break, and registries that take them in parts only, or not.

load ../helpers
load common

setup_file() {
	file_setup
	liar_start
	registry_start
	head -c 9500000 /dev/urandom >"$BATS_FILE_TMPDIR/layer"
	oci_image "$BATS_FILE_TMPDIR/oci" v1 '{}' "$BATS_FILE_TMPDIR/layer"
	SIZE=$(skopeo-c inspect --raw "oci:$BATS_FILE_TMPDIR/oci:v1" | jq '.layers[0].size')
	export SIZE
	skopeo-c copy --dest-tls-verify=false "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$REGISTRY/source:v1"
}

teardown_file() {
	liar_stop
	file_teardown
}

setup() {
	export OCID_RUNROOT=$BATS_TEST_TMPDIR/run
	: >"$LIAR_LOG"
	local=oci:$BATS_FILE_TMPDIR/oci:v1
}

# copy [STATUS] OPTION... SOURCE REPOSITORY: one blob after the other, first the configuration
copy() {
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	tool "$expected" skopeo-c copy --image-parallel-copies 1 --src-tls-verify=false --dest-tls-verify=false "${@:1:$#-1}" "docker://$LIAR/${*: -1}:v1"
}

# requests REPOSITORY: what was asked of the upload of the layer, in a line
requests() {
	awk -v name="/v2/$1/blobs/uploads/" 'index($3, name) == 1 { print $2 (NF > 4 ? ":" $5 : "") }' "$LIAR_LOG" |
		tail -n +3 | xargs
}

# the registry has what was copied, and no upload is remembered
is_there() {
	tool skopeo-c copy --src-tls-verify=false "docker://$LIAR/$1:v1" "oci:$BATS_TEST_TMPDIR/check:v1"
	diff -r "$BATS_FILE_TMPDIR/oci/blobs" "$BATS_TEST_TMPDIR/check/blobs"
	rm -r "$BATS_TEST_TMPDIR/check"
	[ -z "$(ls -A "$OCID_RUNROOT/uploads")" ]
}

@test "copy: an upload that breaks goes on where the registry says it stands, in parts" {
	for source in "$local" "docker://$REGISTRY/source:v1"; do
		name=pushes/breaks/$([[ $source == oci:* ]] && echo file || echo registry)
		copy "$source" "$name"
		[ "$(requests "$name")" = "POST PUT GET PATCH:3000000-7194303 PATCH:7194304-$((SIZE - 1)) PUT" ]
		is_there "$name"
	done
}

@test "copy: an upload that the registry has as a whole only needs to be ended" {
	for source in "$local" "docker://$REGISTRY/source:v1"; do
		name=pushes/silent/$([[ $source == oci:* ]] && echo file || echo registry)
		copy "$source" "$name"
		[ "$(requests "$name")" = "POST PUT GET PUT" ]
		is_there "$name"
	done
}

@test "copy: what cannot be mounted, as who writes here may not read there, is sent" {
	for answer in 401 403 404; do
		tool skopeo-c copy --src-tls-verify=false --dest-tls-verify=false "docker://$LIAR/good/x:v1" "docker://$LIAR/no-mounts/$answer:v1"
		grep -q "POST /v2/no-mounts/$answer/blobs/uploads/?mount=" "$LIAR_LOG"
		tool skopeo-c copy --src-tls-verify=false "docker://$LIAR/no-mounts/$answer:v1" "dir:$BATS_TEST_TMPDIR/$answer"
	done
}

@test "copy: the next run goes on with an upload that was given up" {
	for source in "$local" "docker://$REGISTRY/source:v1"; do
		name=pushes/stubborn/$([[ $source == oci:* ]] && echo file || echo registry)
		copy 8 --retry-times 0 "$source" "$name"
		# where it goes on is nobody else's business
		[ "$(stat -c %a "$OCID_RUNROOT/uploads" "$OCID_RUNROOT"/uploads/.[!.]* | xargs)" = "700 600" ]
		[[ $stderr != *secret* ]]
		copy 8 --retry-times 0 "$source" "$name"
		copy --retry-times 0 "$source" "$name"
		left=$((7194304 + (SIZE - 7194304) / 2))
		[ "$(requests "$name")" = "POST PUT GET PATCH:3000000-7194303 PATCH:7194304-$((SIZE - 1)) GET PATCH:$left-$((SIZE - 1)) PUT" ]
		is_there "$name"
	done
}

@test "copy: registries that are odd about parts get the blob in another way" {
	declare -A expected=(
		[lost]="POST PUT GET POST PATCH:0-4194303 PATCH:4194304-8388607 PATCH:8388608-$((SIZE - 1)) PUT"
		[large]="POST PUT GET PATCH:3000000-8999999 PATCH:9000000-$((SIZE - 1)) PUT"
		[small]="POST PUT POST PATCH:0-4194303 PATCH:4194304-8388607 PATCH:8388608-$((SIZE - 1)) PUT"
		[partless]="POST PUT GET PATCH:3000000-7194303 POST PUT"
		[ill]="POST PUT GET PATCH:3000000-7194303 GET PATCH:3000000-7194303 PATCH:7194304-$((SIZE - 1)) PUT"
		[half]="POST PUT GET PATCH:3000000-7194303 GET PATCH:5097152-9291455 PATCH:9291456-$((SIZE - 1)) PUT"
		[damaged]="POST PUT GET PATCH:3000000-7194303 PATCH:7194304-$((SIZE - 1)) PUT POST PATCH:0-4194303 PATCH:4194304-8388607 PATCH:8388608-$((SIZE - 1)) PUT"
	)
	pids=()
	for odd in "${!expected[@]}"; do
		timeout 60 skopeo-c copy --image-parallel-copies 1 --dest-tls-verify=false "$local" "docker://$LIAR/pushes/$odd:v1" >/dev/null 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	for odd in "${!expected[@]}"; do
		echo "$odd: $(requests "pushes/$odd")"
		[ "$(requests "pushes/$odd")" = "${expected[$odd]}" ]
	done
	for odd in "${!expected[@]}"; do
		is_there "pushes/$odd"
	done
}

@test "copy: an upload whose bytes are wrong is not gone on with, and an old note goes" {
	mkdir -p "$OCID_RUNROOT/uploads"
	touch -d '25 hours ago' "$OCID_RUNROOT/uploads/.partial.old"
	cp -r "$BATS_FILE_TMPDIR/oci" "$BATS_TEST_TMPDIR/damaged"
	layer=$(skopeo-c inspect --raw "$local" | jq -r '.layers[0].digest')
	printf X | dd of="$BATS_TEST_TMPDIR/damaged/blobs/sha256/${layer#sha256:}" bs=1 seek=5000 conv=notrunc status=none
	copy 8 --retry-times 0 "oci:$BATS_TEST_TMPDIR/damaged:v1" pushes/breaks/damaged
	[ "$(find "$OCID_RUNROOT/uploads" -type f | wc -l)" -eq 1 ]
	copy 7 --retry-times 0 "oci:$BATS_TEST_TMPDIR/damaged:v1" pushes/breaks/damaged
	error_is integrity "$layer"
	tool 3 skopeo-c inspect --tls-verify=false "docker://$LIAR/pushes/breaks/damaged:v1"
}

# foreign LAYOUT: its image's first layer becomes nondistributable
foreign() {
	local blobs=$1/blobs/sha256 manifest

	manifest=$blobs/$(jq -r '.manifests[0].digest[7:]' "$1/index.json")
	jq -c '.layers[0] |= (.mediaType = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")' "$manifest" >manifest
	jq -c --arg digest "sha256:$(sha256sum manifest | cut -d' ' -f1)" --argjson size "$(stat -c %s manifest)" \
		'.manifests[0] |= (.digest = $digest | .size = $size)' "$1/index.json" >index
	mv manifest "$blobs/$(jq -r '.manifests[0].digest[7:]' index)"
	mv index "$1/index.json"
}

@test "upload: a nondistributable layer that is nowhere else goes to the registry, as by skopeo" {
	cd "$BATS_TEST_TMPDIR"
	busybox_tar base.tar
	oci_image lay v1 '{}' base.tar >/dev/null
	foreign lay
	tool skopeo-c copy --dest-tls-verify=false oci:lay:v1 "docker://$REGISTRY/nowhere/else:1"
	skopeo copy -q --dest-tls-verify=false oci:lay:v1 "docker://$REGISTRY/by/skopeo:1"
	[ "$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/nowhere/else:1")" = \
		"$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/by/skopeo:1")" ]
	layer=$(jq -r '.layers[0].digest' "lay/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' lay/index.json)")
	curl -fsI "http://$REGISTRY/v2/nowhere/else/blobs/$layer"
}

@test "copy: a registry that leads elsewhere by 307 or 308 is followed, without what opens it" {
	for code in 307 308; do
		: >"$LIAR_LOG"
		tool skopeo-c copy --dest-tls-verify=false --dest-registry-token sesame "$local" "docker://$LIAR/moves/$code:v$code"
		there=$(skopeo-c inspect --raw --tls-verify=false "docker://$LIAR_ELSEWHERE/takes/x:v$code")
		[ "$there" = "$(skopeo-c inspect --raw "$local")" ]
		grep -q "^${LIAR#*:} .* Bearer_sesame" "$LIAR_LOG"
		run ! grep "^${LIAR_ELSEWHERE#*:} .* Bearer" "$LIAR_LOG"
	done
	# these turn what is sent into a GET
	for code in 301 302 303; do
		tool 1 skopeo-c copy --dest-tls-verify=false "$local" "docker://$LIAR/moves/$code:v1"
		error_is failed "redirects to where we cannot follow"
	done
}
