# SPDX-License-Identifier: Apache-2.0
# Where containers are for the kernel: below their pod's cgroup, made by the runtime itself or, where
# systemd is the init, by systemd. `make check-vm T=tests/ocid-dispatch/cgroups.bats` has both.
# shellcheck disable=SC2016 # commands are for the containers' shells, filters for jq

load ../helpers
load pods

setup_file() {
	file_setup
	pods_setup
	# one name, which is a file's and a slice's
	export GROUP=ocidtest$RANDOM
}

teardown_file() {
	pods_teardown
	if systemd_is_init; then
		systemctl stop "$GROUP.slice" 2>/dev/null || true
	fi
	find /sys/fs/cgroup -depth -type d -path "*$GROUP*" -exec rmdir {} + 2>/dev/null || true
	file_teardown
}

systemd_is_init() {
	[ -d /run/systemd/system ]
}

needs_systemd() {
	systemd_is_init || skip "systemd is not the init here"
}

# DRIVER RUNTIME. Where cgroup v2 is beside v1, Debian 12's crun works only without seeing it.
use_driver() {
	local program=$BATS_TEST_TMPDIR/$2

	cat >"$program" <<-END
		#!/bin/sh
		[ -d /sys/fs/cgroup/unified ] || exec $2 "\$@"
		exec unshare --mount sh -c 'umount /sys/fs/cgroup/unified; exec $2 "\$@"' $2 "\$@"
	END
	chmod +x "$program"
	jq --arg driver "$1" --arg program "$program" '.cgroupDriver = $driver | .defaultRuntime = "it" |
		.runtimes = {it: {path: $program}}' "$CONFIG" >"$BATS_TEST_TMPDIR/ocid.json"
	CONFIG=$BATS_TEST_TMPDIR/ocid.json
}

# Of v2, or of v1's controller: the first process of $CTR.
group_of() {
	local pid controller=$1

	pid=$(ocid-shim state "$CTR" | jq .pid)
	awk -F: -v controller="$controller" '$2 == "" && pure == "" { pure = $3 }
		("," $2 ",") ~ ("," controller ",") { one = $3 }
		END { print one != "" ? one : pure }' "/proc/$pid/cgroup"
}

# The value in the container's own group, of v2's file or of v1's controller and file.
setting() {
	local group

	group=$(group_of "$2")
	cat "/sys/fs/cgroup$group/$1" 2>/dev/null || cat "/sys/fs/cgroup/$2$group/$3"
}

memory_limit() { setting memory.max memory memory.limit_in_bytes; }

# What of the limit may be swap, where the kernel can tell.
has_no_swap() {
	local swap

	swap=$(setting memory.swap.max memory memory.memsw.limit_in_bytes) || return 0
	[ "$swap" = 0 ] || [ "$swap" = "$(memory_limit)" ]
}

used_memory() {
	[ "$(field ContainerStats "{\"containerId\": \"$CTR\"}" '.stats.memory.workingSetBytes.value | tonumber')" -gt 0 ]
}

# PARENT PATTERN: a container of a pod with that parent is in a group that the pattern fits, has its
# limits there, is counted, changed, stopped and removed, and killed when it wants more memory.
lives_below() {
	local this group

	pod "${1##*/}" ".config.linux.cgroupParent = \"$1\""
	container limited 'trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done' \
		'.config.linux.resources = {memoryLimitInBytes: "41943040", cpuShares: "512"}'
	this="{\"containerId\": \"$CTR\"}"
	start
	group=$(group_of memory)
	echo "$group" # crun has one more in a scope, and the limits there
	# shellcheck disable=SC2053 # a pattern
	[[ $group == ${2/ID/$CTR} ]]
	[ "$(memory_limit)" = 41943040 ]
	has_no_swap
	wait_for 10 used_memory
	field PodSandboxStats "{\"podSandboxId\": \"$POD\"}" '.stats.linux.memory.workingSetBytes.value | tonumber > 0' | grep -x true
	call UpdateContainerResources "{\"containerId\": \"$CTR\", \"linux\": {\"memoryLimitInBytes\": \"52428800\"}}"
	[ "$(memory_limit)" = 52428800 ]
	has_no_swap
	wait_for 10 grep -q ready "$(field ContainerStatus "$this" .status.logPath)" # with its trap
	call StopContainer "{\"containerId\": \"$CTR\", \"timeout\": 30}"
	[ "$(field ContainerStatus "$this" .status.exitCode)" = 3 ]
	call RemoveContainer "$this"

	container hungry 'tail /dev/zero' '.config.linux.resources = {memoryLimitInBytes: "16777216"}'
	start
	wait_for 30 has_ended "$CTR"
	[ "$(field ContainerStatus "{\"containerId\": \"$CTR\"}" '.status | "\(.reason) \(.exitCode)"')" = 'OOMKilled 137' ]
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	[ -z "$(find /sys/fs/cgroup -path "*$group" -o -type d -name "*$CTR*")" ]
}

@test "cgroups: cgroupfs: a container is below its pod's group, with its limits there" {
	use_driver cgroupfs runc
	[ "$(field RuntimeConfig '{}' .linux.cgroupDriver)" = CGROUPFS ]
	lives_below "/$GROUP/pod-a" "*/$GROUP/pod-a/ID"
}

@test "cgroups: cgroupfs: the same by crun" {
	use_driver cgroupfs crun
	lives_below "/$GROUP/pod-b" "*/$GROUP/pod-b/ID"
}

@test "cgroups: systemd: it is the driver where it is the init and nothing else is configured" {
	needs_systemd
	jq 'del(.cgroupDriver)' "$CONFIG" >"$BATS_TEST_TMPDIR/ocid.json"
	CONFIG=$BATS_TEST_TMPDIR/ocid.json
	[ "$(field RuntimeConfig '{}' '.linux | tostring')" = '{}' ] # SYSTEMD, the first of its kind
}

@test "cgroups: systemd: a container is a scope in its pod's slice, with its limits there" {
	needs_systemd
	use_driver systemd runc
	lives_below "/$GROUP.slice/$GROUP-poda.slice" "/$GROUP.slice/$GROUP-poda.slice/ocid-ID.scope"
}

@test "cgroups: systemd: the same by crun" {
	needs_systemd
	use_driver systemd crun
	lives_below "/$GROUP.slice/$GROUP-podb.slice" "/$GROUP.slice/$GROUP-podb.slice/ocid-ID.scope/container"
}

@test "cgroups: systemd: knows of the scope, its limits and its end" {
	needs_systemd
	use_driver systemd runc
	pod known ".config.linux.cgroupParent = \"$GROUP-known.slice\""
	container one 'sleep 600' '.config.linux.resources = {memoryLimitInBytes: "41943040"}'
	start
	[ "$(systemctl show --value --property MemoryMax "ocid-$CTR.scope")" = 41943040 ]
	call UpdateContainerResources "{\"containerId\": \"$CTR\", \"linux\": {\"memoryLimitInBytes\": \"52428800\"}}"
	[ "$(systemctl show --value --property MemoryMax "ocid-$CTR.scope")" = 52428800 ]
	systemctl daemon-reload
	[ "$(memory_limit)" = 52428800 ]
	systemctl stop "ocid-$CTR.scope" # as it does to all when the machine goes down
	wait_for 10 has_ended "$CTR"
	call RemovePodSandbox "{\"podSandboxId\": \"$POD\"}"
	[ -z "$(systemctl list-units --all --plain --no-legend "ocid-$CTR.scope")" ]
}
