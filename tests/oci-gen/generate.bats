# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common

setup_file() {
	file_setup
	make_rootfs
}

@test "generate: the founding line gives exactly what it says" {
	mkdir -p "$BATS_TEST_TMPDIR/data"
	generate --bind "$BATS_TEST_TMPDIR/data:/data1" --tmpfs /run --rootfs /mnt/fedora /bin/bash
	[ -z "$stderr" ]
	is .process.args '["/bin/bash"]'
	is .root.path '"/mnt/fedora"'
	is '.mounts[] | select(.destination == "/data1") | [.source, .type, .options]' \
		"[\"$BATS_TEST_TMPDIR/data\",\"bind\",[\"rbind\",\"rprivate\"]]"
	is '.mounts[] | select(.destination == "/run") | [.source, .type, .options]' \
		'["tmpfs","tmpfs",["nosuid","nodev","noexec"]]'
}

@test "generate: how hot the host's CPUs are is masked" {
	tool unshare --mount --propagation private sh -ec '
		mount -t tmpfs none /sys/devices/system/cpu
		cd /sys/devices/system/cpu
		mkdir -p cpu0/thermal_throttle cpu1 cpu10/thermal_throttle cpufreq/thermal_throttle
		exec oci-gen generate --no-document'
	is '[.linux.maskedPaths[] | select(test("thermal"))]' \
		'["/sys/devices/system/cpu/cpu0/thermal_throttle","/sys/devices/system/cpu/cpu10/thermal_throttle"]'
}

@test "generate: the default is a container of its own, with the usual capabilities only" {
	generate
	is .ociVersion '"1.0.2"'
	is '[.linux.namespaces[].type] | sort' '["cgroup","ipc","mount","network","pid","uts"]'
	is '.process.capabilities | keys' '["bounding","effective","permitted"]'
	is '.process.capabilities | [.bounding, .effective, .permitted | sort] | unique' \
		'[["CAP_AUDIT_WRITE","CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FOWNER","CAP_FSETID","CAP_KILL","CAP_MKNOD","CAP_NET_BIND_SERVICE","CAP_NET_RAW","CAP_SETFCAP","CAP_SETGID","CAP_SETPCAP","CAP_SETUID","CAP_SYS_CHROOT"]]'
	is '.linux.resources.devices[0]' '{"access":"rwm","allow":false}'
	is '.linux.maskedPaths | index("/proc/kcore") != null' true
	is '.linux.readonlyPaths | index("/proc/sys") != null' true
	is '.mounts[] | select(.destination == "/sys") | .options | index("ro") != null' true
	is .process.noNewPrivileges false
	is .linux.seccomp.defaultErrnoRet 38
	is .process.args '["sh"]'
}

