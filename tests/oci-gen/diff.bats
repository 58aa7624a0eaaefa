# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common

setup_file() {
	file_setup
	oci-gen generate --no-document --hostname box --bind /tmp:/a --bind /tmp:/b --env A=1 --env B=2 --process-rlimits-add nofile:20:10 \
		--linux-mem-limit 10m >"$BATS_FILE_TMPDIR/good.json"
}

# compare STATUS FILTER: the good configuration with what the filter makes of it. $output is an
# array of [change, path, from, to].
compare() {
	jq "$2" "$BATS_FILE_TMPDIR/good.json" >"$BATS_TEST_TMPDIR/b.json"
	tool "$1" oci-gen diff "$BATS_FILE_TMPDIR/good.json" "$BATS_TEST_TMPDIR/b.json"
	output=$(jq -sc 'map([.change, .path, .from, .to])' <<<"$output")
}

@test "diff: what means the same makes no difference" {
	local filter

	while IFS= read -r filter; do
		compare 0 "$filter"
		[ "$output" = '[]' ]
	done <<-'END'
		.
		.process.env |= reverse
		.process.capabilities |= map_values(reverse)
		.linux.namespaces |= reverse
		.linux.maskedPaths |= reverse
		.linux.seccomp.syscalls |= reverse
		.linux.seccomp.syscalls |= [.[] | . as $r | .names[] | $r + {names: [.]}]
		.mounts[-2:] |= reverse
		.mounts[].options |= reverse
		(.mounts[] | select(.destination == "/a").options) |= ["shared", "bind"] + . + .[:1]
		.hooks = {} | .annotations = {} | .process.user.additionalGids = []
		del(.process.terminal, .process.noNewPrivileges, .root.readonly)
		(.mounts[] | select(.destination == "/a").type) = "none"
		(.mounts[] | select(.destination == "/a")) |= del(.type)
		.linux.netDevices = {} | .linux.sysctl = {} | .windows.hyperv = null | .linux.intelRdt = null
		.linux.rootfsPropagation = "" | .linux.devices = null
	END
}

@test "diff: each difference is named where it is" {
	local filter expected

	while IFS='~' read -r expected filter; do
		compare 1 "$filter"
		[ "$output" = "$expected" ]
	done <<-'END'
		[["changed","/hostname","box","x"]]~.hostname = "x"
		[["removed","/hostname","box",null]]~del(.hostname)
		[["changed","/process/env[A]","A=1","A=2"]]~.process.env |= map(if . == "A=1" then "A=2" else . end)
		[["removed","/process/env[B]","B=2",null]]~.process.env -= ["B=2"]
		[["added","/process/terminal",null,true]]~.process.terminal = true
		[["changed","/process/args/0","sh","bash"],["added","/process/args/1",null,"-l"]]~.process.args = ["bash", "-l"]
		[["removed","/mounts[/a]/options[rprivate]","rprivate",null],["added","/mounts[/a]/options[ro]",null,"ro"]]~(.mounts[] | select(.destination == "/a").options) = ["rbind", "ro"]
		[["removed","/mounts[/a]/options[rbind]","rbind",null],["removed","/mounts[/a]/options[rprivate]","rprivate",null],["added","/mounts[/a]/options[ro]",null,"ro"],["added","/mounts[/a]/options[bind]",null,"bind"]]~(.mounts[] | select(.destination == "/a").options) = ["rw", "ro", "bind"]
		[["added","/process/args/1",null,""]]~.process.args += [""]
		[["added","/annotations/a",null,""]]~.annotations = {a: ""}
		[["added","/linux/sysctl/net.a",null,""]]~.linux.sysctl = {"net.a": ""}
		[["added","/linux/resources/unified/a",null,""]]~.linux.resources.unified = {a: ""}
		[["added","/linux/netDevices/eth0",null,{}]]~.linux.netDevices = {eth0: {}}
		[["added","/linux/netDevices/eth0",null,{}]]~.linux.netDevices = {eth0: {name: ""}}
		[["added","/linux/intelRdt",null,{}]]~.linux.intelRdt = {}
		[["added","/linux/intelRdt/closID",null,"x"]]~.linux.intelRdt = {closID: "x", enableMonitoring: false}
		[["added","/windows/hyperv",null,{}]]~.windows.hyperv = {utilityVMPath: ""}
		[["added","/hooks/poststop/0",null,{}]]~.hooks.poststop = [{}]
		[["changed","/process/rlimits[RLIMIT_NOFILE]/soft",10,11]]~.process.rlimits[0].soft = 11
		[["added","/linux/namespaces[user]/type",null,"user"]]~.linux.namespaces += [{type: "user"}]
		[["added","/linux/namespaces[pid]/path",null,"/x"]]~(.linux.namespaces[] | select(.type == "pid").path) = "/x"
		[["removed","/process/capabilities/bounding[CAP_CHOWN]","CAP_CHOWN",null]]~.process.capabilities.bounding -= ["CAP_CHOWN"]
		[["changed","/linux/resources/memory/limit",10485760,0]]~.linux.resources.memory.limit = 0
		[["changed","/linux/resources/devices/0",{"access":"rwm","allow":false},{"access":"rwm","allow":true}]]~.linux.resources.devices[0].allow = true
		[["changed","/linux/seccomp/syscalls[read]",{"action":"SCMP_ACT_ALLOW"},{"action":"SCMP_ACT_LOG"}]]~.linux.seccomp.syscalls |= [.[] | if .names | index("read") then (.names -= ["read"]), {names: ["read"], action: "SCMP_ACT_LOG"} else . end]
		[["added","/mounts[/proc]/destination#2",null,"/proc"],["added","/mounts[/proc]/type#2",null,"tmpfs"]]~.mounts += [{destination: "/proc", type: "tmpfs"}]
		[["added","/mounts[/dev/pts] hidden by",null,"/dev"],["added","/mounts[/dev/shm] hidden by",null,"/dev"],["added","/mounts[/dev/mqueue] hidden by",null,"/dev"]]~.mounts = [.mounts[] | select(.destination != "/dev")] + [.mounts[] | select(.destination == "/dev")]
	END
}

