#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Layers that are unpacked while their blobs still come. The registry gives the last part of a blob
# when it is told to, so what happens before that happens while the blob is not there.
# shellcheck disable=SC2016 # the inner shell expands what is quoted
load ../helpers
load common

setup_file() {
	file_setup
	cd "$BATS_FILE_TMPDIR" || return
	mkdir server
	for i in 1 2; do
		head -c 3000000 /dev/urandom >"early$i"
		head -c 500000 /dev/urandom >"late$i"
		tar -cf "l$i.tar" "early$i" "late$i"
	done
	make_tar small.tar file:small:text=small
	# its last file is a link into the layer beneath
	tar -cf leans.tar early2 late2
	make_tar link.tar link:again:to=early1
	tar -Af leans.tar link.tar
	oci_image server/layout one '{}' l1.tar
	BLOB=$(cd server/layout/blobs/sha256 && find . -size +1M | cut -c 3-)
	oci_image server/layout three '{}' l1.tar small.tar l2.tar
	head -c 30000000 /dev/zero | tr '\0' x >large
	tar -cf swells.tar early2 large late2
	oci_image server/layout swells '{}' swells.tar
	oci_image server/layout leans '{}' l1.tar leans.tar
	/usr/bin/python3 "$TESTS/ctr-store/held-registry.py" server >server/output 2>&1 3>&- &
	echo $! >server/pid
	wait_for 10 test -f server/port
	HELD=127.0.0.1:$(cat server/port)
	export BLOB HELD SERVER=$PWD/server
}

teardown_file() {
	local pid

	pid=$(cat "$SERVER/pid")
	kill "$pid"
	wait_for 10 process_gone "$pid"
	file_teardown
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	rm -f "$SERVER/go" "$SERVER/log"
	BACKEND=overlay ON_PROCESSOR=""
}

teardown() {
	local pid

	touch "$SERVER/go"
	while read -r pid; do
		wait_for 30 process_gone "$pid" || kill -9 "$pid"
	done < <(cat ./*.pull-pid ./*.unpack-pid)
	wait
	clean_store
}

# pull NAME [IMAGE]: begin to pull and unpack; what comes of it is in the files NAME.*
pull() {
	{
		{
			command skopeo-c copy --tls-verify=false --events 1 --retry-times 2 --retry-delay 10ms \
				"docker://$HELD/${2:-held/x:one}" store: 2>"$1.pull" &
			echo $! >"$1.pull-pid"
			wait $!
		} | {
			# shellcheck disable=SC2086 # words
			env $ON_PROCESSOR ctr-store unpack --log-level info --backend "$BACKEND" \
				<&0 >"$1.document" 2>"$1.unpack" &
			echo $! >"$1.unpack-pid"
			local status=0
			wait $! || status=$?
			echo "$status" >"$1.status"
		}
	} 3>&- 2>/dev/null &
}

# ended NAME STATUS: of unpack
ended() {
	wait_for 30 test -s "$1.status"
	wait_for 30 process_gone "$(cat "$1.pull-pid")"
	cat "$1.pull" "$1.unpack" "$1.status"
	[ "$(cat "$1.status")" -eq "$2" ]
}

# what a layer that is not finished has of a file that only its worker can have made
is_unpacked() { # FILE BYTES
	[ "$(cat "$OCID_ROOT"/tmp/*/*/diff/"$1" | wc -c)" -ge "$2" ]
}

image_has() { # BYTES
	[ "$(cat "$OCID_ROOT"/tmp/*/*/diff | wc -c)" -ge "$1" ]
}

large_blobs() {
	find "$OCID_ROOT/images/blobs" -size +1M
}

# what was waited for happened while no large blob was there
release() {
	[ -z "$(large_blobs)" ]
	[ ! -e one.status ]
	touch "$SERVER/go"
}

# layer NUMBER: is the right one, and was not there twice
layer_is_right() {
	local tree

	tree=$(layer_tree "$BATS_FILE_TMPDIR/l$1.tar")
	cmp "$BATS_FILE_TMPDIR/early$1" "$tree/early$1"
	cmp "$BATS_FILE_TMPDIR/late$1" "$tree/late$1"
}

was_asked_for_twice() {
	[ "$(grep -c "^$BLOB -$" "$SERVER/log")" -eq 2 ]
}

