# SPDX-License-Identifier: Apache-2.0
# The cgroup that a runtime makes for a container is the container's, wherever its processes go from
# there, and whoever removes it. `make check-vm T=tests/ocid-shim/cgroups.bats` has v2 and systemd.
# shellcheck disable=SC2016 # commands are for the containers' shells, filters for jq

load common

# A runtime that has not ended before the container has moved.
slow_runtime() {
	runtime slow <<-END
		$1 "\$@"
		code=\$?
		case " \$* " in *" run "*) sleep 3 ;; esac
		exit "\$code"
	END
}

# RUNTIME: a container that has its cgroups to itself and moves into one below, as systemd does.
moves_below() {
	local id=moved-${1##*/}

	bundle "$id" 'd=/sys/fs/cgroup; [ -d $d/memory ] && d=$d/memory
		mkdir $d/below && echo 0 >$d/below/cgroup.procs && grep -c /below$ /proc/self/cgroup
		while :; do sleep 0.1; done' '.linux.namespaces += [{type: "cgroup"}] |
		.linux.resources = {memory: {limit: 67108864}} |
		.mounts += [{destination: "/sys", type: "sysfs", source: "sysfs", options: ["ro"]},
			{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"]}]'
	slow_runtime "$1"
	shim run --runtime "$RUNTIME" --log-path "$BATS_TEST_TMPDIR/log" --bundle "$BUNDLE" "$id"
	wait_for 10 grep -q 'F 1$' "$BATS_TEST_TMPDIR/log"
	jq -r '.cgroups[]' "$OCID_RUNROOT/containers/$id/state.json" >"$BATS_TEST_TMPDIR/cgroups"
	cat "$BATS_TEST_TMPDIR/cgroups"
	grep -q "$CGROUP" "$BATS_TEST_TMPDIR/cgroups"
	run ! grep below "$BATS_TEST_TMPDIR/cgroups"
	[ "$(ocid-shim stats "$id" | jq '.memory.availableBytes.value <= 67108864')" = true ]
	shim pause "$id"
	[ "$(jq -r .status <<<"$output")" = paused ]
	is_status "$id" paused
	shim resume "$id"
	[ "$(jq -r .status <<<"$output")" = running ]
	shim rm --force "$id"
	nothing_left
}

@test "cgroups: of a container that moves into one below, its own counts" {
	moves_below runc
}

@test "cgroups: the same by crun" {
	[ ! -d /sys/fs/cgroup/unified ] || skip "crun works with v1 or v2, not both"
	moves_below crun
}

# ID COMMAND: a container in the scope ocid-ID.scope of a slice of this test's.
in_scope() {
	bundle "$1" "$2" ".linux.cgroupsPath = \"$SLICE:ocid:$1\" | .linux.resources = {memory: {limit: 16777216, swap: 16777216}}"
	shim run --systemd-cgroup --runtime "$RUNTIME" --bundle "$BUNDLE" "$1"
}

scope_gone() {
	[ -z "$(find "/sys/fs/cgroup/$SLICE" -name "ocid-$1.scope")" ]
}

# With the monitor stopped, the container ends, and systemd removes its scope: how was it?
ends_unseen() {
	local monitor

	monitor=$(cat "$OCID_RUNROOT/containers/$1/shim.pid")
	kill -STOP "$monitor"
	"${@:2}"
	wait_for 20 scope_gone "$1"
	kill -CONT "$monitor"
	shim wait "$1"
}

@test "cgroups: systemd: that memory was short is known also when the scope is gone before it is read" {
	[ -d /run/systemd/system ] && [ -e /sys/fs/cgroup/cgroup.controllers ] || skip "needs cgroup v2 and systemd as the init"
	SLICE=ocidtest$RANDOM.slice
	for RUNTIME in runc crun; do
		in_scope "hungry-$RUNTIME" 'trap "exec tail /dev/zero" USR1; echo ready; while :; do sleep 0.1; done'
		wait_for 10 grep -q ready "$BUNDLE/log"
		in_scope "patient-$RUNTIME" 'sleep 43133'
		ends_unseen "hungry-$RUNTIME" ocid-shim kill "hungry-$RUNTIME" USR1
		jq -e '.code == 137 and .oomKilled' <<<"$output"
		ends_unseen "patient-$RUNTIME" ocid-shim kill "patient-$RUNTIME" KILL
		jq -e '.code == 137 and (has("oomKilled") | not)' <<<"$output"
		shim rm "hungry-$RUNTIME" "patient-$RUNTIME"
	done
	systemctl stop "$SLICE"
	nothing_left
}
