# SPDX-License-Identifier: Apache-2.0
# Downloads that end early and go on in a later run.

load ../helpers
load common

setup_file() {
	file_setup
	liar_start
	LAYER=$(skopeo-c inspect --raw --tls-verify=false "docker://$LIAR/good/x:v1" | jq -r '.layers[0].digest')
	export LAYER
}

teardown_file() {
	liar_stop
	file_teardown
}

setup() {
	export OCID_ROOT=$BATS_TEST_TMPDIR/root
	: >"$LIAR_LOG"
	oci=$BATS_TEST_TMPDIR/o
	partial=.partial.${LAYER/:/.}
}

# copy [STATUS] REPOSITORY DESTINATION
copy() {
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	tool "$expected" skopeo-c copy --tls-verify=false --retry-times 0 "docker://$LIAR/$1:v1" "$2"
}

has_size() {
	[ "$(stat -c %s "$2")" -eq "$1" ]
}

# the layout of $oci holds the image, and nothing else
is_whole() {
	[ "$(sha256sum <"$oci/blobs/sha256/${LAYER#*:}" | cut -d ' ' -f 1)" = "${LAYER#*:}" ]
	[ "$(stat -c %a "$oci/blobs/sha256/${LAYER#*:}")" = 644 ]
	[ "$(ls -A "$oci")" = $'blobs\nindex.json\noci-layout' ]
}

@test "copy: what a broken download has brought is not fetched again by the next run" {
	for to in "oci:$oci:x" store:stops "dir:$BATS_TEST_TMPDIR/d"; do
		: >"$LIAR_LOG"
		copy 8 stops/x "$to"
		error_is temporary "connection broke"
		copy stops/x "$to"
		[ "$(ranges stops/x | tr -s ' -' ' ')" = " bytes=1100000 " ]
	done
	is_whole
	# nothing of it is left, and everything is right
	[ -z "$(ls -A "$OCID_ROOT/tmp")" ]
	cmp "$oci/blobs/sha256/${LAYER#*:}" "$OCID_ROOT/images/blobs/sha256/${LAYER#*:}"
	[ -z "$(find "$BATS_TEST_TMPDIR/d" -name '.*' ! -name d)" ]
	cmp "$oci/blobs/sha256/${LAYER#*:}" "$BATS_TEST_TMPDIR/d/${LAYER#*:}"
}

@test "copy: a killed download goes on, too, and others do not wait for it" {
	skopeo-c copy --tls-verify=false "docker://$LIAR/stops/x-hangs:v1" "oci:$oci:x" 3>&- &
	pid=$!
	wait_for 10 has_size 1100000 "$oci/$partial"
	copy good/x "oci:$oci:other"
	[ -e "$oci/$partial" ]
	rm "$oci/blobs/sha256/${LAYER#*:}"
	kill -9 "$pid"
	wait "$pid" || true
	copy stops/y "oci:$oci:x"
	[ "$(ranges stops/y)" = bytes=1100000- ]
	is_whole
}

@test "copy: what is left of a download is only taken where it fits" {
	mkdir -p "$oci"
	for lie in never wrong; do
		head -c 1100000 /dev/zero >"$oci/$partial"
		copy "stops-$lie/x" "oci:$oci:$lie"
		[ "$(ranges "stops-$lie/x")" = "bytes=1100000- -" ]
		is_whole
		rm "$oci/blobs/sha256/${LAYER#*:}"
	done
	# longer than the blob, or as long and another
	for size in 2000000 "$(skopeo-c inspect --raw --tls-verify=false "docker://$LIAR/good/x:v1" | jq '.layers[0].size')"; do
		head -c "$size" /dev/zero >"$oci/$partial"
		: >"$LIAR_LOG"
		copy stops-never/x "oci:$oci:$size"
		[ "$(ranges stops-never/x)" = - ]
		is_whole
		mv "$oci/blobs/sha256/${LAYER#*:}" "$BATS_TEST_TMPDIR/whole"
	done
	# everything was there but its name
	(cat "$BATS_TEST_TMPDIR/whole" && echo more) >"$oci/$partial"
	: >"$LIAR_LOG"
	copy stops-never/x "oci:$oci:name"
	[ -z "$(ranges stops-never/x)" ]
	is_whole
}

@test "copy: a download that was wrong, or has hardly begun, leaves nothing" {
	copy 7 wrong-blob/x "oci:$oci:x"
	copy 7 long-blob/x "oci:$oci:x"
	copy 8 parts/x "oci:$oci:x"
	[ "$(ls -A "$oci")" = $'blobs\nindex.json\noci-layout' ]
	# a link is not followed
	ln -s "$BATS_TEST_TMPDIR/elsewhere" "$oci/$partial"
	copy good/x "oci:$oci:x"
	[ ! -e "$BATS_TEST_TMPDIR/elsewhere" ]
}

@test "copy: a download that nobody has gone on with for a day is given up" {
	copy 8 stops/x "oci:$oci:x"
	copy 8 stops/x store:x
	copy good/y "oci:$oci:y"
	tool ctr-store gc
	[ ! -e "$oci/$partial" ] # the same blob: it was used up
	[ "$(stat -c %s "$OCID_ROOT/tmp/$partial")" -eq 1100000 ]
	[ "$(jq .staging <<<"$output")" -eq 0 ]
	touch -d '25 hours ago' "$OCID_ROOT/tmp/$partial"
	cp -a "$OCID_ROOT/tmp/$partial" "$oci/.partial.sha256.0"
	tool ctr-store gc --dry-run
	[ "$(jq .staging <<<"$output")" -eq 1 ]
	[ -e "$OCID_ROOT/tmp/$partial" ]
	tool ctr-store gc
	[ "$(jq .staging <<<"$output")" -eq 1 ]
	[ -z "$(ls -A "$OCID_ROOT/tmp")" ]
	copy good/y "oci:$oci:y"
	is_whole
	copy 8 stops/x store:x
	[ -e "$OCID_ROOT/tmp/$partial" ]
	tool ctr-store wipe
	[ -z "$(ls -A "$OCID_ROOT/tmp")" ]
}
