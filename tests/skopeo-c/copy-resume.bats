# SPDX-License-Identifier: Apache-2.0
# Downloads that break off go on where they broke.

load ../helpers
load common

setup_file() {
	file_setup
	liar_start
}

teardown_file() {
	liar_stop
	file_teardown
}

# a store of every test's own, since a blob that is there is not fetched again
setup() {
	export OCID_ROOT=$BATS_TEST_TMPDIR/root
	: >"$LIAR_LOG"
}

# copy [STATUS] OPTION... SOURCE DESTINATION
copy() {
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	tool "$expected" skopeo-c copy --tls-verify=false "$@"
}

# copy_meanwhile OPTION... SOURCE DESTINATION: most of the time is spent in waiting
copy_meanwhile() {
	timeout 60 skopeo-c copy --tls-verify=false "$@" >/dev/null 3>&- &
	pids+=($!)
}

all_copied() {
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
}

@test "copy: what has come of a blob is not fetched again" {
	local n=0 i
	for to in store:parts "dir:$BATS_TEST_TMPDIR/d" "docker-archive:$BATS_TEST_TMPDIR/a.tar" "docker://$LIAR/takes-anew/parts:v1"; do
		copy_meanwhile --retry-times 2 "docker://$LIAR/parts/$((++n)):v1" "$to"
	done
	all_copied
	for ((i = 1; i <= n; i++)); do
		[ "$(ranges "parts/$i")" = "- bytes=500000- bytes=1000000-" ]
	done
	# the image is whole: what is read is verified
	copy "docker://$LIAR/takes-anew/parts:v1" "dir:$BATS_TEST_TMPDIR/again"
	diff -r "$BATS_TEST_TMPDIR/d" "$BATS_TEST_TMPDIR/again"
}

@test "copy: the parts of a blob are as many as retries were allowed" {
	copy 8 --retry-times 1 "docker://$LIAR/parts/x:v1" "oci:$BATS_TEST_TMPDIR/o"
	error_is temporary "connection broke"
	[ "$(ranges parts/x)" = "- bytes=500000-" ]
	nothing_unfinished "$BATS_TEST_TMPDIR/o"
	copy 8 --retry-times 0 "docker://$LIAR/parts/x:v1" "docker://$LIAR/takes-anew/few:v1"
	copy 3 "docker://$LIAR/takes-anew/few:v1" "dir:$BATS_TEST_TMPDIR/d"
}

@test "copy: the rest is waited for when the registry is busy, and asked for with a new authorization" {
	before=$(date +%s%N)
	copy --retry-times 3 --src-creds alice:secret "docker://$LIAR/parts-busy/x:v1" "docker://$LIAR/takes-anew/busy:v1"
	[ "$(ranges parts-busy/x)" = "- bytes=500000- bytes=500000- bytes=500000- bytes=500000-" ]
	# 0.5 s, the 2 of Retry-After, 2 more: without it there would be 3.5
	[ $((($(date +%s%N) - before) / 1000000)) -ge 4400 ]
	tail -n 20 "$LIAR_LOG" | grep -q "Basic_.* bytes=500000-"
}

@test "copy: of a registry that knows no ranges the beginning is passed over" {
	copy_meanwhile "docker://$LIAR/parts-unknown/x:v1" "dir:$BATS_TEST_TMPDIR/d"
	copy_meanwhile "docker://$LIAR/parts-unknown/y:v1" "docker://$LIAR/takes-anew/unknown:v1"
	all_copied
	[ "$(ranges parts-unknown/x)" = "- bytes=500000- bytes=1000000-" ]
	copy "docker://$LIAR/takes-anew/unknown:v1" "dir:$BATS_TEST_TMPDIR/again"
	diff -r "$BATS_TEST_TMPDIR/d" "$BATS_TEST_TMPDIR/again"
}

@test "copy: a rest that does not fit is no reason to give the blob up" {
	for lie in other wrong never short; do
		copy_meanwhile "docker://$LIAR/parts-$lie/x:v1" "dir:$BATS_TEST_TMPDIR/d-$lie"
	done
	copy_meanwhile "docker://$LIAR/parts-wrong/y:v1" "docker://$LIAR/takes-anew/wrong:v1"
	all_copied
	for lie in other wrong never short; do
		[ "$(ranges "parts-$lie/x")" = "- bytes=1000- -" ]
	done
	copy 7 --retry-times 1 "docker://$LIAR/parts-wrong/z:v1" "oci:$BATS_TEST_TMPDIR/o"
	error_is integrity "blob sha256:"
	nothing_unfinished "$BATS_TEST_TMPDIR/o"
}

@test "copy: of a layer that is begun again nothing is left where it is written in its new form" {
	cd "$BATS_TEST_TMPDIR"
	copy --dest-decompress "docker://$LIAR/good/x:v1" dir:plain
	for lie in wrong short; do
		copy --dest-decompress "docker://$LIAR/parts-$lie/p:v1" "docker-archive:$lie.tar:x:1"
		tar xf $lie.tar "$(jq -r '.layers[0].digest[7:]' plain/manifest.json).tar"
		skopeo copy -q "docker-archive:$lie.tar" "dir:$lie"
		diff -r --exclude=version --exclude=manifest.json plain $lie
		copy --dest-compress-format zstd "docker://$LIAR/parts-$lie/q:v1" "oci-archive:$lie.oci:x"
		copy --dest-decompress "oci-archive:$lie.oci:x" "dir:$lie-again"
		diff -r --exclude=version --exclude=manifest.json plain "$lie-again"
	done
	cmp wrong.tar short.tar
	copy 7 --retry-times 0 --dest-decompress "docker://$LIAR/wrong-blob/x:v1" docker-archive:none.tar
	error_is integrity
	[ ! -e none.tar ]
	nothing_unfinished .
}

@test "copy: a Retry-After that is a date is respected, by the registry's own clock" {
	before=$(date +%s%N)
	tool skopeo-c inspect --raw --retry-times 1 --tls-verify=false "docker://$LIAR/busy-until/x:v1"
	[ $((($(date +%s%N) - before) / 1000000)) -ge 1900 ]
}
