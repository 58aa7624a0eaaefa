#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

teardown() {
	take_down
}

@test "ns create: pins a namespace whose loopback is up, and says so" {
	net ns create one
	jq -e --arg path "$OCID_RUNROOT/netns/one" '
		.name == "one" and .netns == $path and (.interfaces | length) == 1 and
		(.interfaces[0] | .name == "lo" and (.flags | index("UP")) != null and
		 .addresses == ["127.0.0.1/8", "::1/128"])' <<<"$output"
	[ "$(stat -f -c %T "$OCID_RUNROOT/netns/one")" = nsfs ]
	# another process sees it, and traffic flows over its loopback
	nsenter --net="$OCID_RUNROOT/netns/one" /bin/busybox ping -c 1 -W 2 127.0.0.1
	[ "$(nsenter --net="$OCID_RUNROOT/netns/one" readlink /proc/self/ns/net)" != \
		"$(readlink /proc/self/ns/net)" ]
}

@test "ns create: without a name makes one up, a different one each time" {
	net ns create
	first=$(jq -r .name <<<"$output")
	net ns create
	[[ $first =~ ^[0-9a-f]{64}$ ]]
	[ "$first" != "$(jq -r .name <<<"$output")" ]
}

@test "ns create: a name that is taken is exit 4 and left alone" {
	net ns create one
	before=$(stat -c %i "$OCID_RUNROOT/netns/one")
	net 4 ns create one
	error_is exists 'network namespace "one" exists already'
	[ "$(stat -c %i "$OCID_RUNROOT/netns/one")" = "$before" ]
}

@test "ns create: the id of a container that add has connected is taken, also after a reboot" {
	plugin_nothing
	network nothing "$NOTHING"
	net add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc"}}'
	net 4 ns create abc
	error_is exists
	net ns rm --force abc
	net 4 ns create abc
	error_is exists "del --id abc"
	net del --id abc
	net ns create abc
}

@test "ns create: a name that could lead elsewhere is refused" {
	for name in a/b .. . -- /etc "a b" "" ../x "$(printf 'x%.0s' {1..129})" $'a\nb'; do
		net 2 ns create -- "$name"
		error_is usage
	done
	[ -z "$(ls "$OCID_RUNROOT/netns")" ]
}

@test "ns create: the file that a kill left between its two steps is taken over" {
	net ns list
	touch "$OCID_RUNROOT/netns/one"
	net ns list
	[ -z "$output" ]
	net ns create one
	[ "$(stat -f -c %T "$OCID_RUNROOT/netns/one")" = nsfs ]
}

@test "ns create: a kill at any moment leaves what the next command can work with" {
	for n in {1..60}; do
		ctr-net ns create one >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "0.00$((n % 10))$((RANDOM % 10))"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		net ns rm --force one
		[ ! -e "$OCID_RUNROOT/netns/one" ]
		net ns create one
		net ns rm one
	done
}

@test "ns create: of many at once with one name exactly one wins" {
	for n in {1..12}; do
		ctr-net ns create one >"$BATS_TEST_TMPDIR/$n" 2>/dev/null 3>&- &
	done
	wait
	[ "$(cat "$BATS_TEST_TMPDIR"/* | wc -l)" -eq 1 ]
	[ "$(grep -c "$OCID_RUNROOT/netns/one" /proc/self/mountinfo)" -eq 1 ]
}

@test "ns create: the caller stays in its own namespace" {
	ctr-net ns create one >/dev/null
	run ctr-net ns exec "/proc/$$/ns/net" readlink /proc/self/ns/net
	[ "$output" = "$(readlink /proc/self/ns/net)" ]
}

@test "ns create: without privileges is denied, and leaves nothing" {
	dir=$(mktemp -d /tmp/ocid-test.XXXXXX)
	chmod 777 "$dir"
	cp "$OCID_BIN/ctr-net" "$dir/"
	tool 6 setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$dir/ctr-net" --root "$dir/root" --runroot "$dir/run" ns create one
	error_is denied "cannot make a network namespace"
	[ -z "$(ls "$dir/run/netns")" ]
	rm -r "$dir"
}

@test "ns create: a result that cannot be written takes the namespace away again" {
	tool 9 bash -c 'ctr-net ns create full >/dev/full'
	error_is limit "standard output"
	[ ! -e "$OCID_RUNROOT/netns/full" ]
	# nor can one whose name nobody has learnt be removed
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec 7<>"$BATS_TEST_TMPDIR/pipe" 8>"$BATS_TEST_TMPDIR/pipe" 7>&-
	tool 141 bash -c 'ctr-net ns create >&8'
	exec 8>&-
	[ -z "$(ls "$OCID_RUNROOT/netns")" ]
}

@test "ns create: a read-only state directory is an error of one line" {
	mkdir "$BATS_TEST_TMPDIR/ro"
	mount -t tmpfs -o ro none "$BATS_TEST_TMPDIR/ro"
	run --separate-stderr ctr-net --runroot "$BATS_TEST_TMPDIR/ro/run" ns create one
	umount "$BATS_TEST_TMPDIR/ro"
	[ "$status" -ne 0 ]
	[ -z "$output" ]
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	[[ $stderr == *"Read-only file system"* ]]
}
