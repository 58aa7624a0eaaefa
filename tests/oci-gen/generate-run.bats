# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
# What generate writes, run by real runtimes.
load ../helpers
load common

setup_file() {
	file_setup
	make_rootfs
}

teardown_file() {
	remove_cgroup_parents
	check_schemas
	file_teardown
}

# both COMMAND ARG…: with runc and with crun; RUNTIME tells which.
both() {
	local RUNTIME

	for RUNTIME in runc crun; do
		"$@"
	done
}

founding_line() {
	mkdir -p "$BATS_TEST_TMPDIR/data"
	echo from the host >"$BATS_TEST_TMPDIR/data/file"
	run_container "$RUNTIME" "gen-$RUNTIME-1" --bind "$BATS_TEST_TMPDIR/data:/data1" --tmpfs /run \
		--rootfs "$ROOTFS" /bin/sh -c '
		cat /data1/file
		echo from the container >/data1/back
		grep -c "^tmpfs /run tmpfs rw,nosuid,nodev,noexec" /proc/mounts
		echo $$'
	[ "$output" = $'from the host\n1\n1' ]
	[ "$(cat "$BATS_TEST_TMPDIR/data/back")" = 'from the container' ]
}

exec_inside() {
	run_container "$RUNTIME" "gen-$RUNTIME-exec" --rootfs "$ROOTFS" --tmpfs /run:exec --bind /tmp:/tmp:ro,rw sh -c '
		grep -E " /(run|tmp) " /proc/mounts | grep -cE "noexec|,ro|ro,"; true'
	[ "$output" = 0 ]
}

@test "generate: the last of options that contradict each other counts, in runc and crun" {
	both exec_inside
}

@test "generate: the founding line works as written, in runc and crun" {
	both founding_line
}

