#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The process that stays with a container, when things go wrong around it.

load common

@test "monitor: it outlives the shell that ran the container" {
	bundle one 'sleep 0.5; echo later; exit 3'
	setsid bash -c "ocid-shim run --bundle '$BUNDLE' one >/dev/null; kill -9 \$\$" || true
	[ "$(code one)" -eq 3 ]
	grep -q 'F later$' "$BUNDLE/log"
	shim rm one
}

@test "monitor: signals other than KILL do not end it" {
	bundle sig 'exec sleep 100'
	shim run --bundle "$BUNDLE" sig
	monitor=$(cat "$OCID_RUNROOT/containers/sig/shim.pid")
	for signal in HUP INT QUIT TERM PIPE USR1 USR2 ALRM; do
		kill "-$signal" "$monitor"
	done
	sleep 0.1
	shim kill sig KILL
	[ "$(code sig)" -eq 137 ]
	shim rm sig
	wait_for 5 process_gone "$monitor"
}

@test "monitor: it is small, also after much output" {
	local limit=64 # kB; 24 with musl, 60 with glibc

	# a sanitizer brings megabytes of its own
	grep -q __asan_init "$OCID_BIN/ocid-shim-monitor" && limit=100000
	bundle small 'seq 1 200000; echo ready >&2; exec sleep 100'
	shim run --bundle "$BUNDLE" small
	wait_for 20 grep -q ready "$BUNDLE/log"
	sleep 1.5
	monitor=$(cat "$OCID_RUNROOT/containers/small/shim.pid")
	anonymous=$(awk '/^Pss_Anon:/ { print $2 }' "/proc/$monitor/smaps_rollup")
	echo "anonymous memory: $anonymous kB"
	[ "$anonymous" -le "$limit" ]
	shim rm --force small
}

@test "monitor: it rests when all output is closed" {
	bundle quiet 'exec sleep 100 >&- 2>&-'
	shim run --bundle "$BUNDLE" quiet
	sleep 0.3
	monitor=$(cat "$OCID_RUNROOT/containers/quiet/shim.pid")
	before=$(awk '/ctxt/ { n += $2 } END { print n }' "/proc/$monitor/status")
	sleep 1
	[ "$(awk '/ctxt/ { n += $2 } END { print n }' "/proc/$monitor/status")" -le $((before + 1)) ]
	shim rm --force quiet
}

@test "monitor: it rests after the kernel has killed processes for want of memory" {
	local monitor before after

	# the kernel is to choose among those that eat: the shell is the container's first process
	bundle hungry 'for i in 1 2; do
			(echo 1000 >/proc/self/oom_score_adj; head -c 100m /dev/zero | tail)
		done; echo done; exec sleep 100' \
		'.linux.resources = {memory: {limit: 20971520, swap: 20971520}}'
	shim run --bundle "$BUNDLE" hungry
	wait_for 20 grep -q 'done$' "$BUNDLE/log"
	wait_for 5 test -e "$OCID_RUNROOT/containers/hungry/oom"
	monitor=$(cat "$OCID_RUNROOT/containers/hungry/shim.pid")
	before=$(awk '{ print $14 + $15 }' "/proc/$monitor/stat")
	sleep 1
	after=$(awk '{ print $14 + $15 }' "/proc/$monitor/stat")
	[ $((after - before)) -le 10 ] # hundredths of a second
	shim rm --force hungry
}

@test "monitor: a process that keeps writing does not hold up the exit" {
	# without a pid namespace the children could outlive the first process
	bundle busy 'yes & exit 4' '.linux.namespaces |= map(select(.type != "pid"))'
	shim run --bundle "$BUNDLE" busy
	TOOL_TIMEOUT=30 shim wait busy
	[ "$(jq .code <<<"$output")" -eq 4 ]
	shim rm --force busy
	nothing_left
}

@test "monitor: processes that outlive the first one are killed, and hide nothing it wrote" {
	bundle held '(trap "" TERM HUP; exec sleep 12345) & seq 1 5000; exit 0' \
		'.linux.namespaces |= map(select(.type != "pid"))'
	shim run --bundle "$BUNDLE" held
	shim wait held
	[ "$(wc -l <"$BUNDLE/log")" -eq 5000 ]
	wait_for 5 is_empty pgrep -f 'sleep 12345'
	shim rm held
	nothing_left
}

@test "monitor: a full disk never blocks the container; the losses are counted" {
	disk=$BATS_TEST_TMPDIR/disk
	mkdir "$disk"
	mount -t tmpfs -o size=256k none "$disk"
	bundle full 'seq 1 200000; touch /go/written; while [ ! -e /go/on ]; do sleep 0.05; done; echo after; exit 7' \
		'.mounts += [{destination: "/go", type: "bind", source: "'"$BATS_TEST_TMPDIR"'", options: ["bind"]}]'
	shim run --bundle "$BUNDLE" --log-path "$disk/log" full
	wait_for 30 test -e "$BATS_TEST_TMPDIR/written"
	# whole records only
	[ "$(tail -c 1 "$disk/log" | od -An -tx1 | tr -d ' ')" = 0a ]
	[ "$(grep -cvE '^[0-9T:.-]+Z (stdout F [0-9]+|stderr F ocid-shim: .*)$' "$disk/log")" -eq 0 ]
	mount -o remount,size=64m "$disk"
	touch "$BATS_TEST_TMPDIR/on"
	[ "$(code full)" -eq 7 ]
	grep -qE ' stderr F ocid-shim: [0-9]+ log records were lost' "$disk/log"
	tail -n 1 "$disk/log" | grep -q ' stdout F after$'
	shim state full
	lost=$(jq .logRecordsLost <<<"$output")
	[ $((lost + $(grep -c 'stdout F [0-9]' "$disk/log"))) -eq 200000 ]
	shim rm full
	umount "$disk"
}

