# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common

setup_file() {
	file_setup
	oci-gen generate --no-document --hostname box >"$BATS_FILE_TMPDIR/good.json"
}

setup() {
	CONFIG=$BATS_TEST_TMPDIR/config.json
}

broken() {
	jq "$1" "$BATS_FILE_TMPDIR/good.json" >"$CONFIG"
}

@test "validate: --fix repairs what can be meant in one way only" {
	local filter expected

	while IFS='~' read -r filter expected; do
		broken "$filter"
		tool oci-gen validate --fix "$CONFIG"
		[ "$(jq -s 'length > 0 and all(.fixed)' <<<"$output")" = true ]
		# what was written has nothing more to find, and is what was meant
		tool oci-gen validate "$CONFIG"
		[ -z "$output" ]
		diff <(jq -S "$expected" "$BATS_FILE_TMPDIR/good.json") <(jq -S . "$CONFIG")
	done <<-'END'
		.hooks = null~.
		.linux.intelRdt = null | .process.scheduler = null~.
		.process.capabilities.bounding = ["chown", "Cap_Kill"] | .process.capabilities.effective = []~.process.capabilities.bounding = ["CAP_CHOWN", "CAP_KILL"] | .process.capabilities.effective = []
		.process.rlimits = [{type: "nofile", soft: 1, hard: 2}]~.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 1, hard: 2}]
		.process.rlimits = [{type: "core", soft: 1, hard: 2}, {type: "RLIMIT_CORE", soft: 1, hard: 2}]~.process.rlimits = [{type: "RLIMIT_CORE", soft: 1, hard: 2}]
		.process.consoleSize = {width: 1, height: 1}~.
		.process.capabilities |= (.ambient = ["CAP_CHOWN", "kill", "CAP_KILL"] | .inheritable = ["CAP_KILL"])~.process.capabilities |= (.ambient = ["CAP_KILL", "CAP_KILL"] | .inheritable = ["CAP_KILL"])
		.hooks = {prestart: [{path: "/a"}], createRuntime: [{path: "/b"}]}~.hooks = {createRuntime: [{path: "/a"}, {path: "/b"}]}
		.hooks = {prestart: [{path: "/a"}]}~.hooks = {createRuntime: [{path: "/a"}]}
		.mounts += [{destination: "/x", type: "bind", source: "/y"}]~.mounts += [{destination: "/x", type: "bind", source: "/y", options: ["bind"]}]
		.mounts += [{destination: "x", type: "tmpfs"}]~.mounts += [{destination: "/x", type: "tmpfs"}]
		.mounts += [.mounts[-1]]~.
		.mounts = [{destination: "/x", type: "bind", source: "/y"}, {destination: "/x", type: "bind", source: "/y"}] + .mounts~.mounts = [{destination: "/x", type: "bind", source: "/y", options: ["bind"]}] + .mounts
		.mounts = [{destination: "x", type: "tmpfs"}, {destination: "x", type: "tmpfs"}] + .mounts~.mounts = [{destination: "/x", type: "tmpfs"}] + .mounts
		.linux.namespaces += [.linux.namespaces[0], .linux.namespaces[1]]~.
		.linux.namespaces[0].path = ""~.
		.linux.devices = [{path: "/dev/x", type: "p"}, {path: "/dev/x", type: "p"}, {path: "/dev/y", type: "p"}]~.linux.devices = [{path: "/dev/x", type: "p"}, {path: "/dev/y", type: "p"}]
		.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["a"], action: "SCMP_ACT_ALLOW", errnoRet: 1}], defaultErrnoRet: 1}~.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["a"], action: "SCMP_ACT_ALLOW"}]}
	END
}

@test "validate: --fix leaves alone what could be meant in more ways" {
	local filter

	while IFS= read -r filter; do
		broken "$filter"
		cp "$CONFIG" "$CONFIG.before"
		run --separate-stderr oci-gen validate --fix "$CONFIG"
		[ "$(jq -s 'length > 0 and all(.fixed | not)' <<<"$output")" = true ]
		cmp "$CONFIG" "$CONFIG.before"
	done <<-'END'
		.process.cwd = "x"
		.process.rlimits = [{type: "RLIMIT_CORE", soft: 1, hard: 2}, {type: "RLIMIT_CORE", soft: 2, hard: 2}]
		.process.capabilities.bounding = ["CAP_NONSENSE"]
		.process.capabilities.effective += ["CAP_SYS_ADMIN"]
		.linux.namespaces += [{type: "pid", path: "/proc/1/ns/pid"}]
		.mounts += [{destination: "/a", type: "tmpfs"}, {destination: "/a/b", type: "tmpfs"}, {destination: "/a", type: "tmpfs"}]
		.mounts += [{destination: "/proc", type: "tmpfs"}]
		.linux.seccomp.listenerPath = "x"
		.linux.seccomp.defaultErrnoRet = 4096
		.process.env = ["A"]
		del(.process.user.gid)
	END
}

@test "validate: --fix says what it did, and what is left" {
	broken '.hooks = null | .process.cwd = "x" | .mounts[0].typo = 1'
	tool 7 oci-gen validate --fix "$CONFIG"
	error_is integrity '1 error'
	[ "$(jq -sc 'map([.pointer, .fixed]) | sort' <<<"$output")" = '[["/hooks",true],["/mounts/0/typo",null],["/process/cwd",null]]' ]
	[ "$(jq 'has("hooks")' "$CONFIG")" = false ]
	tool 7 oci-gen validate --fix --table "$CONFIG"
	[[ $output == *FIXED* ]]
}

@test "validate: --fix keeps mode, document and numbers, and needs a file" {
	broken '.hooks = null'
	jq '{rootfs: {id: "a"}, config: .}' "$CONFIG" >"$CONFIG.document"
	chmod 640 "$CONFIG.document"
	ln -s "$CONFIG.document" "$CONFIG.link"
	tool oci-gen validate --fix "$CONFIG.link"
	[ "$(stat -c %a "$CONFIG.document")" = 640 ]
	[ -L "$CONFIG.link" ]
	[ "$(jq -c '[.rootfs.id, (.config | has("hooks"))]' "$CONFIG.document")" = '["a",false]' ]
	tool 2 sh -c 'oci-gen validate --fix <"$1"' sh "$CONFIG"
	broken '.hooks = null | .process.rlimits = [{type: "RLIMIT_CORE", soft: "X", hard: "X"}]'
	sed -i 's/"X"/18446744073709551615/' "$CONFIG"
	cp "$CONFIG" "$CONFIG.before"
	tool 7 oci-gen validate --fix "$CONFIG"
	cmp "$CONFIG" "$CONFIG.before"
	cp "$BATS_FILE_TMPDIR/good.json" "$CONFIG"
	inode=$(stat -c %i "$CONFIG")
	tool oci-gen validate --fix "$CONFIG"
	[ "$(stat -c %i "$CONFIG")" = "$inode" ]
}
