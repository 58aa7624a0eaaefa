# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common
load cri

# Each line: the fields it is about ~ how they are set ~ what is looked at ~ what it is.
table() {
	cat <<-'END'
		ContainerConfig.command~.cri.container.command = ["/c", "d"]~.process.args~["/c","d"]
		ContainerConfig.args~.cri.container.args = ["b"]~.process.args~["/init","b"]
		ContainerConfig.workingDir~.cri.container.workingDir = "/tmp"~.process.cwd~"/tmp"
		ContainerConfig.envs KeyValue.key KeyValue.value~.cri.container.envs = [{key: "A", value: "aGk="}]~.process.env | map(select(test("^A=")))~["A=hi"]
		ContainerConfig.annotations~.cri.container.annotations = {"a.b": "c"}~.annotations."a.b"~"c"
		ContainerConfig.tty~.cri.container.tty = true~[.process.terminal, (.process.env | index("TERM=xterm") != null)]~[true,true]
		ContainerConfig.stopSignal~.cri.container.stopSignal = "SIGNAL_SIGUSR1"~.annotations."org.opencontainers.image.stopSignal"~"SIGUSR1"
		ContainerConfig.mounts Mount.containerPath Mount.hostPath~.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp"}]~.mounts[] | select(.destination == "/a")~{"destination":"/a","options":["rbind","rprivate","rw"],"source":"/tmp","type":"bind"}
		Mount.readonly~.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", readonly: true}]~.mounts[] | select(.destination == "/a").options~["rbind","rprivate","ro"]
		Mount.recursiveReadOnly~.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", readonly: true, recursiveReadOnly: true}]~.mounts[] | select(.destination == "/a").options~["rbind","rprivate","ro","rro"]
		Mount.propagation~.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", propagation: "PROPAGATION_PRIVATE"}]~.mounts[] | select(.destination == "/a").options[1]~"rprivate"
		Mount.selinuxRelabel~.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", selinuxRelabel: false}]~.mounts | any(.destination == "/a")~true
		Mount.image Mount.imageSubPath ImageSpec.image~.cri.sandbox.images = {i: "/usr"} | .cri.container.mounts = [{containerPath: "/a", image: {image: "i"}, readonly: true, imageSubPath: "share"}]~.mounts[] | select(.destination == "/a") | [.source, .options[2]]~["/usr/share","ro"]
		Mount.mountOptions~.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", mountOptions: ["nodev"]}]~.mounts[] | select(.destination == "/a").options[3]~"nodev"
		Mount.uidMappings Mount.gidMappings IDMapping.hostId IDMapping.containerId IDMapping.length~.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", uidMappings: [{hostId: 1, containerId: 2, length: 3}], gidMappings: [{hostId: 4, containerId: 5, length: 6}]}]~.mounts[] | select(.destination == "/a") | [.uidMappings, .gidMappings]~[[{"containerID":2,"hostID":1,"size":3}],[{"containerID":5,"hostID":4,"size":6}]]
		ContainerConfig.devices Device.containerPath Device.hostPath Device.permissions~.cri.container.devices = [{containerPath: "/dev/x", hostPath: "/dev/zero", permissions: "r"}]~[.linux.devices[0].path, .linux.resources.devices[-1].access]~["/dev/x","r"]
		LinuxContainerResources.cpuPeriod LinuxContainerResources.cpuQuota LinuxContainerResources.cpuShares~.cri.container.linux.resources = {cpuPeriod: 100000, cpuQuota: 5000, cpuShares: 7}~.linux.resources.cpu~{"period":100000,"quota":5000,"shares":7}
		LinuxContainerResources.cpusetCpus LinuxContainerResources.cpusetMems~.cri.container.linux.resources = {cpusetCpus: "0", cpusetMems: "0"}~.linux.resources.cpu~{"cpus":"0","mems":"0"}
		LinuxContainerResources.memoryLimitInBytes LinuxContainerResources.memorySwapLimitInBytes~.cri.container.linux.resources = {memoryLimitInBytes: 1048576, memorySwapLimitInBytes: 2097152}~.linux.resources.memory~{"limit":1048576,"swap":2097152}
		LinuxContainerResources.oomScoreAdj~.cri.container.linux.resources = {oomScoreAdj: 1000}~.process.oomScoreAdj~1000
		LinuxContainerResources.hugepageLimits HugepageLimit.pageSize HugepageLimit.limit~.cri.container.linux.resources = {hugepageLimits: [{pageSize: "2MB", limit: 2}]}~.linux.resources.hugepageLimits~[{"limit":2,"pageSize":"2MB"}]
		LinuxContainerResources.unified~.cri.container.linux.resources = {unified: {"memory.high": "9"}}~.linux.resources.unified~{"memory.high":"9"}
		LinuxContainerSecurityContext.capabilities Capability.addCapabilities Capability.dropCapabilities~.cri.container.linux.securityContext.capabilities = {addCapabilities: ["SYS_PTRACE"], dropCapabilities: ["CHOWN"]}~.process.capabilities.bounding | [index("CAP_SYS_PTRACE") != null, index("CAP_CHOWN") != null]~[true,false]
		Capability.addAmbientCapabilities~.cri.container.linux.securityContext.capabilities = {addAmbientCapabilities: ["KILL"]}~.process.capabilities.ambient~["CAP_KILL"]
		LinuxContainerSecurityContext.privileged~.cri.container.linux.securityContext.privileged = true~[.linux.maskedPaths, .linux.resources.devices]~[null,[{"access":"rwm","allow":true}]]
		LinuxContainerSecurityContext.namespaceOptions NamespaceOption.network NamespaceOption.pid NamespaceOption.ipc~.cri.container.linux.securityContext.namespaceOptions = {network: "NODE", pid: "NODE", ipc: "NODE"}~[.linux.namespaces[].type] | sort~["cgroup","mount"]
		NamespaceOption.targetId~.cri.sandbox.namespaces.target = "/x" | .cri.container.linux.securityContext.namespaceOptions = {pid: "TARGET", targetId: "other"}~.linux.namespaces[] | select(.type == "pid").path~"/x"
		NamespaceOption.usernsOptions UserNamespace.mode UserNamespace.uids UserNamespace.gids~.cri.sandbox.namespaces.user = "/x" | .cri.container.linux.securityContext.namespaceOptions.usernsOptions = {mode: "POD", uids: [{hostId: 7, length: 9}], gids: [{hostId: 8, length: 9}]}~[.linux.uidMappings[0].hostID, .linux.gidMappings[0].hostID]~[7,8]
		LinuxContainerSecurityContext.selinuxOptions SELinuxOption.user SELinuxOption.role SELinuxOption.type SELinuxOption.level~.cri.container.linux.securityContext.selinuxOptions = {}~.process.selinuxLabel~null
		LinuxContainerSecurityContext.runAsUser LinuxContainerSecurityContext.runAsGroup Int64Value.value~.cri.container.linux.securityContext += {runAsUser: {value: 7}, runAsGroup: {value: 8}}~.process.user~{"additionalGids":[8],"gid":8,"uid":7}
		LinuxContainerSecurityContext.runAsUsername~.cri.container.linux.securityContext.runAsUsername = "user"~.process.user.uid~1000
		LinuxContainerSecurityContext.supplementalGroups LinuxContainerSecurityContext.supplementalGroupsPolicy~.cri.container.linux.securityContext += {supplementalGroups: [7], supplementalGroupsPolicy: "Strict"}~.process.user.additionalGids~[1000,7]
		LinuxContainerSecurityContext.readonlyRootfs~.cri.container.linux.securityContext.readonlyRootfs = true~.root.readonly~true
		LinuxContainerSecurityContext.noNewPrivs~.cri.container.linux.securityContext.noNewPrivs = true~.process.noNewPrivileges~true
		LinuxContainerSecurityContext.maskedPaths LinuxContainerSecurityContext.readonlyPaths~.cri.container.linux.securityContext += {maskedPaths: ["/a"], readonlyPaths: ["/b"]}~[.linux.maskedPaths, .linux.readonlyPaths]~[["/a"],["/b"]]
		LinuxContainerSecurityContext.seccomp SecurityProfile.profileType~.cri.container.linux.securityContext.seccomp = {profileType: "RuntimeDefault"}~.linux.seccomp.defaultAction~"SCMP_ACT_ERRNO"
		LinuxContainerSecurityContext.seccompProfilePath~.cri.container.linux.securityContext.seccompProfilePath = "runtime/default"~.linux.seccomp.defaultAction~"SCMP_ACT_ERRNO"
		LinuxContainerSecurityContext.apparmor LinuxContainerSecurityContext.apparmorProfile~.cri.container.linux.securityContext += {apparmor: {}, apparmorProfile: "unconfined"} | .cri.container.linux.securityContext.apparmor.profileType = "Unconfined"~.process.apparmorProfile // "unconfined"~"unconfined"
		PodSandboxConfig.hostname~.cri.pod.hostname = "box"~[.hostname, (.process.env | index("HOSTNAME=box") != null)]~["box",true]
		LinuxPodSandboxConfig.cgroupParent~.cri.pod.linux.cgroupParent = "/x"~.linux.cgroupsPath~"/x/0123456789abcdef0123"
		LinuxPodSandboxConfig.sysctls~.cri.pod.linux.sysctls = {"net.a": "b"}~.linux.sysctl~{"net.a":"b"}
		LinuxPodSandboxConfig.securityContext LinuxSandboxSecurityContext.namespaceOptions~del(.cri.container.linux) | .cri.pod.linux.securityContext.namespaceOptions = {network: "NODE", pid: "NODE", ipc: "NODE"}~[.linux.namespaces[].type] | sort~["cgroup","mount"]
	END
}

