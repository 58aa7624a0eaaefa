# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common
load cri

@test "generate: cri: command and args stand in for the image's, as in Kubernetes" {
	from_cri
	is .process.args '["/init","a"]'
	from_cri '.cri.container.args = ["b", ""]'
	is .process.args '["/init","b",""]'
	from_cri '.cri.container.command = ["/c"]'
	is .process.args '["/c"]'
	from_cri '.cri.container += {command: ["/c"], args: ["d"]}' --hostname x
	is .process.args '["/c","d"]'
	from_cri '.cri.container.args = ["b"]' "operand"
	is .process.args '["/init","operand"]'
}

@test "generate: cri: each member changes what it says" {
	from_cri '.cri.container.envs = [{key: "A", value: "'"$(printf 'cri value' | base64)"'"}, {key: "E"}]'
	is '.process.env' '["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","A=cri value","B=image","HOSTNAME=pod-host","E="]'
	is '[.process.cwd, .hostname, .process.terminal]' '["/srv","pod-host",false]'
	from_cri '.cri.container += {workingDir: "/tmp", tty: true, annotations: {"a.b": "c", "run.oci.hooks.stdout": "/x"}, stopSignal: "SIGNAL_SIGRTMINPLUS3"}'
	is '[.process.cwd, .process.terminal]' '["/tmp",true]'
	is '.process.env | index("TERM=xterm") != null' true
	is '.annotations | [."a.b", ."run.oci.hooks.stdout", ."org.opencontainers.image.stopSignal"]' '["c",null,"SIGRTMIN+3"]'
	from_cri '.cri.container.linux.resources = {cpuPeriod: "100000", cpuQuota: 50000, cpuShares: "512", memoryLimitInBytes: "67108864",
		memorySwapLimitInBytes: 67108864, oomScoreAdj: "900", cpusetCpus: "0", cpusetMems: "0",
		hugepageLimits: [{pageSize: "2MB", limit: "4194304"}], unified: {"memory.high": "1"}}'
	is '.linux.resources | del(.devices)' '{"cpu":{"cpus":"0","mems":"0","period":100000,"quota":50000,"shares":512},"hugepageLimits":[{"limit":4194304,"pageSize":"2MB"}],"memory":{"limit":67108864,"swap":67108864},"unified":{"memory.high":"1"}}'
	is .process.oomScoreAdj 900
	from_cri 'del(.cri.container.linux.resources)'
	is .process.oomScoreAdj 0
	from_cri '.cri.container.linux.resources = {cpuShares: "512"}'
	is .process.oomScoreAdj 0
	is .linux.cgroupsPath '"/ocid-test-cri/pod1/0123456789abcdef0123"'
	# a kubelet says none of every size, which a machine may not be able to enforce
	from_cri '.cri.container.linux.resources = {hugepageLimits: [{pageSize: "2MB", limit: "0"}]}'
	if grep -qs hugetlb /proc/self/cgroup /sys/fs/cgroup/cgroup.controllers; then
		is .linux.resources.hugepageLimits '[{"limit":0,"pageSize":"2MB"}]'
	else
		is .linux.resources.hugepageLimits null
	fi
	# what may have no more memory gets no swap for it
	from_cri '.cri.container.linux.resources = {memoryLimitInBytes: "67108864"}'
	if [ -e /sys/fs/cgroup/cgroup.controllers ] || [ -e /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ]; then
		is .linux.resources.memory '{"limit":67108864,"swap":67108864}'
	else
		is .linux.resources.memory '{"limit":67108864}'
	fi
	from_cri '.cri.pod.linux = {cgroupParent: "/kubepods.slice/kubepods-pod1.slice", sysctls: {"net.ipv4.ip_forward": "1"}}'
	is .linux.cgroupsPath '"kubepods-pod1.slice:ocid:0123456789abcdef0123"'
	is .linux.sysctl '{"net.ipv4.ip_forward":"1"}'
	is '.annotations | has("org.systemd.property.TimeoutStopUSec")' false
	for grace in '45 45' '0 1'; do
		from_cri '.cri.pod.linux.cgroupParent = "a.slice" |
			.cri.container.annotations["io.kubernetes.pod.terminationGracePeriod"] = "'"${grace% *}"'"'
		is '.annotations["org.systemd.property.TimeoutStopUSec"]' "\"uint64 ${grace#* }000000\""
	done
	for grace in -1 1e3 '"' 9999999999; do
		from_cri "$(jq -rn --arg grace "$grace" '".cri.pod.linux.cgroupParent = \"a.slice\" |
			.cri.container.annotations[\"io.kubernetes.pod.terminationGracePeriod\"] = \($grace | tojson)"')"
		is '.annotations | has("org.systemd.property.TimeoutStopUSec")' false
	done
}