@test "generate: each option changes just its member" {
	changes process/args/* -- /bin/true --not --options
	changes process/args/* -- --args a --args b
	changes process/cwd -- --process-cwd /x
	changes process/cwd -- --cwd /x
	changes process/env/* -- --env A=b
	changes process/user/uid -- --process-uid 7
	changes process/user/gid -- --process-gid 7
	changes 'process/user/additionalGids/*' -- --process-groups 5 --process-groups 6
	changes process/user/uid process/user/gid 'process/user/additionalGids/*' -- --user 3:4
	changes hostname -- --hostname box
	changes process/terminal 'process/env/*' -- --process-terminal
	changes process/terminal 'process/env/*' -- --tty
	changes process/noNewPrivileges -- --process-no-new-privileges
	changes root/path -- --rootfs /r
	changes root/path -- --rootfs-path /r
	changes root/readonly -- --rootfs-readonly
	changes process/oomScoreAdj -- --linux-oom-score-adj 500
	changes linux/cgroupsPath -- --linux-cgroups-path /a/b
	changes linux/resources/memory/limit -- --linux-mem-limit 64m
	changes linux/resources/memory/reservation -- --linux-mem-reservation 1000
	changes linux/resources/memory/swap -- --linux-mem-swap -1
	changes linux/resources/cpu/shares -- --linux-cpu-shares 512
	changes linux/resources/cpu/period -- --linux-cpu-period 50000
	changes linux/resources/cpu/quota -- --linux-cpu-quota 25000
	changes linux/resources/cpu/cpus -- --linux-cpus 0-1
	changes linux/resources/cpu/mems -- --linux-mems 0
	changes linux/resources/pids/limit -- --linux-pids-limit 100
	changes linux/sysctl/net.ipv4.ip_forward -- --linux-sysctl net.ipv4.ip_forward=1
	changes annotations/a.b -- --annotation a.b=c
	changes annotations/a.b -- --label a.b=c
	changes 'process/rlimits/*/type' 'process/rlimits/*/hard' 'process/rlimits/*/soft' -- \
		--process-rlimits-add RLIMIT_NOFILE:1024:512
	changes 'linux/maskedPaths/*' -- --linux-masked-paths /x
	changes 'linux/readonlyPaths/*' -- --linux-readonly-paths /x
	changes 'linux/namespaces/*/path' 'linux/namespaces/*/type' -- \
		--linux-namespace-add network:/run/netns/a
	changes 'linux/namespaces/*/type' -- --linux-namespace-remove network
	changes process/capabilities/{bounding,effective,permitted}/* -- --process-cap-drop MKNOD \
		--linux-seccomp default
}

@test "generate: options mean what they say" {
	generate --linux-mem-limit 64M --linux-mem-swap 1g
	is .linux.resources.memory '{"limit":67108864,"swap":1073741824}'
	generate --process-rlimits-add nofile:100 --process-rlimits-add RLIMIT_CORE:unlimited:0 \
		--process-rlimits-add NOFILE:20:10
	is '[.process.rlimits[] | [.type, .soft]]' '[["RLIMIT_CORE",0],["RLIMIT_NOFILE",10]]'
	is '.process.rlimits[1].hard' 20
	[[ $output == *'"hard":9223372036854774784'* ]]
	generate --linux-namespace-add net:/run/netns/a --linux-namespace-remove ipc
	is '.linux.namespaces | map(select(.type == "network"))' '[{"path":"/run/netns/a","type":"network"}]'
	is '.linux.namespaces | map(.type) | index("ipc")' null
	generate --linux-masked-paths none --linux-masked-paths /a --linux-readonly-paths none
	is .linux.maskedPaths '["/a"]'
	is .linux.readonlyPaths '[]'
	generate --privileged
	is '[.linux.maskedPaths, .linux.readonlyPaths, .linux.seccomp]' '[null,null,null]'
	is .linux.resources.devices '[{"access":"rwm","allow":true}]'
	is '[.mounts[] | select(.destination | startswith("/sys")) | .options | index("ro")]' '[null,null]'
	generate --process-cap-drop-all --process-cap-add chown --process-cap-add CAP_KILL
	is .process.capabilities.permitted '["CAP_CHOWN","CAP_KILL"]'
	generate --process-cap-add ALL --process-cap-drop SYS_ADMIN
	is '.process.capabilities.bounding | [index("CAP_SYS_ADMIN"), index("CAP_SYS_PTRACE") != null]' '[null,true]'
	generate --process-terminal
	is '.process.env | index("TERM=xterm") != null' true
}

@test "generate: mounts lie in order of depth, and one of ours takes the place of a default one" {
	mkdir -p "$BATS_TEST_TMPDIR/a"
	generate --bind "$BATS_TEST_TMPDIR/a:/x/y/z:ro" --tmpfs /x --tmpfs /x/y/ \
		--mounts-add '{"destination":"/dev/shm","type":"tmpfs","source":"shm","options":["size=1m"]}'
	is '[.mounts[].destination | select(startswith("/x"))]' '["/x","/x/y/","/x/y/z"]'
	is '[.mounts[] | select(.destination == "/dev/shm") | .options]' '[["size=1m"]]'
	is '[.mounts[].destination] | index("/dev") < index("/dev/shm")' true
	is '.mounts[] | select(.destination == "/x/y/z") | .options' '["rbind","rprivate","ro"]'
	generate --bind "$BATS_TEST_TMPDIR/a:/x:bind,rslave"
	is '.mounts[] | select(.destination == "/x") | .options' '["bind","rslave"]'
	cd "$BATS_TEST_TMPDIR"
	generate --bind a:/x
	is '.mounts[] | select(.destination == "/x") | .source' "\"$BATS_TEST_TMPDIR/a\""
}

# where two contradict each other, runtimes do not agree on which counts
@test "generate: of a mount's options that contradict each other the last is written, and each once" {
	local asked options

	while read -r asked options; do
		generate --bind "/tmp:/x:$asked"
		is '.mounts[] | select(.destination == "/x").options | join(",")' "\"$options\""
	done <<-'END'
		ro,rw rbind,rprivate,rw
		rw,ro,ro rbind,rprivate,ro
		ro,rro,rrw rbind,rprivate,ro,rrw
		private,rshared,slave rbind,slave
		noexec,exec,rexec,rnoexec rbind,rprivate,exec,rnoexec
		sync,async,norelatime,relatime rbind,rprivate,async,relatime
		rbind,bind rprivate,rbind
	END
	generate --tmpfs /x:exec,dev,size=1m,mode=700
	is '.mounts[] | select(.destination == "/x").options' '["nosuid","exec","dev","size=1m","mode=700"]'
}

@test "generate: variables come from options, files and our own environment" {
	printf '# a comment\n\n  A=1\nB=two words\nFROM_US\n' >"$BATS_TEST_TMPDIR/env"
	FROM_US=x generate --env-file "$BATS_TEST_TMPDIR/env" --env A=2 --env PATH=/bin --env UNSET_HERE
	is .process.env '["PATH=/bin","A=2","B=two words","FROM_US=x"]'
	# of an editor on Windows
	printf '\357\273\277A=1\r\n\r\n# a comment\r\nB=a\rb \r\nFROM_US\r\nC=\r' >"$BATS_TEST_TMPDIR/env"
	FROM_US=x generate --env-file "$BATS_TEST_TMPDIR/env"
	is '.process.env[1:]' '["A=1","B=a\rb ","FROM_US=x","C="]'
}

@test "generate: a malformed option is a usage error, and no file is made" {
	local out=$BATS_TEST_TMPDIR/config.json option

	while IFS= read -r option; do
		# shellcheck disable=SC2086 # options and values, without spaces of their own
		tool 2 oci-gen generate --no-document -o "$out" $option
		error_is usage
		[ ! -e "$out" ]
	done <<-'END'
		--bind /a
		--bind :/a
		--bind /a:b
		--bind /a:/
		--bind /a:/b:nonsense
		--bind /a:/b:size=1
		--bind /a:/b:z
		--tmpfs run
		--tmpfs /run:nonsense
		--mounts-add []
		--mounts-add {"type":"tmpfs"}
		--mounts-add {"destination":"rel"}
		--env =x
		--user a:b:c
		--user 4294967295
		--user 99999999999999999999:0
		--process-uid -1
		--process-uid root
		--process-gid 4294967295
		--process-groups x
		--process-cwd rel
		--process-rlimits-add NOFILE
		--process-rlimits-add NOFILE:x
		--process-rlimits-add NOFILE:1:2
		--process-rlimits-add NOSUCH:1
		--process-rlimits-add NOFILE:1:1:1
		--process-cap-add CAP_NONSENSE
		--process-cap-drop nonsense
		--linux-namespace-add nonsense
		--linux-namespace-add network:rel
		--linux-namespace-add user
		--linux-namespace-remove nonsense
		--linux-namespace-remove mount
		--linux-namespace-remove uts --hostname x
		--linux-namespace-remove network --linux-sysctl net.ipv4.ip_forward=1
		--linux-sysctl kernel.panic=1
		--linux-sysctl net.x
		--linux-mem-limit 1x
		--linux-mem-limit -2
		--linux-mem-limit 9999999999999999999
		--linux-mem-limit 9223372036854775807k
		--linux-mem-limit 10m --linux-mem-swap 5m
		--linux-cpu-shares 1
		--linux-cpu-period 10
		--linux-cpus 0-
		--linux-pids-limit many
		--linux-oom-score-adj 1001
		--linux-masked-paths rel
		--linux-cgroups-path ../x
		--annotation x
		--annotation =x
		--document x --no-document
		--args a b
		--args a --entrypoint b
		--no-such-option
	END
}

@test "generate: values that are not UTF-8 are refused" {
	tool 2 oci-gen generate --no-document $'\xff'
	error_is usage UTF-8
	tool 2 oci-gen generate --no-document --hostname $'\xff'
	error_is usage UTF-8
}

@test "generate: -o replaces a file whole, leaves devices alone, and never leaves half of one" {
	local dir=$BATS_TEST_TMPDIR/dir out=$BATS_TEST_TMPDIR/dir/config.json

	mkdir "$dir"
	tool oci-gen generate --no-document -o "$out"
	[ -z "$output" ]
	[ "$(ls -A "$dir")" = config.json ]
	fits_schema <"$out"
	echo old >"$out"
	tool 2 oci-gen generate --no-document -o "$out" --process-uid x
	[ "$(cat "$out")" = old ]
	tool 2 oci-gen generate --no-document -o ""
	tool 3 oci-gen generate --no-document -o "$dir/none/x"
	error_is not-found "cannot write $dir/none/x"
	ln -s config.json "$dir/link"
	tool oci-gen generate --no-document -o "$dir/link"
	[ -L "$dir/link" ]
	fits_schema <"$out"
	tool oci-gen generate --no-document -o /dev/null
	[ -c /dev/null ]
	tool 9 oci-gen generate --no-document -o /dev/full
	error_is limit
	tool 3 oci-gen generate --no-document -o "$BATS_TEST_TMPDIR/none/config.json"
	error_is not-found
}

@test "generate: output that nobody takes is an error" {
	tool 9 sh -c 'oci-gen generate --no-document >/dev/full'
	error_is limit
}

@test "generate: a seccomp profile comes from a file, resolved for this machine and these capabilities" {
	cat >"$BATS_TEST_TMPDIR/docker.json" <<-'END'
		{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
		 "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
		             {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
		 "syscalls": [
		  {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [], "comment": "", "includes": {}, "excludes": {}},
		  {"name": "write", "action": "SCMP_ACT_ALLOW", "args": null},
		  {"names": ["a"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
		  {"names": ["b"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
		  {"names": ["c"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["nowhere"]}},
		  {"names": ["d"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
		  {"names": ["e"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "99.0"}}]}
	END
	generate --linux-seccomp "$BATS_TEST_TMPDIR/docker.json"
	is '[.linux.seccomp.syscalls[].names[]]' '["read","write","b","d"]'
	is '.linux.seccomp.architectures | length' 2
	is '[.linux.seccomp.syscalls[] | has("args") or has("comment")] | any' false
	generate --linux-seccomp "$BATS_TEST_TMPDIR/docker.json" --process-cap-add SYS_ADMIN
	is '[.linux.seccomp.syscalls[].names[]]' '["read","write","a","d"]'
	generate --linux-seccomp unconfined
	is .linux.seccomp null

	# what crun would fail at, and runc pass over
	cat >"$BATS_TEST_TMPDIR/errno.json" <<-'END'
		{"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 38, "syscalls": [
		  {"names": ["read"], "action": "SCMP_ACT_LOG", "errnoRet": 1},
		  {"names": ["write"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5}]}
	END
	generate --linux-seccomp "$BATS_TEST_TMPDIR/errno.json"
	is '.linux.seccomp | [has("defaultErrnoRet"), .syscalls[].errnoRet]' '[false,null,5]'

	# podman's, where the text goes over the number
	cat >"$BATS_TEST_TMPDIR/names.json" <<-'END'
		{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "defaultErrno": "ENOSYS", "syscalls": [
		  {"names": ["read"], "action": "SCMP_ACT_ERRNO", "errno": "EWOULDBLOCK"},
		  {"names": ["write"], "action": "SCMP_ACT_ERRNO", "errno": "13"},
		  {"names": ["open"], "action": "SCMP_ACT_ALLOW", "errno": "EPERM"},
		  {"names": ["link"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, "errno": ""}]}
	END
	generate --linux-seccomp "$BATS_TEST_TMPDIR/names.json"
	is '.linux.seccomp | [.defaultErrnoRet, .syscalls[].errnoRet]' '[38,11,13,null,5]'
	sed -i s/ENOSYS/ENONSENSE/ "$BATS_TEST_TMPDIR/names.json"
	tool 7 oci-gen generate --no-document --linux-seccomp "$BATS_TEST_TMPDIR/names.json"
	error_is integrity ENONSENSE

	tool 3 oci-gen generate --no-document --linux-seccomp "$BATS_TEST_TMPDIR/none"
	error_is not-found
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "sycalls": []}' >"$BATS_TEST_TMPDIR/misspelt.json"
	tool 7 oci-gen generate --no-document --linux-seccomp "$BATS_TEST_TMPDIR/misspelt.json"
	error_is integrity sycalls
	echo '{"syscalls": []}' >"$BATS_TEST_TMPDIR/no-action.json"
	tool 7 oci-gen generate --no-document --linux-seccomp "$BATS_TEST_TMPDIR/no-action.json"
	error_is integrity defaultAction
}

@test "generate: the filter is the same in a document, in its bundle, alone and edited" {
	local bundle=$BATS_TEST_TMPDIR/bundle spread=$BATS_TEST_TMPDIR/spread.json odd=$BATS_TEST_TMPDIR/odd.json
	local profile expected

	mkdir "$bundle"
	jq -n --arg b "$bundle" '{rootfs: {id: "c", path: "/", bundle: $b}, image: {config: {os: "linux", config: {Cmd: ["x"]}}}}' \
		>"$BATS_TEST_TMPDIR/document.json"
	jq -n '{defaultAction: "SCMP_ACT_ERRNO", syscalls: [range(3) as $i |
		{action: "SCMP_ACT_ALLOW", names: [range(40) | "call_\($i)_\(.)"]}]}' >"$spread"
	# names that are none of a call, and one that looks like what stands for a list
	echo '{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["#0", "a b", "\u00e9"], "action": "SCMP_ACT_ALLOW"},
		{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}' >"$odd"
	for profile in default "$spread" "$odd"; do
		generate --linux-seccomp "$profile"
		expected=$(jq -cS .linux.seccomp <<<"$output")
		[ "$profile" = default ] || diff <(echo "$expected") <(jq -cS . "$profile")
		tool oci-gen generate --document "$BATS_TEST_TMPDIR/document.json" --linux-seccomp "$profile"
		[ "${#lines[@]}" -eq 1 ]
		is .config.linux.seccomp "$expected"
		diff <(jq -S .config <<<"$output") <(jq -S . "$bundle/config.json")
		diff <(jq -S . <<<"$output") <(jq -S . "$bundle/document.json")
		tool oci-gen generate --document "$BATS_TEST_TMPDIR/document.json" --linux-seccomp "$profile" --table
		is .config.linux.seccomp "$expected"
		tool oci-gen generate --document "$BATS_TEST_TMPDIR/document.json" --linux-seccomp "$profile" \
			--linux-seccomp-kill no_such_call --patch /dev/stdin <<<'{"linux": {"seccomp": {"flags": []}}}'
		is '.config.linux.seccomp | del(.flags) | .syscalls |= map(select(.names != ["no_such_call"]))' "$expected"
		is '.config.linux.seccomp.syscalls | any(.names == ["no_such_call"])' true
	done
}

@test "generate: the built-in seccomp profile follows the capabilities" {
	local allowed
	local filter='.linux.seccomp.syscalls[] | select(.action == "SCMP_ACT_ALLOW") | .names[]'

	generate
	allowed=$(jq -r "$filter" <<<"$output")
	grep -qx read <<<"$allowed"
	is '[.linux.seccomp.syscalls[] | select(.names == ["clone"]) | .args[0].op]' '["SCMP_CMP_MASKED_EQ"]'
	run ! grep -xE 'mount|unshare|bpf|keyctl|clone3|io_uring_setup|kexec_load' <<<"$allowed"
	generate --process-cap-add SYS_ADMIN
	allowed=$(jq -r "$filter" <<<"$output")
	grep -qx mount <<<"$allowed"
	grep -qx clone3 <<<"$allowed"
}