capabilities_inside() {
	run_container "$RUNTIME" "gen-$RUNTIME-2" --rootfs "$ROOTFS" grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status
	[ "$output" = $'CapInh:\t0000000000000000
CapPrm:\t00000000a80425fb
CapEff:\t00000000a80425fb
CapBnd:\t00000000a80425fb
CapAmb:\t0000000000000000
NoNewPrivs:\t0
Seccomp:\t2' ]
	run_container "$RUNTIME" "gen-$RUNTIME-3" --rootfs "$ROOTFS" --process-cap-drop-all --process-cap-add CHOWN \
		--process-no-new-privileges --linux-seccomp unconfined grep -E '^(CapBnd|CapEff|NoNewPrivs|Seccomp:)' /proc/self/status
	[ "$output" = $'CapEff:\t0000000000000001\nCapBnd:\t0000000000000001\nNoNewPrivs:\t1\nSeccomp:\t0' ]
	run_container "$RUNTIME" "gen-$RUNTIME-4" --rootfs "$ROOTFS" --privileged grep -E '^CapBnd' /proc/self/status
	[ "$output" = "$(grep ^CapBnd /proc/self/status)" ]
}

@test "generate: the process has the capabilities that were asked for and no more" {
	both capabilities_inside
}

paths_inside() {
	run_container "$RUNTIME" "gen-$RUNTIME-5" --rootfs "$ROOTFS" --linux-masked-paths /www --hostname box --cwd /new/dir sh -c '
		cgroup=/sys/fs/cgroup
		[ -d $cgroup/pids ] && cgroup=$cgroup/pids
		for file in /proc/sysrq-trigger /sys/x $cgroup/x; do
			(: >"$file") 2>/dev/null && echo "wrote $file"
		done
		wc -c </proc/interrupts
		ls /www
		hostname
		pwd
		ls /dev/pts /dev/shm
		: >/x && rm /x && echo root is writable'
	[ "$output" = $'0\nbox\n/new/dir\n/dev/pts:\nptmx\n\n/dev/shm:\nroot is writable' ]
	run_container "$RUNTIME" "gen-$RUNTIME-6" --rootfs "$ROOTFS" --rootfs-readonly --tmpfs /tmp sh -c '
		(: >/x) 2>/dev/null || echo root is read-only
		: >/tmp/x && echo tmp is not'
	[ "$output" = $'root is read-only\ntmp is not' ]
}

@test "generate: masked and read-only paths hold, the rest is writable unless asked" {
	both paths_inside
}

user_inside() {
	run_container "$RUNTIME" "gen-$RUNTIME-7" --rootfs "$ROOTFS" --user user --env A=b sh -c 'id -u; id -g; id -G; echo $A; echo $HOME'
	[ "$output" = $'1000\n1000\n1000 50\nb\n/home' ]
}

@test "generate: the process is the user that was looked up" {
	both user_inside
}

filter_inside() {
	run_container "$RUNTIME" "gen-$RUNTIME-8" --rootfs "$ROOTFS" --process-cap-add SYS_TIME sh -c '
		unshare -m true 2>&1 | grep -o "Operation not permitted"
		mount -t tmpfs x /tmp 2>&1 | grep -oE "Operation not permitted|permission denied"
		chroot / true && echo chroot works'
	[[ $output == *'Operation not permitted'* && $output == *'chroot works' ]]
	[ "$(wc -l <<<"$output")" -eq 3 ]
}

@test "generate: the seccomp profile refuses what it should, and programs run" {
	both filter_inside
}

# the kernel drops what is above 32 bits of a family; python is the host's
families_inside() {
	local root=$BATS_TEST_TMPDIR/host.$RUNTIME

	mkdir "$root"
	ln -s usr/lib usr/lib64 "$root"
	run_container "$RUNTIME" "gen-$RUNTIME-12" --rootfs "$root" --bind /usr:/usr:ro /usr/bin/python3 -c '
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
socket = {"x86_64": 41, "s390x": 359, "ppc64le": 326}.get(os.uname().machine, 198)
for family in [*range(64), 2**32 + 2, 2**32 + 38, 2**32 + 40]:
    if libc.syscall(ctypes.c_long(socket), ctypes.c_ulong(family), 1, 0) < 0 and ctypes.get_errno() == errno.ENOSYS:
        print(family)'
	[ "$output" = $'38\n40\n4294967334\n4294967336' ]
}

@test "generate: the seccomp profile refuses sockets of AF_ALG and AF_VSOCK, and of no other family" {
	both families_inside
}

limits_inside() {
	run_container "$RUNTIME" "gen-$RUNTIME-9" --rootfs "$ROOTFS" --process-rlimits-add nofile:100:50 \
		--process-rlimits-add core:unlimited:0 --linux-sysctl net.ipv4.ip_forward=1 --linux-pids-limit 20 \
		--linux-mem-limit 64m --linux-oom-score-adj 300 sh -c '
		ulimit -n; ulimit -Hn; ulimit -c
		cat /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj
		cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null
		cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; true'
	[ "$output" = $'50\n100\n0\n1\n300\n20\n67108864' ]
}

rule_inside() {
	run_container "$RUNTIME" "gen-$RUNTIME-10" --rootfs "$ROOTFS" --linux-device-cgroup-add deny \
		--linux-device-cgroup-add allow,type=c,major=1 true
}

@test "generate: a rule of devices that names no access is about all, in runc and crun" {
	both rule_inside
}

unlimited_inside() {
	run_container "$RUNTIME" "gen-$RUNTIME-11" --rootfs "$ROOTFS" --linux-pids-limit -1 sh -c '
		cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true'
	[ "$output" = max ]
}

@test "generate: no limit of processes is none, in runc and crun" {
	both unlimited_inside
}

@test "generate: limits and sysctls reach the process" {
	both limits_inside
}

@test "generate: an oom score that may not be lowered stays where it is, with a warning" {
	# without CAP_SYS_RESOURCE, as in many containers and virtual machines
	tool setpriv --bounding-set -sys_resource oci-gen generate --no-document --linux-oom-score-adj -999 x
	is .process.oomScoreAdj "$(cat /proc/self/oom_score_adj)"
	[[ $stderr == *CAP_SYS_RESOURCE* ]]
	run_container runc gen-oom --rootfs "$ROOTFS" --linux-oom-score-adj -1 cat /proc/self/oom_score_adj
}

@test "generate: capabilities that we do not have ourselves are not promised" {
	tool setpriv --bounding-set -mknod,-net_raw oci-gen generate --no-document x
	is '.process.capabilities.bounding | [index("CAP_MKNOD"), index("CAP_NET_RAW"), length]' '[null,null,12]'
	tool setpriv --bounding-set -mknod oci-gen generate --no-document --process-cap-add ALL x
	is '.process.capabilities.bounding | index("CAP_MKNOD")' null
	tool 10 setpriv --bounding-set -mknod oci-gen generate --no-document --process-cap-add MKNOD x
	error_is unsupported CAP_MKNOD
}

document_inside() {
	local bundle=$BATS_TEST_TMPDIR/$RUNTIME

	mkdir "$bundle"
	jq -n --arg bundle "$bundle" --arg path "$ROOTFS" --arg id "gen-$RUNTIME-document" '{
		image: {config: {os: "linux", config: {Entrypoint: ["/bin/sh", "-c"], User: "user", WorkingDir: "/home",
			Cmd: ["cat /etc/hosts /etc/hostname; id -un; pwd; echo more >>/etc/hosts 2>/dev/null || echo not ours"]}}},
		rootfs: {id: $id, path: $path, bundle: $bundle, layers: []},
		network: {netns: "/proc/self/ns/net", attachments: [{result: {ips: [{address: "10.9.8.7/24"}]}}]}}' \
		>"$BATS_TEST_TMPDIR/document.$RUNTIME"
	tool oci-gen generate --document "$BATS_TEST_TMPDIR/document.$RUNTIME" --hostname box
	run_bundle "$RUNTIME" "gen-$RUNTIME-document" "$bundle"
	[ "$output" = $'127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.9.8.7\tbox\nbox\nuser\n/home\nnot ours' ]
}

@test "generate: a document's bundle runs, with its files for names" {
	both document_inside
	# the mount points are made in the rootfs; the files themselves are the bundle's
	[ ! -s "$ROOTFS/etc/hosts" ]
}
