# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of policies and signatures share. Load after ../helpers.

# A home of the file's own, in which nothing is configured, with two GPG keys in it: $FINGERPRINT of
# good@example.com, and other@example.com. Their public keys are good.gpg and other.gpg.
signing_setup() {
	export HOME=$BATS_FILE_TMPDIR/home GNUPGHOME=$BATS_FILE_TMPDIR/gnupg
	unset XDG_CONFIG_HOME XDG_RUNTIME_DIR
	mkdir -p "$HOME/.config/containers/registries.d" "$GNUPGHOME"
	chmod 700 "$GNUPGHOME"
}

gpg_keys() {
	local name

	for name in good other; do
		gpg -q --batch --pinentry-mode loopback --passphrase '' \
			--quick-generate-key "$name@example.com" ed25519 sign never
		gpg -q --export "$name@example.com" >"$BATS_FILE_TMPDIR/$name.gpg"
	done
	FINGERPRINT=$(gpg --list-keys --with-colons good@example.com | awk -F: '/^fpr/ { print $10; exit }')
	export FINGERPRINT
}

gpg_stop() {
	gpgconf --kill all
}

# Where signatures of images in registries are, for the rest of the file; registries.d is the user's.
lookaside_is() {
	printf '%s\n' "$@" >"$HOME/.config/containers/registries.d/test.yaml"
}

# policy FILE REQUIREMENT…: these for docker:, everything else is rejected
policy() {
	local file=$1

	shift
	local IFS=,
	printf '{"default":[{"type":"reject"}],"transports":{"docker":{"":[%s]}}}\n' "$*" >"$file"
}

# signing_registry_start: see signing-registry.py. $SIGNING is HOST:PORT
signing_registry_start() {
	local dir=$BATS_FILE_TMPDIR/signing

	mkdir -p "$dir/lookaside"
	/usr/bin/python3 "$TESTS/skopeo-c/signing-registry.py" "$dir" >"$dir/output" 2>&1 3>&- &
	echo $! >"$dir/pid"
	wait_for 10 test -f "$dir/port"
	SIGNING=127.0.0.1:$(cat "$dir/port")
	SIGNING_DIR=$dir
	export SIGNING SIGNING_DIR
}

signing_registry_stop() {
	local pid file=$BATS_FILE_TMPDIR/signing/pid

	[ -f "$file" ] || return 0
	pid=$(cat "$file")
	kill "$pid" 2>/dev/null || true
	wait_for 10 process_gone "$pid"
	rm "$file"
}

# The digest that a name stands for.
digest_of() {
	skopeo inspect --tls-verify=false --raw "docker://$1" | sha256sum | sed 's/^/sha256:/; s/ .*//'
}

# skopeo, with the policy and without TLS. Its status says whether it lets the image in.
peer_takes() { # POLICY IMAGE
	rm -rf "$BATS_TEST_TMPDIR/peer"
	skopeo --policy "$1" copy -q --src-tls-verify=false "docker://$2" "dir:$BATS_TEST_TMPDIR/peer"
}

# we_take [STATUS] POLICY IMAGE
we_take() {
	local expected=0

	[[ $1 =~ ^[0-9]+$ ]] && expected=$1 && shift
	rm -rf "$BATS_TEST_TMPDIR/ours"
	tool "$expected" skopeo-c copy -q --policy "$1" --src-tls-verify=false "docker://$2" \
		"dir:$BATS_TEST_TMPDIR/ours"
	[ "$expected" -eq 0 ] || [ ! -e "$BATS_TEST_TMPDIR/ours" ]
}
