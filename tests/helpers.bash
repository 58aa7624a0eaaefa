# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# For every .bats file: `load ../helpers` as its first line. A file that has a setup_file or
# teardown_file of its own calls file_setup first and file_teardown last in it.
#
#   OCID_BIN                   the built executables, first in PATH
#   OCID_ROOT, OCID_RUNROOT    a store of the file's own
#   tool [STATUS] NAME ARG…    run with a time limit; $output is stdout, $stderr the errors
#   error_is KIND [TEXT]       the last `tool` failed with that kind, its last line holds TEXT
#   fault HOW                  then "${FAULTY[@]}" before a command lets a system call in it fail or
#                              kill, see strace(1), --inject
#   registry_start             docker-registry on a free loopback port: $REGISTRY is HOST:PORT; with
#                              IN_NET (a command that enters a network namespace) in that network
#   busybox_tar FILE           a root file system of busybox as a tar archive
#   oci_image LAYOUT REF CONFIG-JSON TAR…   an OCI layout made without our tools
#   leak_check                 nothing of this file is left (called by file_teardown)

bats_require_minimum_version 1.5.0

# read anew for each test, which is why no process is started where none need be
TESTS=${BASH_SOURCE[0]%/*}
TESTS=${TESTS%/*/..}
[[ ${OCID_BIN-} == /* ]] || OCID_BIN=$(cd "${OCID_BIN:-${TESTS%/*}/build}" && pwd)
export TESTS OCID_BIN PATH="$OCID_BIN:$PATH:/usr/sbin:/sbin"
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0:exitcode=99}

setup_file() { file_setup; }
teardown_file() { file_teardown; }

file_setup() {
	export OCID_ROOT=$BATS_FILE_TMPDIR/root OCID_RUNROOT=$BATS_FILE_TMPDIR/run
	unset OCID_ERRORS OCID_LIBEXEC
	machine_state >"$BATS_FILE_TMPDIR/machine.before"
	processes_of_run >"$BATS_FILE_TMPDIR/processes.before"
}

file_teardown() {
	registry_stop
	leak_check
}

# A runtime leaves the empty cgroup above those of its containers: the next one would need it.
remove_parent_cgroup() {
	find /sys/fs/cgroup -maxdepth 2 -type d -name ocid -exec rmdir {} + 2>/dev/null || true
}

# ---- running tools ----

# As bats' run --separate-stderr does, with half of its processes, of which the suite starts thousands.
tool() {
	local expected=0 flags=$- errors=${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}/stderr.$BASHPID

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	set +eET
	output=$(exec timeout --foreground -k 20 "${TOOL_TIMEOUT:-60}" "$@" 2>"$errors")
	status=$?
	# shellcheck disable=SC2034 # for the caller
	IFS=$'\n' read -d '' -r -a lines <<<"$output"
	read -d '' -r stderr <"$errors"
	set "-$flags"
	# shown by bats only when the test fails
	printf '$ %s\n' "$*"
	[ "${#output}" -le 4000 ] && printf '%s\n' "$output"
	printf '%s\n' "$stderr"
	if [ "$status" -ne "$expected" ]; then
		echo "exit status is $status, expected $expected"
		return 1
	fi
}

declare -gA KIND_STATUS=([failed]=1 [usage]=2 [not-found]=3 [exists]=4 [in-use]=5 [denied]=6
	[integrity]=7 [temporary]=8 [limit]=9 [unsupported]=10)

error_is() {
	local last

	if [ "$status" -ne "${KIND_STATUS[$1]:?no error kind $1}" ]; then
		echo "exit status is $status, not that of $1"
		return 1
	fi
	last=${stderr##*$'\n'}
	if [ -n "${2-}" ] && [[ $last != *"$2"* ]]; then
		echo "the last line of stderr does not say: $2"
		return 1
	fi
	[[ $last == *": "* ]]
}

fault() {
	# the leak sanitizer cannot work in a process that is traced
	# shellcheck disable=SC2034 # for the caller
	FAULTY=(env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" timeout -k 5 "${TOOL_TIMEOUT:-60}" strace -f -o /dev/null -e "inject=$1")
}

# wait_for SECONDS COMMAND…: until it succeeds; of a function only the last command is heeded. What
# takes as long where little else runs may take WAIT_FACTOR times that: it is how long a failure takes
# to be one, and costs nothing else.
wait_for() {
	local end=$((SECONDS + $1 * ${WAIT_FACTOR:-4}))

	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "waited in vain for: $*"
			return 1
		fi
		sleep 0.05
	done
}

free_port() {
	/usr/bin/python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# ---- a real registry ----

registry_start() {
	local port config=$BATS_FILE_TMPDIR/registry.yml

	port=$(free_port)
	cat >"$config" <<-END
		version: 0.1
		log: {level: error, accesslog: {disabled: true}}
		storage:
		  filesystem: {rootdirectory: $BATS_FILE_TMPDIR/registry}
		  delete: {enabled: true}
		http: {addr: "127.0.0.1:$port"}
	END
	${IN_NET-} docker-registry serve "$config" >"$BATS_FILE_TMPDIR/registry.log" 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/registry.pid"
	export REGISTRY=127.0.0.1:$port
	# shellcheck disable=SC2086 # words
	wait_for 10 ${IN_NET-} curl -fs -m 5 "http://$REGISTRY/v2/"
}

registry_stop() {
	local pid file=$BATS_FILE_TMPDIR/registry.pid

	[ -f "$file" ] || return 0
	pid=$(cat "$file")
	kill "$pid" 2>/dev/null || true
	wait_for 10 process_gone "$pid"
	rm "$file"
}

process_gone() {
	! kill -0 "$1" 2>/dev/null
}

# ---- images made without our tools ----

busybox_tar() {
	/usr/bin/python3 "$TESTS/busybox-tar.py" "$@"
}

oci_image() {
	/usr/bin/python3 "$TESTS/oci-image.py" "$@"
}

# ---- what is left behind ----

# Everything on the machine that a test could leave, one thing a line. An empty table of the firewall
# stays once somebody has looked at it, and is nothing.
machine_state() {
	ls -d /var/lib/ocid /run/ocid /var/lib/cni/* /run/netns/* /sys/class/net/* 2>/dev/null || true
	find /sys/fs/cgroup -mindepth 1 -type d -path '*ocid*' 2>/dev/null || true
	iptables-save 2>/dev/null | sed -E '/^([#*]|COMMIT$|:[A-Z]+ ACCEPT )/d; s/\[[0-9:]*\]//' || true
}

mounts_left() {
	awk -v dir="$BATS_FILE_TMPDIR/" 'index($0, dir) { print "mount: " $5 }' /proc/self/mountinfo
}

# The ids of the processes that came of this run: by arguments, environment, directories, or the
# pipe on descriptor 3, whose end bats waits for. Those of bats itself are among them.
processes_of_run() {
	local pipe

	pipe=$(readlink "/proc/$BASHPID/fd/3")
	{
		grep -lsaF -- "$BATS_RUN_TMPDIR" /proc/[0-9]*/cmdline /proc/[0-9]*/environ
		find /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/fd -maxdepth 1 -type l \
			\( -lname "$BATS_RUN_TMPDIR*" -o -lname "${pipe:-none}" \) 2>/dev/null
	} | cut -d/ -f3 | sort -u
}

