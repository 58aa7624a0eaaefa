#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one
	store_image docker.io/library/t:1 base.tar
	mkdir mnt
}

teardown() { clean_store; }

@test "mounts: nothing is mounted" {
	tool ctr-store mounts
	[ -z "$output" ]
}

@test "mounts: who has mounted what where" {
	ctr-store mount t:1 mnt >/dev/null
	ctr-store create --image t:1 --id abc >/dev/null
	tool ctr-store mounts
	[ "$(jq -s length <<<"$output")" -eq 2 ]
	[ "$(jq -rs '.[] | select(.rw | not) | .target' <<<"$output")" = "$PWD/mnt" ]
	[ "$(jq -rs '.[] | select(.rw) | .container' <<<"$output")" = abc ]
	[ "$(jq -rs '[.[] | .image] | unique[]' <<<"$output")" = docker.io/library/t:1 ]
	[ "$(jq -s 'all(.pid > 0 and (.layers | length == 1))' <<<"$output")" = true ]
	tool ctr-store mounts --table
	[[ ${lines[0]} == TARGET*IMAGE*CONTAINER*RW*PID*CREATED ]]
}

@test "mounts: a reboot leaves no ghost" {
	ctr-store mount t:1 mnt >/dev/null
	ctr-store mount --rw t:1 >/dev/null
	ctr-store mount t:1 >/dev/null
	ctr-store mounts | jq -r .target | xargs umount
	tool ctr-store mounts
	[ -z "$output" ]
	tool ctr-store gc
	[ "$(field '.mounts, .containers' | xargs)" = "3 1" ]
	[ -z "$(ls -A "$OCID_RUNROOT/mnt")" ]
	[ -z "$(ls -A "$OCID_RUNROOT/mounts")" ]
}

@test "mounts: a container of another mount namespace cannot be mounted again in this one" {
	unshare --mount --propagation private bash -c \
		'ctr-store create --image t:1 --id web >/dev/null; echo >ready; exec sleep 60' 3>&- &
	pid=$!
	wait_for 10 test -e ready
	# what its directory is here would be mounted: nothing
	tool 10 ctr-store mount web mnt
	error_is unsupported "another mount namespace"
	kill "$pid"
	wait "$pid" || true
	tool ctr-store mount web mnt
	[ "$(cat mnt/etc/one)" = one ]
}

@test "mounts: one in another mount namespace counts as long as somebody lives there" {
	unshare --mount --propagation private bash -c \
		'ctr-store mount t:1 mnt >/dev/null; echo >ready; exec sleep 60' 3>&- &
	pid=$!
	wait_for 10 test -e ready
	[ -z "$(ls mnt)" ]
	tool ctr-store mounts
	[ "$(field .target)" = "$PWD/mnt" ]
	tool 5 ctr-store rm t:1
	error_is in-use "mounted at $PWD/mnt"
	tool 10 ctr-store umount mnt
	error_is unsupported "another mount namespace"
	# also where that cannot be told, for want of descriptors
	fault openat:error=EMFILE
	for path in /proc "/proc/$pid/mountinfo"; do
		tool 9 "${FAULTY[@]}" -P "$path" ctr-store gc
		error_is limit "$path"
	done
	tool ctr-store mounts
	[ "$(field .target)" = "$PWD/mnt" ]
	kill "$pid"
	wait "$pid" || true
	tool ctr-store mounts
	[ -z "$output" ]
	tool ctr-store rm t:1
}

@test "mounts: damaged records do not count and go with gc" {
	ctr-store images >/dev/null
	mkdir "$OCID_RUNROOT/mounts/abc"
	echo '{' >"$OCID_RUNROOT/mounts/abc/1.json"
	echo '[]' >"$OCID_RUNROOT/mounts/abc/2.json"
	echo '{"target":"/","source":"x"}' >"$OCID_RUNROOT/mounts/abc/3.json"
	tool ctr-store mounts
	[ -z "$output" ]
	tool ctr-store gc
	[ "$(field .mounts)" = 3 ]
	[ -z "$(ls -A "$OCID_RUNROOT/mounts")" ]
}
