# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common

setup_file() {
	file_setup
	make_rootfs
	oci-gen generate --no-document --rootfs "$ROOTFS" /bin/sh >"$BATS_FILE_TMPDIR/good.json"
}

setup() {
	CONFIG=$BATS_TEST_TMPDIR/config.json
}

# found STATUS FILTER ARG…: $output is an array of [rule, pointer] of what is found.
found() {
	local expected=$1

	jq "$2" "$BATS_FILE_TMPDIR/good.json" >"$CONFIG"
	shift 2
	tool "$expected" oci-gen validate "$@"
	output=$(jq -sc 'map([.rule, .pointer])' <<<"$output")
}

@test "validate: a bundle, and with --host-specific a file, is checked against this host" {
	local filter code expected

	while IFS='~' read -r code expected filter; do
		found "$code" "$filter" "$BATS_TEST_TMPDIR"
		[ "$output" = "$expected" ]
		found "$code" "$filter" --host-specific "$CONFIG"
		[ "$output" = "$expected" ]
		found 0 "$filter" "$CONFIG"
		[ "$output" = '[]' ]
	done <<-'END'
		0~[]~.
		7~[["root-exists","/root/path"]]~.root.path = "nothing"
		7~[["root-exists","/root/path"]]~.root.path = "config.json"
		0~[["program-exists","/process/args/0"]]~.process.args = ["/bin/nothing"]
		0~[["program-exists","/process/args/0"]]~.process.args = ["/etc/passwd"]
		0~[]~.process.args = ["/mounted/x"] | .mounts += [{destination: "/mounted", type: "tmpfs"}]
		7~[["mount-source-exists","/mounts/7/source"]]~.mounts += [{destination: "/x", source: "/nonexistent", options: ["bind"]}]
		0~[]~.mounts += [{destination: "/x", source: "config.json", options: ["bind"]}]
		0~[["mount-type-known","/mounts/7/type"]]~.mounts += [{destination: "/x", type: "nonsensefs"}]
		7~[["hook-executable","/hooks/poststop/0/path"]]~.hooks = {poststop: [{path: "/etc/passwd"}], startContainer: [{path: "/nothing"}], createRuntime: [{path: "/bin/true"}]}
		7~[["namespace-exists","/linux/namespaces/6/path"]]~.linux.namespaces += [{type: "user", path: "/proc/nothing"}]
		7~[["namespace-exists","/linux/namespaces/6/path"]]~.linux.namespaces += [{type: "user", path: "/proc/1/ns/net"}]
		7~[["namespace-exists","/linux/namespaces/6/path"]]~.linux.namespaces += [{type: "user", path: "/etc/passwd"}]
		7~[["namespace-exists","/linux/namespaces/6/path"]]~.linux.namespaces += [{type: "user", path: "/proc/1/ns"}]
		0~[]~.linux.namespaces += [{type: "user", path: "/proc/self/ns/user"}]
		7~[["hook-executable","/hooks/poststop/0/path"]]~.hooks = {poststop: [{path: "/bin"}]}
	END
	tool 2 sh -c 'oci-gen validate --host-specific - <"$1"' sh "$CONFIG"
}

@test "validate: a configuration is for the platform that was named" {
	found 0 . --platform linux "$CONFIG"
	[ "$output" = '[]' ]
	found 7 'del(.mounts)' --platform windows "$CONFIG"
	[ "$output" = '[["platform","/linux"],["platform","/windows"]]' ]
	found 7 '.windows = {layerFolders: ["x"]}' --platform linux "$CONFIG"
	[ "$output" = '[["platform","/windows"]]' ]
	found 2 . --platform plan9 "$CONFIG"
}