processes_left() {
	local pid cmdline

	for pid in $(processes_of_run | comm -23 - "$BATS_FILE_TMPDIR/processes.before"); do
		{ cmdline=$(tr '\0' ' ' <"/proc/$pid/cmdline"); } 2>/dev/null || continue
		[[ -z $cmdline || $cmdline == */bats-core/* ]] || echo "process $pid: $cmdline"
	done
}

# So that nobody waits for them, and no other file finds them.
end_processes_left() {
	local pid left

	left=$(processes_left)
	while read -r _ pid _; do
		kill -KILL "${pid%:}" 2>/dev/null || true
	done <<<"$left"
}

unfinished_left() {
	[ -d "$OCID_ROOT/tmp" ] || return 0
	find "$OCID_ROOT/tmp" -mindepth 1 -maxdepth 1 | sed 's/^/unfinished: /'
}

everything_left() {
	mounts_left
	processes_left
	[ -n "${OCID_KEEPS_UNFINISHED-}" ] || unfinished_left
	if [ -n "${OCID_TESTS_ALONE-}" ]; then
		machine_state | { diff "$BATS_FILE_TMPDIR/machine.before" - || true; } |
			sed -n 's/^> /machine: /p'
	fi
}

leak_check() {
	local left tries

	remove_parent_cgroup
	# the kernel takes a moment to remove namespaces and cgroups
	for ((tries = 0; tries < 40; tries++)); do
		left=$(everything_left)
		[ -z "$left" ] && return 0
		sleep 0.1
	done
	echo "left behind by $(basename "$BATS_TEST_FILENAME"):"
	echo "$left"
	end_processes_left
	return 1
}
