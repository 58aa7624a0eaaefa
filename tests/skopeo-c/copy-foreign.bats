# SPDX-License-Identifier: Apache-2.0
# Layers that must not be distributed ("foreign", nondistributable), and are where their URLs say.

load ../helpers
load common
load signing

setup_file() {
	file_setup
	liar_start
	signing_registry_start # takes any manifest
	tool skopeo-c copy -q --src-tls-verify=false "docker://$LIAR/good/x:v1" "oci:$BATS_FILE_TMPDIR/whole:v1"
	LAYER=$(skopeo inspect --raw "oci:$BATS_FILE_TMPDIR/whole:v1" | jq -r '.layers[0].digest')
	export LAYER
}

teardown_file() {
	signing_registry_stop
	liar_stop
	file_teardown
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	: >"$LIAR_LOG"
}

# foreign NAME URL-LIST: an image in the registry that lacks its layer; in the list "GOOD/" and such stand for where
# that is in such a repository of the liar. $IMAGE is its name, $DIGEST its digest.
foreign() {
	local urls=$2 repository

	for repository in good basic file wrong-blob locked away; do
		urls=${urls//"${repository^^}/"/http://$LIAR/v2/$repository/x/blobs/$LAYER}
	done
	rm -rf source
	skopeo copy -q "oci:$BATS_FILE_TMPDIR/whole:v1" dir:source
	jq -c --argjson urls "$urls" '.layers[0] += {$urls, mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"}' \
		source/manifest.json >manifest.json
	mv manifest.json source/
	IMAGE=docker://$SIGNING/$1:v1
	DIGEST=sha256:$(sha256sum source/manifest.json | cut -d ' ' -f 1)
	tool skopeo-c copy -q --dest-tls-verify=false dir:source "$IMAGE"
	rm -r source
	run ! curl -fsI "http://$SIGNING/v2/$1/blobs/$LAYER"
}

copy() { # [STATUS] ARG...
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	tool "$expected" skopeo-c copy -q --src-tls-verify=false --dest-tls-verify=false "$@"
}

@test "foreign layers: a registry and a layout are not given them, as by skopeo" {
	foreign away '["GOOD/"]'
	copy "$IMAGE" oci:ours:v1
	skopeo copy -q --src-tls-verify=false "$IMAGE" oci:peer:v1
	diff -r ours/blobs peer/blobs
	copy oci:ours:v1 oci-archive:ours.tar:v1
	run ! grep -F "${LAYER#sha256:}" <(tar -tf ours.tar)
	copy oci-archive:ours.tar:v1 "docker://$SIGNING/back:v1"
	skopeo inspect --raw --tls-verify=false "docker://$SIGNING/back:v1" | sha256sum --check <(echo "${DIGEST#sha256:}  -")
	[ ! -s "$LIAR_LOG" ]
}

@test "foreign layers: who needs the bytes gets them from the URLs, also out of a layout" {
	foreign far '["GOOD/"]'
	copy "$IMAGE" oci:layout:v1
	for source in "$IMAGE" oci:layout:v1; do
		rm -rf ours peer
		copy "$source" dir:ours
		skopeo copy -q --src-tls-verify=false "$source" dir:peer
		cmp "ours/${LAYER#sha256:}" "peer/${LAYER#sha256:}"
		[ "sha256:$(sha256sum ours/manifest.json | cut -d ' ' -f 1)" = "$DIGEST" ]
		copy "$source" store:far:v1
		copy store:far:v1 dir:again
		diff -r ours again
		copy "$source" docker-archive:a.tar:far:v1
		rm -rf "$OCID_ROOT/images" a.tar again
	done
}

@test "foreign layers: what is to be had by plain http may have moved, by plain http" {
	foreign moved '["AWAY/"]'
	copy "$IMAGE" oci:layout:v1
	tool skopeo-c copy -q oci:layout:v1 dir:d
	[ -e "d/${LAYER#sha256:}" ]
	[ "$(grep -c . "$LIAR_LOG")" -eq 2 ]
}

@test "foreign layers: the URLs' servers learn nothing of us, and must give the blob" {
	foreign secret '["BASIC/"]'
	copy 6 --src-creds alice:secret "$IMAGE" dir:d
	error_is denied "$LIAR answered 401"
	[ "$(grep -c ' GET .* -$' "$LIAR_LOG")" -eq 1 ]
	run ! grep -q Basic "$LIAR_LOG"
	foreign wrong '["WRONG-BLOB/"]'
	copy 7 "$IMAGE" dir:d
	error_is integrity "$LAYER"
	foreign file '["FILE/"]'
	copy 1 "$IMAGE" dir:d
	error_is failed "redirects to where we cannot follow"
	[ ! -e d/manifest.json ]
}

@test "foreign layers: URLs are tried in order, those of other schemes and with passwords not at all, and not endlessly" {
	foreign order "[\"file:///etc/passwd\",\"ftp://$LIAR/x\",\"/v2/\",7,\"http://u:p@$LIAR/v2/good/x/blobs/$LAYER\"]"
	copy 3 "$IMAGE" dir:d
	error_is not-found "$SIGNING answered 404"
	[ ! -s "$LIAR_LOG" ]
	foreign second "[\"http://127.0.0.1:$(free_port)/x\",\"LOCKED/\",\"FILE/\",\"WRONG-BLOB/\",\"GOOD/\"]"
	copy "$IMAGE" dir:d
	[ "$(grep -c . "$LIAR_LOG")" -eq 4 ]
	: >"$LIAR_LOG"
	foreign many "[$(printf '"LOCKED/",%.0s' {1..8})\"GOOD/\"]"
	copy 6 "$IMAGE" dir:e
	run ! grep -q /v2/good/ "$LIAR_LOG"
}

@test "foreign layers: a full disk is not taken for a URL that does not give them" {
	foreign full '["GOOD/","LOCKED/"]'
	mkdir tiny
	tool 9 unshare --mount sh -c 'mount -t tmpfs -o size=256k none tiny && exec "$@"' sh \
		skopeo-c copy -q --src-tls-verify=false "$IMAGE" dir:tiny/x
	error_is limit "No space left on device"
}
