#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every verb at the same time as every other, and as pulls: only the expected answers, and an empty
# store in the end.
load ../helpers
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	make_tar base.tar dir:etc file:etc/one:text=one
	for i in 1 2 3; do
		make_tar "l$i.tar" "file:f$i:text=$i"
		oci_image pulled "docker.io/library/i$i:1" '{}' base.tar "l$i.tar" >/dev/null
		mkdir "m$i"
	done
}

teardown() { clean_store; }

# Do any verb, again and again, and note a status that is not expected.
do_anything() { # SECONDS DIR
	local end=$((SECONDS + $1)) image container command expected status

	while [ "$SECONDS" -lt "$end" ]; do
		image=i$((RANDOM % 3 + 1)):1
		container=c$((RANDOM % 4))
		case $((RANDOM % 9)) in
		0) command="create --image $image --name $container" expected="0 3 4 8" ;;
		1) command="mount $image $2" expected="0 3 8" ;;
		2) command="mount --rw $image $2" expected="0 3 8" ;;
		3) command="umount $2" expected="0 3" ;;
		4) command="mount $container" expected="0 3 4" ;;
		5) command="umount $container" expected="0 2 3" ;;
		6) command="rm $container" expected="0 3 5" ;;
		7) command="rm $image" expected="0 3 5" ;;
		8) command=gc expected=0 ;;
		esac
		status=0
		# shellcheck disable=SC2086 # a verb and its operands
		out=$(ctr-store $command 2>&1 >/dev/null) || status=$?
		[[ " $expected " == *" $status "* ]] || echo "$command: $status: $out" >>unexpected
	done
}

pull() { # SECONDS
	local end=$((SECONDS + $1)) i

	while [ "$SECONDS" -lt "$end" ]; do
		i=$((RANDOM % 3 + 1))
		skopeo-c copy "oci:pulled:docker.io/library/i$i:1" "store:docker.io/library/i$i:1" \
			>/dev/null 2>>unexpected
		sleep 0.05
	done
}

@test "ctr-store: any verbs at once, with pulls, do not hurt each other" {
	command -v skopeo-c >/dev/null || skip "skopeo-c is not built"
	for i in 1 2 3; do
		do_anything 5 "m$i" 3>&- &
	done
	pull 5 3>&- &
	wait
	if [ -s unexpected ]; then
		cat unexpected
		return 1
	fi
	# every record is a mount, and every mount a record
	[ "$(ctr-store mounts | wc -l)" -eq "$(grep -c "$PWD.* ocid:\|$BATS_FILE_TMPDIR.* ocid:" /proc/self/mountinfo)" ]
	for ((tries = 0; tries < 100; tries++)); do
		[ -n "$(ctr-store mounts)" ] || break
		ctr-store umount --force m1 m2 m3 c0 c1 c2 c3 || ctr-store rm --force c0 c1 c2 c3 >/dev/null
	done
	[ -z "$(ctr-store mounts)" ]
	ctr-store rm --force c0 c1 c2 c3 i1:1 i2:1 i3:1 >/dev/null
	tool ctr-store gc
	[ "$(field '.blobs + .layers + .staging + .containers + .mounts')" -eq 0 ]
	[ -z "$(find "$OCID_RUNROOT/erofs" -mindepth 2)" ]
	[ -z "$(find "$OCID_ROOT"/{layers,containers,tmp,images/blobs/sha256} -mindepth 1)" ]
}

@test "ctr-store: who counts unfinished work does not disturb one that just begins" {
	store_image docker.io/library/t:1 base.tar
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 timeout -k 5 "${TOOL_TIMEOUT:-60}" \
		strace -f -o calls -e trace=openat -e inject=openat:signal=STOP:when=1 -P lock \
		ctr-store unpack t:1 >document 3>&- &
	pid=$!
	wait_for 10 grep -q 'stopped by SIGSTOP' calls
	# as df does, for longer
	/usr/bin/python3 -c 'import fcntl, struct, sys, time
file = open(sys.argv[1], "r+")
fcntl.fcntl(file, 37, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0))
print(flush=True)
time.sleep(1)' "$OCID_ROOT"/tmp/*/lock >locked 3>&- &
	wait_for 10 test -s locked
	pkill -CONT -P "$(pgrep -P "$pid")"
	wait "$pid"
	[ "$(jq -r .image.name document)" = docker.io/library/t:1 ]
	wait
}