# Fields that say nothing of a configuration: names, what is for a pause container, and what other
# tools and the caller do; and those whose tests are elsewhere, because they take files (generate-cri, generate-cdi, and for what
# goes into resolv.conf generate-cri).
elsewhere() {
	cat <<-'END'
		ContainerConfig.metadata ContainerConfig.image ContainerConfig.labels ContainerConfig.logPath ContainerConfig.stdin ContainerConfig.stdinOnce ContainerConfig.linux
		ContainerMetadata.name ContainerMetadata.attempt ImageSpec.annotations ImageSpec.userSpecifiedImage ImageSpec.runtimeHandler ImageSpec.imageRef
		LinuxContainerConfig.resources LinuxContainerConfig.securityContext PodSandboxConfig.metadata PodSandboxConfig.logDirectory PodSandboxConfig.portMappings
		PodSandboxConfig.labels PodSandboxConfig.linux PodSandboxMetadata.name PodSandboxMetadata.uid PodSandboxMetadata.namespace PodSandboxMetadata.attempt
		PortMapping.protocol PortMapping.containerPort PortMapping.hostPort PortMapping.hostIp LinuxPodSandboxConfig.overhead LinuxPodSandboxConfig.resources
		SecurityProfile.localhostRef ContainerConfig.CDIDevices CDIDevice.name PodSandboxConfig.dnsConfig DNSConfig.servers DNSConfig.searches DNSConfig.options
		ContainerConfig.windows PodSandboxConfig.windows PodSandboxConfig.annotations
		LinuxSandboxSecurityContext.runAsUser LinuxSandboxSecurityContext.runAsGroup LinuxSandboxSecurityContext.supplementalGroups
		LinuxSandboxSecurityContext.supplementalGroupsPolicy LinuxSandboxSecurityContext.readonlyRootfs LinuxSandboxSecurityContext.privileged
		LinuxSandboxSecurityContext.seccomp LinuxSandboxSecurityContext.seccompProfilePath
		LinuxSandboxSecurityContext.apparmor LinuxSandboxSecurityContext.selinuxOptions
	END
}