# A runtime whose `features` are the good ones of the next line, changed by jq.
fake_runtime() {
	jq -nc '{ociVersionMin: "1.0.0", ociVersionMax: "1.3.0", hooks: ["createRuntime", "poststop"],
		mountOptions: ["rbind", "rprivate", "ro", "nosuid", "noexec", "nodev", "relatime", "strictatime"],
		linux: {namespaces: ["mount", "pid", "ipc", "uts", "network", "cgroup", "user"], capabilities: ["CAP_CHOWN", "CAP_KILL"],
			cgroup: {v1: true, v2: true}, seccomp: {enabled: true, actions: ["SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW"], archs: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], supportedFlags: ["SECCOMP_FILTER_FLAG_LOG"]},
			apparmor: {enabled: true}, selinux: {enabled: true}, intelRdt: {enabled: true}, netDevices: {enabled: true}, mountExtensions: {idmap: {enabled: true}}}}' |
		jq -c "$1" >"$BATS_TEST_TMPDIR/features.json"
	printf '#!/bin/sh\n[ "$1" = features ] && exec cat "%s"\n' "$BATS_TEST_TMPDIR/features.json" >"$BATS_TEST_TMPDIR/fake"
	chmod +x "$BATS_TEST_TMPDIR/fake"
}

@test "validate: --runtime warns of what a runtime says it cannot do" {
	local features filter expected plain='.process.capabilities = {bounding: ["CAP_CHOWN"]}'

	while IFS='~' read -r expected features filter; do
		fake_runtime "$features"
		found 0 "$plain | $filter" --runtime "$BATS_TEST_TMPDIR/fake" "$CONFIG"
		[ "$output" = "$expected" ]
	done <<-'END'
		[]~.~.
		[["runtime-version","/domainname"]]~.ociVersionMax = "1.0.2"~.domainname = "x"
		[]~.ociVersionMax = "1.1.0"~.domainname = "x"
		[["runtime-hook","/hooks/startContainer"]]~.~.hooks = {startContainer: [{path: "/x"}], poststop: [{path: "/x"}]}
		[["runtime-mount-option","/mounts/7/options/1"]]~.~.mounts += [{destination: "/x", source: "/y", options: ["rbind", "rro", "size=1"]}]
		[]~del(.mountOptions)~.mounts += [{destination: "/x", source: "/y", options: ["rbind", "rro"]}]
		[["runtime-idmap","/mounts/7"]]~del(.linux.mountExtensions)~.mounts += [{destination: "/x", source: "/y", options: ["rbind", "idmap"], uidMappings: [{containerID: 0, hostID: 0, size: 1}], gidMappings: [{containerID: 0, hostID: 0, size: 1}]}]
		[["runtime-idmap","/mounts/7"]]~del(.linux.mountExtensions)~.linux.namespaces += [{type: "user", path: "/proc/1/ns/user"}] | .mounts += [{destination: "/x", source: "/y", options: ["rbind", "ridmap"]}]
		[]~.~.linux.namespaces += [{type: "user", path: "/proc/1/ns/user"}] | .mounts += [{destination: "/x", source: "/y", options: ["rbind", "idmap"]}]
		[["runtime-namespace","/linux/namespaces/6/type"]]~.~.linux.namespaces += [{type: "time"}]
		[["runtime-capability","/process/capabilities/bounding/0"]]~.~.process.capabilities = {bounding: ["CAP_SYSLOG"]}
		[["runtime-cgroup","/linux/resources"]]~.linux.cgroup = {v1: false, v2: false}~.
		[]~.linux.cgroup = {systemd: true}~.
		[["runtime-seccomp","/linux/seccomp"]]~.linux.seccomp.enabled = false~.
		[]~del(.linux.seccomp.enabled)~.
		[]~.mountOptions = null | .hooks = null | .linux.namespaces = null | .linux.capabilities = null | .linux.seccomp = null | .linux.cgroup = null~.hooks = {poststop: [{path: "/x"}]}
		[["runtime-support","/linux/memoryPolicy"]]~.linux.memoryPolicy = null~.linux.memoryPolicy = {mode: "MPOL_LOCAL"}
		[["runtime-seccomp","/linux/seccomp/defaultAction"]]~.~.linux.seccomp = {defaultAction: "SCMP_ACT_LOG", flags: ["SECCOMP_FILTER_FLAG_LOG"]}
		[["runtime-seccomp","/linux/seccomp/flags/0"]]~.~.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}
		[["runtime-seccomp","/linux/seccomp/syscalls/0/args/0/op"]]~.linux.seccomp.operators = ["SCMP_CMP_EQ"]~.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["a"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 1, op: "SCMP_CMP_NE"}]}]}
		[["runtime-support","/process/apparmorProfile"]]~.linux.apparmor.enabled = false~.process.apparmorProfile = "x"
		[["runtime-support","/linux/intelRdt"]]~del(.linux.intelRdt)~.linux.intelRdt = {closID: "x"}
		[["runtime-support","/linux/intelRdt/schemata"],["runtime-support","/linux/intelRdt/enableMonitoring"]]~.~.linux.intelRdt = {schemata: ["L3:0=f"], enableMonitoring: true}
		[]~.linux.intelRdt += {schemata: true, monitoring: true}~.linux.intelRdt = {schemata: ["L3:0=f"], enableMonitoring: true}
		[["runtime-support","/linux/resources/rdma"]]~.linux.cgroup.rdma = false~.linux.resources.rdma = {a: {hcaHandles: 1}}
		[["runtime-cgroup","/linux/cgroupsPath"]]~.linux.cgroup.systemd = false~.linux.cgroupsPath = "a.slice:b:c"
		[]~.linux.cgroup.systemd = false~.linux.cgroupsPath = "/a"
		[["runtime-support","/linux/memoryPolicy"]]~.~.linux.memoryPolicy = {mode: "MPOL_LOCAL"}
		[["runtime-memory-policy","/linux/memoryPolicy/mode"],["runtime-memory-policy","/linux/memoryPolicy/flags/0"]]~.linux.memoryPolicy = {modes: ["MPOL_BIND"], flags: []}~.linux.memoryPolicy = {mode: "MPOL_LOCAL", flags: ["MPOL_F_STATIC_NODES"]}
		[["runtime-annotation","/annotations/run.oci.handler"],["runtime-annotation","/annotations/a.b"]]~.potentiallyUnsafeConfigAnnotations = ["run.oci.", "a.b"]~.annotations = {"run.oci.handler": "x", "a.b": "y", "a.b.c": "z"}
	END
}

