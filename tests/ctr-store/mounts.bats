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

@test "mounts: one whose directory was renamed is known by its new name" {
	mkdir -p a/m elsewhere
	ctr-store mount --rw t:1 a/m >/dev/null
	echo precious >a/m/mine
	mv a b
	tool ctr-store gc
	[ "$(field '.mounts, .containers' | xargs)" = "0 0" ]
	[ "$(cat b/m/mine b/m/etc/one)" = $'precious\none' ]
	tool ctr-store mounts
	[ "$(field .target)" = "$PWD/b/m" ]
	tool 5 ctr-store rm t:1
	error_is in-use "$PWD/b/m"
	# of two on the same files each is itself
	ctr-store create --image t:1 --name web >/dev/null
	ctr-store mount web elsewhere >/dev/null
	umount elsewhere
	[ "$(ctr-store mounts | wc -l)" -eq 2 ]
	tool ctr-store rm web
	tool ctr-store umount b/m
	[ -z "$(ctr-store mounts)" ]
	tool ctr-store gc
	[ -z "$(ls -A "$OCID_RUNROOT/mounts")" ]
	[ -z "$(ls "$OCID_ROOT/containers")" ]
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

@test "mounts: one of a mount namespace of which no process is seen, for a PID namespace, counts" {
	ctr-store mount --rw t:1 mnt >/dev/null
	echo precious >mnt/mine
	# as in a container that was given the store
	# shellcheck disable=SC2016
	tool unshare --mount --pid --fork --mount-proc --propagation private bash -c \
		'umount "$PWD/mnt" && [ ! -e mnt/mine ] && ctr-store gc && ctr-store mounts'
	[ "$(tail -n 1 <<<"$output" | jq -r .target)" = "$PWD/mnt" ]
	[ "$(cat mnt/mine mnt/etc/one)" = $'precious\none' ]
	tool ctr-store umount mnt
	[ -z "$(ctr-store mounts)" ]
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
