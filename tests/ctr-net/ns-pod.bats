#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Namespaces of all kinds, as pods need them.

load common

teardown() {
	take_down
	[ -z "$(find "$OCID_RUNROOT"/*ns -type f 2>/dev/null)" ]
}

MAPS=(--uidmap 0:100000:65536 --gidmap 0:200000:65536)

# in_pod NAME COMMAND…: in all of its namespaces
in_pod() {
	local kind into=()

	for kind in user net ipc uts; do
		[ -e "$OCID_RUNROOT/${kind}ns/$1" ] && into+=("--$kind=$OCID_RUNROOT/${kind}ns/$1")
	done
	nsenter "${into[@]}" "${@:2}"
}

# has_child PID: prints the process id of its child
has_child() {
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v parent="$1" '$4 == parent { print $1; found = 1 } END { exit !found }'
}

@test "ns create: namespaces of other kinds are pinned beside the network's" {
	net ns create pod --ipc --uts --hostname web.example
	[ "$(jq -c '[.name, .netns, .ipcns, .utsns, .userns]' <<<"$output")" = \
		"[\"pod\",\"$OCID_RUNROOT/netns/pod\",\"$OCID_RUNROOT/ipcns/pod\",\"$OCID_RUNROOT/utsns/pod\",null]" ]
	for kind in net ipc uts; do
		[ "$(in_pod pod readlink "/proc/self/ns/$kind")" = "$kind:[$(stat -c %i "$OCID_RUNROOT/${kind}ns/pod")]" ]
		[ "$(in_pod pod readlink "/proc/self/ns/$kind")" != "$(readlink "/proc/self/ns/$kind")" ]
	done
	[ "$(in_pod pod hostname)" = web.example ]
	[ "$(hostname)" != web.example ]
	net ns list
	[ "$(jq -c 'del(.name)' <<<"$output")" = "$(jq -nc --arg run "$OCID_RUNROOT" '{ipcns: "\($run)/ipcns/pod", netns: "\($run)/netns/pod", utsns: "\($run)/utsns/pod"}')" ]
	net ns rm pod
	net 3 ns rm pod
	[[ $(</proc/self/mountinfo) != *"$OCID_RUNROOT"/* ]]
}

@test "ns create: the user namespace owns the others, and its root is mapped" {
	net ns create pod --ipc --uts --user "${MAPS[@]}" --hostname mine \
		--sysctl net.ipv4.ip_unprivileged_port_start=0 --sysctl kernel.shm_rmid_forced=1
	[ "$(in_pod pod cat /proc/self/uid_map | xargs)" = "0 100000 65536" ]
	[ "$(in_pod pod cat /proc/self/gid_map | xargs)" = "0 200000 65536" ]
	[ "$(in_pod pod id -u)" = 0 ]
	# what only the owner may
	in_pod pod hostname theirs
	[ "$(in_pod pod hostname)" = theirs ]
	in_pod pod ip link add veth0 type veth peer name veth1
	in_pod pod ip link show lo | grep -q ,UP
	[ "$(in_pod pod cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" = 0 ]
	[ "$(in_pod pod cat /proc/sys/kernel/shm_rmid_forced)" = 1 ]
	[ "$(cat /proc/sys/kernel/shm_rmid_forced)" = 0 ]
	# POSIX message queues belong to the namespace's root
	in_pod pod unshare --mount sh -c "mount -t mqueue none /mnt && touch /mnt/queue"
}

@test "ns create: sysctls are set in the new namespaces and nowhere else" {
	before=$(cat /proc/sys/fs/mqueue/msg_max /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/domainname)
	net ns create pod --ipc --uts --sysctl fs.mqueue.msg_max=20 --sysctl net/ipv4/ip_forward=1 \
		--sysctl kernel.domainname=example --sysctl "kernel.sem=250 32000 100 200"
	[ "$(in_pod pod cat /proc/sys/fs/mqueue/msg_max /proc/sys/kernel/domainname | xargs)" = "20 example" ]
	[ "$(in_pod pod cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
	[ "$(in_pod pod cat /proc/sys/kernel/sem | xargs)" = "250 32000 100 200" ]
	[ "$(cat /proc/sys/fs/mqueue/msg_max /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/domainname)" = "$before" ]
}

@test "ns create: sysctls that are the machine's, unknown or refused make nothing" {
	for sysctl in vm.swappiness=1 kernel.hostname=x kernel.panic=1 net net=1 =1 . net.ipv4.ip_forward \
		net/../kernel/panic=1 net.//.kernel.panic=1 net//ipv4/ip_forward=1 net/ipv4/./ip_forward=1; do
		net 2 ns create pod --ipc --uts --sysctl "$sysctl"
		error_is usage "sysctl $sysctl"
	done
	net 2 ns create pod --sysctl kernel.shmmax=1
	error_is usage "no namespace is made for it"
	net 2 ns create pod --no-net --ipc --sysctl net.ipv4.ip_forward=1
	error_is usage "no namespace is made for it"
	net 3 ns create pod --sysctl net.ipv4.no_such_key=1
	error_is not-found "net.ipv4.no_such_key=1"
	net 2 ns create pod --sysctl net.ipv4.ip_forward=yes
	error_is usage "refuses the value"
	[ -z "$(find "$OCID_RUNROOT"/*ns -type f)" ]
}

@test "ns create: mappings and host names that cannot be are usage errors, and make nothing" {
	for map in 0 0:1 0:1:0 a:b:c 0:1:2:3 0:1:99999999999 -1:0:1 1:100000:65536 0:4294967295:2; do
		net 2 ns create pod --user --uidmap "$map" --gidmap 0:0:1
		error_is usage
	done
	# overlapping ones, by the kernel's word
	net 2 ns create pod --user --uidmap 0:1000:10 --uidmap 5:2000:10 --gidmap 0:0:1
	error_is usage "uid_map"
	net 2 ns create pod --user
	error_is usage "a mapping of its id 0"
	net 2 ns create pod "${MAPS[@]}"
	error_is usage "go with --user"
	net 2 ns create pod --hostname x
	error_is usage "goes with --uts"
	for name in "" "a b" "$(printf 'x%.0s' {1..65})"; do
		net 2 ns create pod --uts --hostname "$name"
		error_is usage "host name"
	done
	net 2 ns create pod --no-net
	error_is usage "nothing to make"
	[ -z "$(find "$OCID_RUNROOT"/*ns -type f)" ]
}

@test "ns create: --pid pins the PID namespace of a process, beside what is there" {
	net ns create pod
	unshare --pid --fork sleep 60 3>&- &
	outer=$!
	wait_for 5 has_child "$outer"
	pid=$(has_child "$outer")
	net ns create pod --no-net --pid "$pid"
	[ "$(jq -c . <<<"$output")" = '{"name":"pod","pidns":"'"$OCID_RUNROOT"'/pidns/pod"}' ]
	[ "/proc/$pid/ns/pid" -ef "$OCID_RUNROOT/pidns/pod" ]
	kill -KILL "$pid" # a first process ignores any other signal
	wait "$outer" || true
	# the process is gone, and no other is taken for it: nothing can be started there
	run -1 nsenter --pid="$OCID_RUNROOT/pidns/pod" true
	net 4 ns create pod --no-net --pid "$$"
	error_is exists 'PID namespace "pod" exists already'
	net 3 ns create other --no-net --pid 4194304
	error_is not-found "no process"
	for bad in -1 99999999999 x; do net 2 ns create other --pid "$bad"; done
	net ns rm pod
}

@test "ns create: where one of the kinds is taken none is made" {
	net ns create pod --no-net --uts
	net 4 ns create pod --ipc --uts
	error_is exists 'UTS namespace "pod" exists already'
	[ ! -e "$OCID_RUNROOT/netns/pod" ]
	[ ! -e "$OCID_RUNROOT/ipcns/pod" ]
}

@test "ns create: killed at any moment with all kinds, ns rm leaves nothing" {
	for n in {1..30}; do
		ctr-net ns create pod --ipc --uts --user "${MAPS[@]}" --hostname x \
			--sysctl net.ipv4.ip_forward=1 >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "0.0$((n % 2))$((RANDOM % 10))"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		net ns rm --force pod
		[ -z "$(find "$OCID_RUNROOT"/*ns -type f)" ]
	done
	net ns create pod --ipc --uts --user "${MAPS[@]}"
}

@test "ns create: the process that sets the namespaces up is killed, as where memory is short" {
	fault sethostname:signal=KILL
	tool 1 "${FAULTY[@]}" ctr-net ns create pod --uts --hostname x
	error_is failed "could not be set up"
	[ -z "$(find "$OCID_RUNROOT"/*ns -type f)" ]
}

@test "ns create: without privileges other kinds are denied too, and nothing is left" {
	dir=$(mktemp -d /tmp/ocid-test.XXXXXX)
	chmod 777 "$dir"
	cp "$OCID_BIN/ctr-net" "$dir/"
	tool 6 setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$dir/ctr-net" --root "$dir/root" --runroot "$dir/run" ns create one --no-net --ipc --uts
	error_is denied "cannot make namespaces"
	[ -z "$(find "$dir/run" -type f)" ]
	rm -r "$dir"
}