@test "generate: cri: users and groups" {
	from_cri
	is .process.user '{"additionalGids":[1000,50],"gid":1000,"uid":1000}'
	from_cri '.cri.container.linux.securityContext += {runAsUser: {value: "1000"}, runAsGroup: {value: "5"}, supplementalGroups: ["7", 8]}'
	is .process.user '{"additionalGids":[5,50,7,8],"gid":5,"uid":1000}'
	from_cri '.cri.container.linux.securityContext += {runAsUser: {value: "1000"}, runAsGroup: {value: "5"}}' --user 7:8
	is .process.user '{"additionalGids":[8],"gid":8,"uid":7}'
	from_cri '.cri.container.linux.securityContext += {runAsUser: {value: "1000"}, supplementalGroups: [7], supplementalGroupsPolicy: "Strict"}'
	is .process.user '{"additionalGids":[1000,7],"gid":1000,"uid":1000}'
	from_cri '.cri.container.linux.securityContext += {runAsUser: {}}'
	is .process.user '{"additionalGids":[0],"gid":0,"uid":0}'
	from_cri '.cri.container.linux.securityContext += {runAsUsername: "user", supplementalGroupsPolicy: 1}'
	is .process.user '{"additionalGids":[1000],"gid":1000,"uid":1000}'
	for policy in Merge Strict; do
		from_cri ".cri.container.linux.securityContext += {runAsUser: {value: 1000}, runAsGroup: {value: 2000},
			supplementalGroups: [3000, 2000], supplementalGroupsPolicy: \"$policy\"}"
		is '.process.user.additionalGids | index(2000) != null' true
	done
}

@test "generate: cri: namespaces are the pod's, the container's, or the node's" {
	from_cri
	is '[.linux.namespaces[] | select(.path) | [.type, .path]] | sort' '[["ipc","/proc/self/ns/ipc"],["network","/proc/self/ns/net"]]'
	is '[.linux.namespaces[].type] | sort' '["cgroup","ipc","mount","network","pid","uts"]'
	from_cri '.cri.sandbox.namespaces += {uts: "/proc/self/ns/uts", pid: "/proc/self/ns/pid"} | .cri.container.linux.securityContext.namespaceOptions = {}'
	is '[.hostname, ([.linux.namespaces[] | select(.path) | .type] | sort)]' '[null,["ipc","network","pid","uts"]]'
	from_cri '.cri.container.linux.securityContext.namespaceOptions = {network: "NODE", pid: "NODE", ipc: "NODE"}'
	is '[.hostname, ([.linux.namespaces[].type] | sort)]' '[null,["cgroup","mount"]]'
	is '.mounts[] | select(.destination == "/dev/shm") | .source' '"/dev/shm"'
	from_cri '.cri.pod.linux.securityContext.namespaceOptions.ipc = "NODE" | del(.cri.sandbox.shm)'
	is '[([.linux.namespaces[].type] | index("ipc")), (.mounts[] | select(.destination == "/dev/shm") | .source)]' '[null,"/dev/shm"]'
	from_cri '.cri.sandbox.namespaces.target = "/proc/1/ns/pid" | .cri.container.linux.securityContext.namespaceOptions = {pid: "TARGET", targetId: "x"}'
	is '.linux.namespaces[] | select(.type == "pid") | .path' '"/proc/1/ns/pid"'
	from_cri '.network = {netns: "/run/netns/x"} | del(.cri.sandbox.namespaces.network)'
	is '.linux.namespaces[] | select(.type == "network") | .path' '"/run/netns/x"'
	from_cri 2 'del(.cri.sandbox.namespaces.ipc)'
	error_is usage cri.sandbox.namespaces.ipc
	from_cri 2 'del(.cri.sandbox)'
	from_cri 2 '.cri.container.linux.securityContext.namespaceOptions.pid = "POD"'
	error_is usage cri.sandbox.namespaces.pid
	from_cri 7 '.network = {netns: "/run/netns/x"} | .cri.container.linux.securityContext.namespaceOptions.network = "NODE"'
}