@test "generate: cri: every field is honoured, as the table says" {
	local table=$BATS_TEST_TMPDIR/table made=$BATS_TEST_TMPDIR/made filters looks line

	table >"$table"
	filters=$(awk -F'~' 'NR > 1 { printf ", " } { printf "(%s)", $2 }' "$table")
	while read -r line; do
		tool oci-gen generate <<<"$line"
		cat <<<"$output" >>"$made"
	done < <(jq -c "$filters" "$DOCUMENT")
	looks=$(awk -F'~' 'NR > 1 { printf ", " } { printf "[$all[%d].config | %s]", NR - 1, $3 }' "$table")
	diff <(awk -F'~' '{ print $1 "~[" $4 "]" }' "$table") \
		<(jq -cSn "[inputs] as \$all | $looks" "$made" | paste -d'~' <(cut -d'~' -f1 "$table") -)
}

@test "generate: cri: no field of the protocol is missing from the table, or unknown" {
	local proto=$TESTS/../ocid-dispatch/cri.proto

	diff <(/usr/bin/python3 "$TESTS/oci-gen/cri-fields.py" list "$proto" | grep -v ^Windows | sort) \
		<({ table | cut -d'~' -f1; elsewhere; } | tr ' ' '\n' | sort -u)
	jq --argjson cri "$(/usr/bin/python3 "$TESTS/oci-gen/cri-fields.py" --document "$proto")" \
		'.cri = ($cri | del(.container.windows, .pod.windows))' "$DOCUMENT" >"$DOCUMENT.now"
	run --separate-stderr oci-gen generate --document "$DOCUMENT.now"
	[[ $stderr != *"not known"* && $stderr != *"not supported"* ]]
	for config in container pod; do
		from_cri 10 ".cri.$config.windows = {}"
	done
}