@test "monitor: a run root that is full keeps the exit record" {
	OCID_RUNROOT=$BATS_TEST_TMPDIR/small
	mkdir "$OCID_RUNROOT"
	mount -t tmpfs -o size=512k none "$OCID_RUNROOT"
	bundle keep 'exec sleep 100'
	shim run --bundle "$BUNDLE" keep
	head -c 1M /dev/zero >"$OCID_RUNROOT/filler" 2>/dev/null || true
	shim kill keep KILL
	[ "$(code keep)" -eq 137 ]
	rm "$OCID_RUNROOT/filler"
	shim rm keep
	nothing_left
	umount "$OCID_RUNROOT"
}

@test "monitor: a run root without room is exit 9, and nothing is left" {
	OCID_RUNROOT=$BATS_TEST_TMPDIR/full
	mkdir "$OCID_RUNROOT"
	mount -t tmpfs -o size=512k none "$OCID_RUNROOT"
	bundle none 'exec sleep 100'
	shim list
	head -c 1M /dev/zero >"$OCID_RUNROOT/filler" 2>/dev/null || true
	shim 9 run --bundle "$BUNDLE" none
	error_is limit
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	nothing_left
	rm "$OCID_RUNROOT/filler"
	shim run --bundle "$BUNDLE" none
	shim rm --force none
	wait_for 5 umount "$OCID_RUNROOT" # the monitor ends a moment later
}

@test "monitor: killed while it makes a container, the container is cleared away" {
	runtime slow <<-'END'
		case " $* " in
		*" create "*) echo $$ >"$seen/pid"; exec sleep 100 ;;
		esac
	END
	bundle slow 'exit 0'
	ocid-shim create --runtime "$RUNTIME" --bundle "$BUNDLE" slow 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	pid=$!
	wait_for 5 test -s "$BATS_TEST_TMPDIR/pid"
	kill -9 "$(cat "$OCID_RUNROOT/containers/slow/shim.pid")"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 1 ]
	grep -q 'monitor died' "$BATS_TEST_TMPDIR/err"
	wait_for 5 process_gone "$(cat "$BATS_TEST_TMPDIR/pid")"
	nothing_left
}

# A runtime that has made the container when its monitor is killed, and dies a little later.
orphaning_runtime() {
	runtime orphaning <<-'END'
		case " $* " in
		*" run "* | *" create "*) setsid sh -c 'runc "$@"; kill -9 '$PPID runc "$@" & sleep 5 ;;
		*) exec runc "$@" ;;
		esac
	END
}

@test "monitor: only it is killed once the container is there, nothing of that is left" {
	orphaning_runtime
	bundle made 'exec sleep 43117'
	for verb in create run; do
		shim 1 "$verb" --runtime "$RUNTIME" --bundle "$BUNDLE" made
		error_is failed "monitor died"
		is_empty remains
		is_empty pgrep -f 'sleep 43117'
		[ ! -e "$BUNDLE/log" ]
	done
	shim run --bundle "$BUNDLE" made
	shim rm --force made
	nothing_left
}

@test "monitor: it is killed and the runtime cannot clear the container away: the next rm, create or run does" {
	orphaning_runtime
	sed -i '2a case " $* " in *" delete "*) echo "not now" >\&2; exit 1 ;; esac' "$RUNTIME"
	bundle left 'exec sleep 43118'
	for verb in rm create run; do
		shim 1 run --runtime "$RUNTIME" --bundle "$BUNDLE" left
		error_is failed "monitor died"
		[[ $stderr == *"not now"* ]]
		is_empty pgrep -f 'sleep 43118'
		if [ "$verb" = rm ]; then
			shim rm left
		else
			shim "$verb" --bundle "$BUNDLE" left
			shim rm --force left
		fi
		nothing_left
	done
}

@test "monitor: what only the runtime still knows of is cleared by rm and create" {
	bundle known 'exec sleep 100'
	for verb in rm create; do
		shim create --bundle "$BUNDLE" known
		kill -9 "$(cat "$OCID_RUNROOT/containers/known/shim.pid")"
		rm -r "$OCID_RUNROOT/containers/known"
		if [ "$verb" = rm ]; then
			shim rm known
		else
			shim create --bundle "$BUNDLE" known
			shim rm known
		fi
		nothing_left
	done
}

@test "monitor: only it is killed at any instant, nothing is left" {
	bundle any 'exec sleep 100'
	for delay in .004 .008 .012 .016 .020 .024 .028 .032 .036 .040 .050 .060; do
		ocid-shim run --bundle "$BUNDLE" any >/dev/null 2>&1 3>&- &
		pid=$!
		wait_for 5 test -s "$OCID_RUNROOT/containers/any/shim.pid"
		sleep "$delay"
		kill -9 "$(cat "$OCID_RUNROOT/containers/any/shim.pid")" 2>/dev/null || true
		# once it has been made the container runs on
		if wait "$pid"; then
			shim rm --force any
		fi
		nothing_left
	done
}

@test "monitor: the manual's example waits for a container without any tool of ours" {
	bundle web 'sleep 0.3; exit 9'
	shim run --bundle "$BUNDLE" web
	sed -n '/^import fcntl/,/^print/p' "$TESTS/../man/ocid-shim.5" >"$BATS_TEST_TMPDIR/wait.py"
	sed -i "s,/run/ocid/,$OCID_RUNROOT/," "$BATS_TEST_TMPDIR/wait.py"
	[ "$(timeout 10 /usr/bin/python3 "$BATS_TEST_TMPDIR/wait.py" | tr "'" '"' | jq .code)" -eq 9 ]
	shim rm web
}