@test "generate: cri: capabilities, confinement, paths" {
	from_cri '.cri.container.linux.securityContext.capabilities = {addCapabilities: ["NET_RAW", "KILL"], dropCapabilities: ["ALL", "KILL"]}'
	is .process.capabilities '{"bounding":["CAP_NET_RAW"],"effective":["CAP_NET_RAW"],"permitted":["CAP_NET_RAW"]}'
	from_cri '.cri.container.linux.securityContext.capabilities = {addCapabilities: ["ALL", "KILL"], dropCapabilities: ["ALL"]}'
	is .process.capabilities '{"bounding":["CAP_KILL"],"effective":["CAP_KILL"],"permitted":["CAP_KILL"]}'
	from_cri '.cri.container.linux.securityContext.capabilities = {addCapabilities: ["all"], dropCapabilities: ["KILL"]}'
	is '.process.capabilities.effective | [index("CAP_KILL"), length > 14]' '[null,true]'
	from_cri '.cri.container.linux.securityContext.capabilities = {dropCapabilities: ["ALL"], addAmbientCapabilities: ["CAP_NET_BIND_SERVICE"]}'
	is '.process.capabilities | map_values(. == ["CAP_NET_BIND_SERVICE"])' '{"ambient":true,"bounding":true,"effective":true,"inheritable":true,"permitted":true}'
	is '[.linux.maskedPaths, .linux.readonlyPaths]' '[["/proc/kcore"],["/proc/sys"]]'
	from_cri 'del(.cri.container.linux.securityContext | .maskedPaths, .readonlyPaths)'
	is '[.linux.maskedPaths, .linux.readonlyPaths]' '[[],[]]'
	from_cri 'del(.cri.container.linux.securityContext.namespaceOptions) | .cri.sandbox.namespaces.pid = "/proc/1/ns/pid" | del(.cri.container.linux)'
	is '.linux.maskedPaths | length > 5' true
	from_cri '.cri.container.linux.securityContext += {readonlyRootfs: true, noNewPrivs: true}'
	is '[.root.readonly, .process.noNewPrivileges]' '[true,true]'
	from_cri '.cri.container.linux.securityContext += {privileged: true, seccomp: {profileType: "RuntimeDefault"}}'
	is '[.linux.seccomp, .linux.maskedPaths, .linux.resources.devices]' '[null,null,[{"access":"rwm","allow":true}]]'
	is '.process.capabilities.bounding | length > 14' true
}

@test "generate: cri: seccomp: nothing is unconfined, an empty profile is the default, privileged has none" {
	local profile=$BATS_TEST_TMPDIR/profile.json

	echo '{"defaultAction": "SCMP_ACT_LOG"}' >"$profile"
	while IFS='|' read -r action context; do
		from_cri ".cri.container.linux.securityContext += {$context}"
		is '.linux.seccomp.defaultAction' "$action"
	done <<-END
		null|
		"SCMP_ACT_ERRNO"|seccomp: {}
		"SCMP_ACT_ERRNO"|seccomp: {profileType: "RuntimeDefault"}
		null|seccomp: {profileType: "Unconfined"}
		"SCMP_ACT_LOG"|seccomp: {profileType: "Localhost", localhostRef: "$profile"}
		null|seccomp: {profileType: "Localhost", localhostRef: "$profile"}, privileged: true
		null|seccompProfilePath: "unconfined"
		"SCMP_ACT_ERRNO"|seccompProfilePath: "runtime/default"
		"SCMP_ACT_ERRNO"|seccompProfilePath: "docker/default"
		"SCMP_ACT_LOG"|seccompProfilePath: "localhost/$profile"
		"SCMP_ACT_LOG"|seccompProfilePath: "unconfined", seccomp: {profileType: "Localhost", localhostRef: "$profile"}
	END
	from_cri 'del(.cri.container.linux.securityContext)  | .cri.sandbox.namespaces.pid = "/proc/1/ns/pid"'
	is '.linux.seccomp' null
	from_cri 3 '.cri.container.linux.securityContext.seccomp = {profileType: "Localhost", localhostRef: "/nonexistent"}'
}

