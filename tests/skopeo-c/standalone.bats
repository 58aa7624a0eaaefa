# SPDX-License-Identifier: Apache-2.0
# standalone-sign and standalone-verify, against those of skopeo.

load ../helpers
load signing

NAME=registry.example/a/b:v1

setup_file() {
	file_setup
	signing_setup
	gpg_keys
	cd "$BATS_FILE_TMPDIR" || return
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}' >m.json
	sed 's/2/3/' m.json >other.json
	skopeo standalone-sign m.json "$NAME" "$FINGERPRINT" -o theirs
}

teardown_file() {
	gpg_stop
	file_teardown
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return
	DIGEST=sha256:$(sha256sum <m.json | cut -d ' ' -f 1)
}

@test "standalone-sign: skopeo verifies it" {
	tool skopeo-c standalone-sign m.json "$NAME" good@example.com -o "$BATS_TEST_TMPDIR/s"
	[ -z "$output" ]
	run skopeo standalone-verify m.json "$NAME" "$FINGERPRINT" "$BATS_TEST_TMPDIR/s"
	[[ $output == "Signature verified"*", digest $DIGEST" ]] # newer ones name the key, too
	# from standard input, as the fingerprint, for a short name
	skopeo-c standalone-sign - busybox:1 "$FINGERPRINT" -o "$BATS_TEST_TMPDIR/s" <m.json
	skopeo standalone-verify m.json docker.io/library/busybox:1 "$FINGERPRINT" "$BATS_TEST_TMPDIR/s"
}

@test "standalone-verify: what skopeo has signed" {
	tool skopeo-c standalone-verify m.json "$NAME" "$FINGERPRINT" theirs
	[ "$output" = "Signature verified using fingerprint $FINGERPRINT, digest $DIGEST" ]
	tool skopeo-c standalone-verify --json m.json "$NAME" "0000,${FINGERPRINT,,}" theirs
	jq -e --arg f "$FINGERPRINT" --arg d "$DIGEST" '. == {"fingerprint":$f,"digest":$d}' <<<"$output"
	tool skopeo-c standalone-verify --public-key-file good.gpg m.json "$NAME" any theirs
	tool skopeo-c standalone-verify --public-key-file good.gpg m.json "$NAME" "$FINGERPRINT" theirs
}

@test "standalone-verify: another manifest, name, key, or no signature" {
	tool 7 skopeo-c standalone-verify other.json "$NAME" "$FINGERPRINT" theirs
	error_is integrity "for another manifest"
	tool 7 skopeo-c standalone-verify m.json "${NAME/v1/v2}" "$FINGERPRINT" theirs
	error_is integrity "for the name $NAME, not"
	tool 7 skopeo-c standalone-verify m.json "$NAME" "${FINGERPRINT:4}0000" theirs
	error_is integrity "the signature is by $FINGERPRINT"
	tool 7 skopeo-c standalone-verify --public-key-file other.gpg m.json "$NAME" any theirs
	tool 7 skopeo-c standalone-verify m.json "$NAME" "$FINGERPRINT" m.json
	tool 7 skopeo-c standalone-verify --public-key-file m.json m.json "$NAME" any theirs
	tool 3 skopeo-c standalone-verify m.json "$NAME" "$FINGERPRINT" none
	tool 2 skopeo-c standalone-verify m.json "$NAME" any theirs
	error_is usage "--public-key-file"
	tool 2 skopeo-c standalone-verify m.json "not A name" "$FINGERPRINT" theirs
}

@test "standalone-sign: usage, a key that is not there, a file that cannot be written" {
	tool 2 skopeo-c standalone-sign m.json "$NAME" good@example.com
	tool 2 skopeo-c standalone-sign m.json "NOT A NAME" good@example.com -o "$BATS_TEST_TMPDIR/s"
	tool 2 skopeo-c standalone-sign m.json "$NAME" nobody@example.com -o "$BATS_TEST_TMPDIR/s"
	tool 3 skopeo-c standalone-sign none.json "$NAME" good@example.com -o "$BATS_TEST_TMPDIR/s"
	tool 7 skopeo-c standalone-sign good.gpg "$NAME" good@example.com -o "$BATS_TEST_TMPDIR/s"
	[ ! -e "$BATS_TEST_TMPDIR/s" ]
	tool 9 skopeo-c standalone-sign m.json "$NAME" good@example.com -o /dev/full
}