@test "validate: --runtime asks the runtimes there are, and says when one cannot tell" {
	found 0 . --runtime runc --runtime crun "$CONFIG"
	# those of Debian 12: runc 1.1 can tell, crun 1.8 cannot
	if ! crun features >/dev/null 2>&1; then
		[ "$output" = '[["runtime-features",""]]' ]
		tool oci-gen validate --runtime crun "$CONFIG"
		[[ $output == *"crun has no features verb"* ]]
	fi
	printf '#!/bin/sh\necho nonsense\n' >"$BATS_TEST_TMPDIR/fake"
	chmod +x "$BATS_TEST_TMPDIR/fake"
	found 0 . --runtime "$BATS_TEST_TMPDIR/fake" "$CONFIG"
	[ "$output" = '[["runtime-features",""]]' ]
	found 3 . --runtime "$BATS_TEST_TMPDIR/nothing" "$CONFIG"
	# what one has said elsewhere
	echo '{"linux": {"namespaces": ["mount", "pid", "ipc", "uts", "network"]}}' >"$BATS_TEST_TMPDIR/features.json"
	found 0 . --runtime "$BATS_TEST_TMPDIR/features.json" "$CONFIG"
	[ "$output" = '[["runtime-namespace","/linux/namespaces/5/type"]]' ]
	# a program of that name is asked, whatever lies in the working directory
	cd "$BATS_TEST_TMPDIR"
	cp features.json runc
	found 0 . --runtime runc "$CONFIG"
	[ "$output" = '[]' ]
	found 0 . --runtime ./runc "$CONFIG"
	[ "$output" = '[["runtime-namespace","/linux/namespaces/5/type"]]' ]
	echo '[]' >features.json
	found 7 . --runtime features.json "$CONFIG"
}