@test "generate: cri: AppArmor: a profile that was named is there or is missed" {
	local context

	if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ]; then
		from_cri '.cri.container.linux.securityContext.apparmor = {}'
		is .process.apparmorProfile null
		from_cri '.cri.container.linux.securityContext.apparmor = {profileType: "Unconfined"}'
		is .process.apparmorProfile null
		from_cri 10 '.cri.container.linux.securityContext.apparmor = {profileType: "Localhost", localhostRef: "mine"}'
		error_is unsupported mine
		from_cri 10 '.cri.container.linux.securityContext += {privileged: true, apparmorProfile: "localhost/mine"}'
	fi
	while IFS='|' read -r code expected loaded context; do
		jq ".cri.container.linux.securityContext += {$context}" "$DOCUMENT" >"$DOCUMENT.now"
		with_apparmor "$code" "$loaded" oci-gen generate --document "$DOCUMENT.now"
		[ "$code" -ne 0 ] || is .config.process.apparmorProfile "$expected"
	done <<-'END'
		0|null|mine|
		0|"mine"|other mine|apparmor: {profileType: "Localhost", localhostRef: "mine"}
		0|"mine"|mine|apparmor: {profileType: "Localhost", localhostRef: "localhost/mine"}
		0|"mine"|mine|apparmorProfile: "localhost/mine"
		0|"mine"|mine|apparmor: {profileType: "Localhost", localhostRef: "mine"}, privileged: true
		3||mine2|apparmor: {profileType: "Localhost", localhostRef: "mine"}
		0|"unconfined"||apparmor: {profileType: "Unconfined"}
		0|"docker-default"|docker-default|apparmor: {}
		0|"docker-default"|docker-default|
		0|null|docker-default|privileged: true
		0|"ocid-default"|docker-default ocid-default|apparmorProfile: "runtime/default"
		0|null|docker-default|apparmor: {}, privileged: true
		10||mine|apparmor: {}
		7|||apparmor: {profileType: "Localhost"}
	END
}

@test "generate: cri: what is not done, not known or malformed is one error, never passed over" {
	while IFS='|' read -r code filter; do
		from_cri "$code" "$filter"
		[ ! -e "$BUNDLE/config.json" ]
	done <<-'END'
		7|.cri.container.CDIDevices = [{name: "vendor.com/device"}]
		10|.cri.container.windows = {}
		2|.cri.container.mounts = [{containerPath: "/a", image: {image: "x"}, readonly: true}]
		7|.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", image: {image: "x"}}]
		7|.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", imageSubPath: "x"}]
		7|.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", uidMappings: [{hostId: 1}]}]
		7|.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", uidMappings: [{hostId: 1, length: 9}]}]
		7|.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", mountOptions: ["rw"]}]
		7|.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", mountOptions: ["noexec,suid"]}]
		7|.cri.container.linux.securityContext.apparmorProfile = "nonsense"
		7|.cri.container.linux.securityContext.seccompProfilePath = "localhost/"
		7|.cri.container.linux.securityContext.seccompProfilePath = "localhost/relative"
		10|.cri.container.nonsense = 1
		10|.cri.container.working_dir = "/x"
		10|.cri.container.linux.securityContext.capabilities.addNothing = []
		7|.cri.container.devices = [{hostPath: "/dev/null", permissions: "rwx"}]
		7|.cri.container.devices = [{hostPath: "dev/null"}]
		3|.cri.container.devices = [{hostPath: "/proc/self/ns"}]
		7|.cri = []
		7|.cri = {}
		7|del(.cri.pod)
		7|del(.cri.container)
		7|.cri.container.args = "x"
		7|.cri.container.args = [1]
		7|.cri.container.args = [null]
		7|.cri.container.envs = [{key: "A", value: "%%%"}]
		7|.cri.container.envs = [{key: "A", value: "AA=="}]
		7|.cri.container.envs = [{key: "A", value: "/w=="}]
		7|.cri.container.envs = [{key: "A=B", value: ""}]
		7|.cri.container.envs = [{value: ""}]
		7|.cri.container.tty = "true"
		7|.cri.container.stopSignal = "TERM"
		7|.cri.container.mounts = [{containerPath: "a", hostPath: "/tmp"}]
		7|.cri.container.mounts = [{containerPath: "/", hostPath: "/tmp"}]
		7|.cri.container.mounts = [{containerPath: "/a"}]
		7|.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", propagation: "SOMETIMES"}]
		7|.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", recursiveReadOnly: true}]
		7|.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", readonly: true, recursiveReadOnly: true, propagation: "PROPAGATION_HOST_TO_CONTAINER"}]
		7|.cri.container.devices = [{hostPath: "/etc/passwd"}]
		3|.cri.container.devices = [{hostPath: "/dev/nonexistent"}]
		7|.cri.container.linux.resources.cpuShares = "many"
		7|.cri.container.linux.resources.cpuShares = 1.5
		7|.cri.container.linux.resources.cpuShares = "99999999999999999999"
		7|.cri.container.linux.securityContext.runAsUser = {value: -1}
		7|.cri.container.linux.securityContext.runAsUser = {value: "4294967295"}
		7|.cri.container.linux.securityContext.runAsUser = 1
		7|.cri.container.linux.securityContext.runAsGroup = {value: 1}
		7|.cri.container.linux.securityContext += {runAsUser: {value: 1}, runAsUsername: "a"}
		7|.cri.container.linux.securityContext.runAsUsername = "a:b"
		7|.cri.container.linux.securityContext.runAsUsername = "nobody-here"
		7|.cri.container.linux.securityContext.supplementalGroups = [-1]
		7|.cri.container.linux.securityContext.capabilities.addCapabilities = ["CAP_NONSENSE"]
		7|.cri.container.linux.securityContext.seccomp = {profileType: "Localhost", localhostRef: "x"}
		7|.cri.container.linux.securityContext.namespaceOptions.network = "CONTAINER"
		7|.cri.container.linux.securityContext.namespaceOptions.ipc = 9
		7|.cri.pod.linux.sysctls = {a: 1}
	END
}