said() { # TEXT: how often, by unpack
	cat ./*.unpack | grep -c "$1" || true
}

@test "follow: a layer is unpacked while its blob still comes, and gc leaves it alone" {
	pull one
	wait_for 20 is_unpacked early1 3000000
	[ -z "$(layers)" ]
	tool ctr-store gc
	release
	ended one 0
	layer_is_right 1
	[ "$(said "as it comes")" -eq 1 ]
	[ "$(said "unpacking layer")" -eq 1 ]
	nothing_unfinished
	tool ctr-store check --deep
}

@test "follow: so is an EROFS image" {
	BACKEND=erofs pull one
	wait_for 20 image_has 2000000
	release
	ended one 0
	[ "$(said "unpacking layer")" -eq 1 ]
	[ -f "$(layer_tree "$BATS_FILE_TMPDIR/l1.tar")" ]
	nothing_unfinished
	tool ctr-store check --deep
}

@test "follow: of a blob whose last byte is wrong nothing is left" {
	pull one false/x:one
	wait_for 20 is_unpacked early1 3000000
	release
	ended one 1
	grep -q "has the digest" one.pull
	[ -z "$(layers)$(large_blobs)" ]
	nothing_unfinished
}

@test "follow: a download that goes on where it broke is followed on" {
	pull one broken/x:one
	wait_for 20 is_unpacked early1 3000000
	release
	ended one 0
	grep -q "bytes=[1-9]" "$SERVER/log"
	layer_is_right 1
	[ "$(said "unpacking layer")" -eq 1 ]
	nothing_unfinished
}

@test "follow: a blob that is begun anew is unpacked when it is whole" {
	pull one false-rest/x:one
	wait_for 20 is_unpacked early1 3000000
	release
	ended one 0
	layer_is_right 1
	[ "$(said "as it comes")" -eq 1 ]
	[ "$(said "unpacking layer")" -eq 2 ]
	nothing_unfinished
}

@test "follow: a killed pull ends the unpacking, and the next one goes on with the blob" {
	pull one
	wait_for 20 is_unpacked early1 3000000
	kill -9 "$(cat one.pull-pid)"
	ended one 1
	grep -q "standard input ends before the document" one.unpack
	[ -z "$(layers)" ]
	tool ctr-store gc
	[ "$(count "$OCID_ROOT/tmp")" -eq 1 ]
	touch "$SERVER/go"
	pull two
	ended two 0
	grep -q "bytes=[1-9]" "$SERVER/log"
	layer_is_right 1
	nothing_unfinished
}

@test "follow: killed unpacking leaves nothing that gc does not take" {
	pull one
	wait_for 20 is_unpacked early1 3000000
	kill -9 "$(cat one.unpack-pid)"
	touch "$SERVER/go"
	ended one 137
	tool ctr-store gc
	[ -z "$(layers)" ]
	pull two
	ended two 0
	layer_is_right 1
	nothing_unfinished
}

@test "follow: one of two who pull the same follows it" {
	pull one
	wait_for 20 is_unpacked early1 3000000
	pull two
	wait_for 20 was_asked_for_twice
	release
	ended one 0
	ended two 0
	layer_is_right 1
	[ "$(said "as it comes")" -eq 1 ]
	nothing_unfinished
}

@test "follow: many pulls, and gc between them" {
	local n

	touch "$SERVER/go"
	for n in 1 2 3 4 5 6; do
		pull "$n" held/x:three
		tool ctr-store gc
	done
	for n in 1 2 3 4 5 6; do
		ended "$n" 0
	done
	layer_is_right 1
	layer_is_right 2
	nothing_unfinished
	tool ctr-store check --deep
}

@test "follow: a layer that leans waits for what is beneath, which comes too" {
	pull one held/x:leans
	wait_for 20 is_unpacked early1 3000000
	release
	ended one 0
	mkdir mnt
	tool ctr-store mount "$HELD/held/x:leans" mnt
	cmp "$BATS_FILE_TMPDIR/early1" mnt/again
	cmp "$BATS_FILE_TMPDIR/late2" mnt/late2
	tool ctr-store umount mnt
	nothing_unfinished
}

@test "follow: a layer whose blob is there does not wait for those that still come" {
	ON_PROCESSOR="taskset -c $(taskset -pc $$ | sed 's/.*: //; s/[-,].*//')" pull one held/x:three
	wait_for 20 is_unpacked early1 3000000
	wait_for 20 test -d "$(layer_tree "$BATS_FILE_TMPDIR/small.tar")"
	[ "$(layers | wc -l)" -eq 1 ]
	release
	ended one 0
	layer_is_right 1
	layer_is_right 2
	nothing_unfinished
}

@test "follow: a disk that is full is told, and left as it was" {
	small_disk "$OCID_ROOT" 12M
	pull one held/x:swells
	wait_for 20 test -s one.pull-pid
	touch "$SERVER/go"
	wait_for 30 process_gone "$(cat one.pull-pid)"
	wait_for 30 test -s one.status
	cat one.pull one.unpack
	[ "$(cat one.status)" -ne 0 ]
	[ -z "$(layers)" ]
	nothing_unfinished
	mount -o remount,size=100M "$OCID_ROOT"
	pull two held/x:swells
	ended two 0
	[ "$(stat -c %s "$(layer_tree "$BATS_FILE_TMPDIR/swells.tar")/large")" -eq 30000000 ]
	umount "$OCID_ROOT"
}
