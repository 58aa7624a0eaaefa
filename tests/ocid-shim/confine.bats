# SPDX-License-Identifier: Apache-2.0
# What a monitor that an exploit has taken over can still do (ocid-security(7)).

load common

setup() {
	[[ $(ldd "$OCID_BIN/ocid-shim-monitor" 2>&1) != *asan* ]] || skip "sanitizers need more than confinement leaves"
}

# attack PID ATTEMPT…: $output, a line each
attack() {
	[ "$(uname -m)" = x86_64 ] || skip "registers are x86-64's"
	tool /usr/bin/python3 "$TESTS/inject.py" "$@"
}


has_landlock() {
	[ "$(/usr/bin/python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))')" -ge 1 ]
}

@test "monitor: taken over, it opens, connects, runs, traces and mounts nothing" {
	bundle one 'while [ ! -e /go/on ]; do sleep 0.05; done; echo after; exit 7' \
		'.mounts += [{destination: "/go", type: "bind", source: "'"$BATS_TEST_TMPDIR"'", options: ["bind"]}]'
	shim run --bundle "$BUNDLE" one
	monitor=$(cat "$OCID_RUNROOT/containers/one/shim.pid")
	wait_for 10 grep -q '^Seccomp:.*2' "/proc/$monitor/status"
	attack "$monitor" socket unix-socket connect execute fork trace read-memory kill setuid mount unshare \
		setns chroot bpf
	[ "$(grep -c ' EPERM$' <<<"$output")" -eq 14 ]
	# files: by Landlock, where the kernel has it
	attack "$monitor" open write remove open-memory
	[ "$(grep -c ' EACCES$' <<<"$output")" -eq "$(has_landlock && echo 4 || echo 0)" ]
	[ "$(awk '/^NoNewPrivs:/ { print $2 }' "/proc/$monitor/status")" = 1 ]
	# and its work goes on
	touch "$BATS_TEST_TMPDIR/on"
	[ "$(code one)" -eq 7 ]
	shim logs one
	[ "$output" = after ]
	shim rm one
}

@test "monitor: confined, it still rotates a log, in a directory that only it writes to" {
	bundle two 'seq 1 2000; while [ ! -e /go/on ]; do sleep 0.05; done; seq 2001 4000' \
		'.mounts += [{destination: "/go", type: "bind", source: "'"$BATS_TEST_TMPDIR"'", options: ["bind"]}]'
	shim run --bundle "$BUNDLE" --log-path "$BATS_TEST_TMPDIR/logs/two" --log-size-max 16384 --log-max-files 50 two
	monitor=$(cat "$OCID_RUNROOT/containers/two/shim.pid")
	wait_for 10 grep -q '^Seccomp:.*2' "/proc/$monitor/status"
	touch "$BATS_TEST_TMPDIR/on"
	[ "$(code two)" -eq 0 ]
	shim logs two
	[ "$output" = "$(seq 1 4000)" ]
	[ -e "$BATS_TEST_TMPDIR/logs/two.9" ]
	shim rm two
}