@test "generate: cri: mounts have the propagation that was asked for, or none are made" {
	local host="$BATS_TEST_TMPDIR/the host"

	mkdir "$host"
	tool unshare --mount --propagation private sh -ec '
		mount -t tmpfs none "$2"
		jq --arg host "$2" ".cri.container.mounts = [
			{containerPath: \"/a\", hostPath: \$host, propagation: \"PROPAGATION_BIDIRECTIONAL\"},
			{containerPath: \"/b\", hostPath: \$host, propagation: \"PROPAGATION_HOST_TO_CONTAINER\"},
			{containerPath: \"/c/d\", hostPath: \$host, readonly: true, recursiveReadOnly: true}, {containerPath: \"/c\", hostPath: \$host}]" "$1" >"$1.m"
		oci-gen generate --document "$1.m" 2>"$1.err" && exit 1
		mount --make-shared "$2"
		exec oci-gen generate --document "$1.m"' sh "$DOCUMENT" "$host"
	grep -q 'not shared' "$DOCUMENT.err"
	is '[.config.mounts[] | select(.destination | test("^/[abc]")) | [.destination, (.options | join(","))]]' \
		'[["/a","rbind,rshared,rw"],["/b","rbind,rslave,rw"],["/c","rbind,rprivate,rw"],["/c/d","rbind,rprivate,ro,rro"]]'
	is .config.linux.rootfsPropagation '"rshared"'
}

@test "generate: cri: hosts and resolv.conf fit the pod; the kubelet's mounts go over them" {
	from_cri '.network = {netns: "/run/netns/x", attachments: [{result: {ips: [{address: "10.1.2.3/24"}]}}]}
		| .cri.pod.dnsConfig = {servers: ["10.96.0.10"], searches: ["a.svc", "svc"], options: ["ndots:5"]}
		| .cri.container.mounts = [{containerPath: "/etc/hosts", hostPath: "/kubelet/hosts"}]'
	diff - "$BUNDLE/resolv.conf" <<-'END'
		search a.svc svc
		nameserver 10.96.0.10
		options ndots:5
	END
	grep -qx '10.1.2.3	pod-host' "$BUNDLE/hosts"
	is '[.mounts[] | select(.destination == "/etc/hosts") | .source]' '["/kubelet/hosts"]'
	is '[.mounts[] | select(.destination == "/etc/resolv.conf") | .source]' "[\"$BUNDLE/resolv.conf\"]"
	from_cri '.cri.container.linux.securityContext.namespaceOptions.network = "NODE"'
	diff /etc/hosts "$BUNDLE/hosts"
	diff - "$BUNDLE/hostname" <<<pod-host
	# where nothing can be written, nor can these; what the kubelet mounts is as it says
	from_cri '.cri.container.linux.securityContext.readonlyRootfs = true
		| .cri.container.mounts = [{containerPath: "/etc/hosts", hostPath: "/kubelet/hosts"}]'
	is '[.mounts[] | select(.destination | startswith("/etc/")) | select(.options | index("ro")) | .destination] | sort' \
		'["/etc/hostname","/etc/resolv.conf"]'
	# kubelets give a pod with the host's network no name
	from_cri '.cri.container.linux.securityContext.namespaceOptions.network = "NODE" | del(.cri.pod.hostname)'
	diff <(uname -n) "$BUNDLE/hostname"
	is '.process.env | map(select(startswith("HOSTNAME=")))' "[\"HOSTNAME=$(uname -n)\"]"
}

@test "generate: cri: a container finds itself as it was asked for" {
	mkdir "$BATS_TEST_TMPDIR/data"
	echo hello >"$BATS_TEST_TMPDIR/data/file"
	cri_run '.cri.container += {workingDir: "/tmp", envs: [{key: "GREETING", value: "aGk="}],
			mounts: [{containerPath: "/data", hostPath: "'"$BATS_TEST_TMPDIR"'/data", readonly: true}],
			devices: [{hostPath: "/dev/null", containerPath: "/dev/other", permissions: "rw"}]}
		| .cri.container.linux.resources = {memoryLimitInBytes: "67108864", cpuShares: "512", oomScoreAdj: 900}
		| .cri.container.linux.securityContext += {runAsUser: {value: 1000}, runAsGroup: {value: 5}, supplementalGroups: [7], readonlyRootfs: true, noNewPrivs: true, seccomp: {},
			capabilities: {dropCapabilities: ["ALL"], addAmbientCapabilities: ["NET_RAW"]}}
		| del(.cri.sandbox.namespaces.network) | .cri.container.linux.securityContext.namespaceOptions += {network: "NODE"}' \
		sh -c 'id; pwd; echo $GREETING; cat /data/file; echo x >/data/new; echo x >/new; echo x >/dev/other && echo device
			grep -E "^(Cap(Eff|Bnd|Amb)|NoNewPrivs|Seccomp):" /proc/self/status; cat /proc/self/oom_score_adj; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; cat /proc/sys/kernel/pid_max >/proc/sys/kernel/pid_max
			cat /etc/hostname; mkdir /dev/shm/here'
	[[ $output == *"uid=1000(user) gid=5 groups="*7,50* ]]
	[[ $output == *"/tmp"*"hi"*"hello"* ]]
	[[ $output == *device* ]]
	[[ $output == *"CapEff:	0000000000002000"* && $output == *"CapAmb:	0000000000002000"* && $output == *"CapBnd:	0000000000002000"* ]]
	[[ $output == *"NoNewPrivs:	1"* && $output == *"Seccomp:	2"* ]]
	[[ $output == *"
900
"* ]]
	[[ $output == *pod-host* ]]
	[[ $output == *67108864* ]]
	[ -d "$BATS_TEST_TMPDIR/shm/here" ]
	[[ $stderr == *"/data/new: Read-only file system"* && $stderr == *"pid_max: Read-only file system"* ]]
	[[ $stderr == *"/new: Read-only file system"* ]]
}

@test "generate: cri: the devices of a privileged container are in the order of their names" {
	local path

	mkdir -p "$BATS_TEST_TMPDIR"/dev/{d,a}
	for path in c a/z b a/b d/x a/c; do
		mknod "$BATS_TEST_TMPDIR/dev/$path" c 1 3
	done
	from_cri '.cri.container.linux.securityContext.privileged = true | .cri.container.devices = [
		{hostPath: "'"$BATS_TEST_TMPDIR/dev"'", containerPath: "/dev/of-this-test"}]'
	is '[.linux.devices[].path | select(test("of-this-test"))]' "$(printf '/dev/of-this-test/%s\n' a/b a/c a/z b c d/x | jq -Rsc 'split("\n")[:-1]')"
	is '[.linux.devices[].path | select(test("of-this-test") | not)] | . == sort_by(split("/"))' true
}

@test "generate: cri: a privileged container has the devices of the host and all it can do" {
	cri_run '.cri.container.linux.securityContext += {privileged: true, runAsUser: {value: 0}} | del(.cri.sandbox.namespaces)
		| .cri.container.linux.securityContext.namespaceOptions = {network: "NODE", pid: "CONTAINER", ipc: "NODE"}' \
		sh -c 'grep -E "^(CapBnd|Seccomp):" /proc/self/status; ls /dev/loop-control /dev/net/tun /dev/kmsg 2>/dev/null; mount | grep " /sys "'
	[[ $output == *"Seccomp:	0"* && $output == *"on /sys type sysfs (rw"* ]]
	[[ $output != *"CapBnd:	00000000a80425fb"* ]]
	for device in /dev/loop-control /dev/net/tun /dev/kmsg; do
		[ ! -c "$device" ] || [[ $output == *"$device"* ]]
	done
}