@test "diff: of options that contradict each other the last counts" {
	mounted() {
		jq --argjson options "$1" '.mounts[-1].options = $options' "$BATS_FILE_TMPDIR/good.json"
	}
	mounted '["rw", "ro"]' >"$BATS_TEST_TMPDIR/ro.json"
	mounted '["ro", "rw"]' >"$BATS_TEST_TMPDIR/rw.json"
	tool 1 oci-gen diff "$BATS_TEST_TMPDIR/ro.json" "$BATS_TEST_TMPDIR/rw.json"
	output=$(jq -sc 'map([.path, .pointer] | map(ltrimstr("/mounts")))' <<<"$output")
	[ "$output" = '[["[/sys/fs/cgroup]/options[ro]","/8/options/1"],["[/sys/fs/cgroup]/options[rw]","/8/options/1"]]' ]
	mounted '["ro"]' >"$BATS_TEST_TMPDIR/one.json"
	tool oci-gen diff "$BATS_TEST_TMPDIR/ro.json" "$BATS_TEST_TMPDIR/one.json"
}

@test "diff: bundles, documents and standard input; a table; what is malformed" {
	mkdir "$BATS_TEST_TMPDIR/bundle"
	cp "$BATS_FILE_TMPDIR/good.json" "$BATS_TEST_TMPDIR/bundle/config.json"
	jq '{rootfs: {}, config: (. + {hostname: "x"})}' "$BATS_FILE_TMPDIR/good.json" >"$BATS_TEST_TMPDIR/document.json"
	tool 1 oci-gen diff "$BATS_TEST_TMPDIR/bundle" "$BATS_TEST_TMPDIR/document.json"
	is . '{"change":"changed","from":"box","path":"/hostname","pointer":"/hostname","to":"x"}'
	tool 1 sh -c 'oci-gen diff --table - "$1" <"$2"' sh "$BATS_TEST_TMPDIR/bundle" "$BATS_TEST_TMPDIR/document.json"
	[[ $output == CHANGE*/hostname* ]]
	tool 2 oci-gen diff - -
	tool 2 oci-gen diff "$BATS_TEST_TMPDIR/bundle"
	tool 3 oci-gen diff "$BATS_TEST_TMPDIR/bundle" "$BATS_TEST_TMPDIR/nothing"
	echo '[]' >"$BATS_TEST_TMPDIR/list.json"
	tool 7 oci-gen diff "$BATS_TEST_TMPDIR/list.json" "$BATS_TEST_TMPDIR/bundle"
	error_is integrity list.json
	if [ -e /dev/full ]; then
		tool 9 sh -c 'oci-gen diff "$1" "$2" >/dev/full' sh "$BATS_TEST_TMPDIR/bundle" "$BATS_TEST_TMPDIR/document.json"
	fi
}

# What the runtimes' own examples have that our default has not, and the other way round.
@test "diff: our default differs from those of runc and crun where it is meant to" {
	local runtime

	cd "$BATS_TEST_TMPDIR"
	oci-gen generate --no-document --hostname x -o ours.json
	for runtime in runc crun; do
		$runtime spec
		tool 1 oci-gen diff config.json ours.json
		# everything there is in theirs, but for these
		[ "$(jq -sc --arg runtime $runtime '[.[] | select(.change == "removed") | .path
			| select(test("^/process/(terminal|env.TERM.|noNewPrivileges|rlimits.*|capabilities/(ambient|inheritable).*)$|^/root/readonly$|^/linux/(resources/devices|namespaces|readonlyPaths|maskedPaths)") | not)]' <<<"$output")" = '[]' ]
		# and ours has what runc and crun leave out: a filter, masked paths, a cgroup namespace, safe mounts
		for path in /linux/seccomp/defaultAction '/mounts[/proc]/options[nosuid]' '/process/capabilities/bounding[CAP_CHOWN]'; do
			[ "$(jq -s --arg path "$path" 'any(.path == $path and .change == "added")' <<<"$output")" = true ]
		done
		rm config.json
	done
}
