# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
load ../helpers
load common

setup_file() {
	file_setup
	make_rootfs
}

# Every option that sets a member of its own: the members, then the options.
@test "generate: each of oci-runtime-tool's options changes just its member" {
	changes_all <<-'END'
		domainname ociVersion | --domainname x
		domainname | --domainname x --oci-version 1.0.2
		ociVersion | --oci-version 1.1.0
		| --os linux
		process/user/username | --process-username me
		process/user/umask | --process-umask 027
		process/consoleSize/width process/consoleSize/height process/terminal process/env/* | --process-consolesize 80:25 --tty
		| --process-rlimits-remove NOFILE
		| --process-rlimits-remove-all
		process/rlimits/*/type process/rlimits/*/hard process/rlimits/*/soft | --process-rlimits-remove-all --process-rlimits-add CPU:1
		process/capabilities/bounding/* process/capabilities/effective/* process/capabilities/permitted/* | --process-cap-drop MKNOD,KILL
		process/capabilities/bounding/* | --process-cap-drop-bounding KILL
		process/capabilities/effective/* | --process-cap-drop-effective KILL
		process/capabilities/effective/* process/capabilities/permitted/* | --process-cap-drop-effective KILL --process-cap-drop-permitted KILL
		process/capabilities/bounding/* | --process-cap-add-bounding LEASE
		process/capabilities/permitted/* | --process-cap-add-permitted SYS_PTRACE
		process/capabilities/permitted/* process/capabilities/effective/* | --process-cap-add-permitted SYS_PTRACE --process-cap-add-effective SYS_PTRACE
		process/capabilities/inheritable/* | --process-cap-add-inheritable KILL
		process/capabilities/inheritable/* process/capabilities/ambient/* | --process-cap-add-inheritable KILL --process-cap-add-ambient KILL
		| --process-cap-drop-inheritable KILL --process-cap-drop-ambient KILL
		mounts/*/destination mounts/*/type mounts/*/source mounts/*/options/* | --mounts-remove /dev/mqueue/
		mounts/*/destination mounts/*/type mounts/*/source mounts/*/options/* | --mounts-remove-all
		| --hooks-prestart-remove-all --hooks-poststart-remove-all --hooks-poststop-remove-all --hooks-createRuntime-remove-all --hooks-createContainer-remove-all --hooks-startContainer-remove-all
		hooks/poststart/*/path hooks/poststart/*/timeout | --hooks-poststart-add {"path":"/a"} --hooks-poststart-add {"path":"/a","timeout":5}
		hooks/poststop/*/path hooks/poststop/*/args/* | --hooks-poststop-add {"path":"/a","args":["a","b"]}
		hooks/createRuntime/*/path | --hooks-createRuntime-add {"path":"/a"}
		hooks/createContainer/*/path | --hooks-createContainer-add {"path":"/a"}
		hooks/startContainer/*/path | --hooks-startContainer-add {"path":"/a"}
		process/apparmorProfile | --linux-apparmor docker-default
		process/selinuxLabel | --linux-selinux-label a_u:b_r:c_t:s0
		linux/mountLabel | --linux-mount-label a_u:b_r:c_t:s0
		linux/rootfsPropagation | --linux-rootfs-propagation rslave
		linux/uidMappings/*/hostID linux/uidMappings/*/containerID linux/uidMappings/*/size linux/gidMappings/*/hostID linux/gidMappings/*/containerID linux/gidMappings/*/size linux/namespaces/*/type | --linux-uidmappings 1000:0:10 --linux-gidmappings 2000:0:20
		hostname linux/namespaces/*/type | --hostname x --linux-namespace-remove-all --linux-namespace-add mount --linux-namespace-add uts
		linux/intelRdt/closID | --linux-intelRdt-closid guaranteed
		linux/intelRdt/l3CacheSchema | --linux-intelRdt-l3CacheSchema L3:0=ffff0
		linux/devices/*/type linux/devices/*/major linux/devices/*/minor linux/devices/*/path | --linux-device-add c:10:229:/dev/fuse
		linux/devices/*/type linux/devices/*/major linux/devices/*/minor linux/devices/*/path linux/devices/*/fileMode linux/devices/*/uid linux/devices/*/gid | --linux-device-add b:8:0:/dev/sda:fileMode=438:uid=1:gid=2
		| --linux-device-remove /dev/fuse --linux-device-remove-all
		linux/resources/devices/*/allow linux/resources/devices/*/type linux/resources/devices/*/major linux/resources/devices/*/minor linux/resources/devices/*/access | --linux-device-cgroup-add allow,type=c,major=10,minor=229,access=rw
		linux/resources/devices/*/allow linux/resources/devices/*/type linux/resources/devices/*/major linux/resources/devices/*/minor linux/resources/devices/*/access | --linux-device-cgroup-remove deny,access=rwm
		linux/resources/memory/disableOOMKiller | --linux-disable-oom-kill
		linux/resources/memory/swappiness | --linux-mem-swappiness 60
		linux/resources/memory/kernelTCP | --linux-mem-kernel-tcp 1m
		linux/resources/cpu/realtimePeriod | --linux-realtime-period 1000000
		linux/resources/cpu/realtimeRuntime | --linux-realtime-runtime 950000
		linux/resources/blockIO/weight | --linux-blkio-weight 10
		linux/resources/blockIO/leafWeight | --linux-blkio-leaf-weight 1000
		linux/resources/blockIO/weightDevice/*/major linux/resources/blockIO/weightDevice/*/minor linux/resources/blockIO/weightDevice/*/weight | --linux-blkio-weight-device 8:0:500
		linux/resources/blockIO/weightDevice/*/major linux/resources/blockIO/weightDevice/*/minor linux/resources/blockIO/weightDevice/*/leafWeight | --linux-blkio-leaf-weight-device 8:0:500
		linux/resources/blockIO/throttleReadBpsDevice/*/major linux/resources/blockIO/throttleReadBpsDevice/*/minor linux/resources/blockIO/throttleReadBpsDevice/*/rate | --linux-blkio-read-bps-device 8:0:100
		linux/resources/blockIO/throttleReadIOPSDevice/*/major linux/resources/blockIO/throttleReadIOPSDevice/*/minor linux/resources/blockIO/throttleReadIOPSDevice/*/rate | --linux-blkio-read-iops-device 8:0:100
		linux/resources/blockIO/throttleWriteBpsDevice/*/major linux/resources/blockIO/throttleWriteBpsDevice/*/minor linux/resources/blockIO/throttleWriteBpsDevice/*/rate | --linux-blkio-write-bps-device 8:0:100
		linux/resources/blockIO/throttleWriteIOPSDevice/*/major linux/resources/blockIO/throttleWriteIOPSDevice/*/minor linux/resources/blockIO/throttleWriteIOPSDevice/*/rate | --linux-blkio-write-iops-device 8:0:100
		linux/resources/hugepageLimits/*/pageSize linux/resources/hugepageLimits/*/limit | --linux-hugepage-limits-add 2MB:4194304
		| --linux-hugepage-limits-drop 2MB
		linux/resources/network/classID | --linux-network-classid 1048577
		linux/resources/network/priorities/*/name linux/resources/network/priorities/*/priority | --linux-network-priorities eth0:7
		linux/seccomp/defaultAction linux/seccomp/defaultErrnoRet | --linux-seccomp-default-force kill
		linux/seccomp/architectures/* | --linux-seccomp-arch ppc64le
		linux/seccomp/syscalls/*/names/* linux/seccomp/syscalls/*/action | --linux-seccomp-errno no_such_call
		linux/seccomp/syscalls/*/names/* linux/seccomp/syscalls/*/action | --linux-seccomp-kill no_such_call
		linux/seccomp/syscalls/*/names/* linux/seccomp/syscalls/*/action | --linux-seccomp-trap no_such_call
		linux/seccomp/syscalls/*/names/* linux/seccomp/syscalls/*/action | --linux-seccomp-trace no_such_call
		linux/seccomp/syscalls/*/names/* linux/seccomp/syscalls/*/action | --linux-seccomp-allow no_such_call
		linux/seccomp/syscalls/*/names/* | --linux-seccomp-remove read
		solaris/anet/*/linkname | --solaris-anet {"linkname":"net0"}
		solaris/cappedCPU/ncpus | --solaris-capped-cpu-ncpus 1.25
		solaris/cappedMemory/physical | --solaris-capped-memory-physical 512m
		solaris/cappedMemory/swap | --solaris-capped-memory-swap 512m
		solaris/limitpriv | --solaris-limitpriv default
		solaris/maxShmMemory | --solaris-max-shm-memory 512m
		solaris/milestone | --solaris-milestone svc:/milestone/container:default
		vm/kernel/path | --vm-kernel-path /k
		vm/kernel/path vm/kernel/parameters/* | --vm-kernel-path /k --vm-kernel-parameters quiet
		vm/kernel/path vm/kernel/initrd | --vm-kernel-path /k --vm-kernel-initrd /i
		vm/kernel/path vm/hypervisor/path | --vm-kernel-path /k --vm-hypervisor-path /h
		vm/kernel/path vm/hypervisor/path vm/hypervisor/parameters/* | --vm-kernel-path /k --vm-hypervisor-path /h --vm-hypervisor-parameters a --vm-hypervisor-parameters b
		vm/kernel/path vm/image/path vm/image/format | --vm-kernel-path /k --vm-image-path /i --vm-image-format raw
		windows/layerFolders/* | --windows-layer-folders C:\a --windows-layer-folders C:\b
		windows/layerFolders/* windows/devices/*/id windows/devices/*/idType | --windows-layer-folders a --windows-devices 24E5:class
		windows/layerFolders/* windows/hyperv/utilityVMPath | --windows-layer-folders a --windows-hyperv-utilityVMPath C:\x
		windows/layerFolders/* windows/ignoreFlushesDuringBoot | --windows-layer-folders a --windows-ignore-flushes-during-boot
		windows/layerFolders/* windows/network/endpointList/* | --windows-layer-folders a --windows-network {"endpointList":["x"]}
		windows/layerFolders/* windows/network/allowUnqualifiedDNSQuery | --windows-layer-folders a --windows-network-allowunqualifieddnsquery
		windows/layerFolders/* windows/network/networkNamespace | --windows-layer-folders a --windows-network-networkNamespace x
		windows/layerFolders/* windows/resources/cpu/count | --windows-layer-folders a --windows-resources-cpu {"count":2}
		windows/layerFolders/* windows/resources/memory/limit | --windows-layer-folders a --windows-resources-memory-limit 1g
		windows/layerFolders/* windows/resources/storage/iops | --windows-layer-folders a --windows-resources-storage {"iops":50}
		windows/layerFolders/* windows/servicing | --windows-layer-folders a --windows-servicing
	END
}

@test "generate: each option for a later member changes just that, and the version" {
	changes_all <<-'END'
		process/scheduler/policy process/scheduler/nice ociVersion | --process-scheduler {"policy":"SCHED_BATCH","nice":5}
		process/ioPriority/class process/ioPriority/priority ociVersion | --process-io-priority be:4
		process/execCPUAffinity/initial ociVersion | --process-exec-cpus-initial 0-1
		process/execCPUAffinity/final ociVersion | --process-exec-cpus-final 0
		linux/timeOffsets/boottime/secs linux/timeOffsets/boottime/nanosecs linux/namespaces/*/type ociVersion | --linux-time-offset boottime:-100:5
		linux/timeOffsets/monotonic/secs linux/timeOffsets/monotonic/nanosecs linux/namespaces/*/type ociVersion | --linux-time-offset monotonic:100 --linux-namespace-add time
		linux/netDevices/eth1/name ociVersion | --linux-net-device eth1:ctr0
		linux/personality/domain | --linux-personality LINUX32
		linux/memoryPolicy/mode linux/memoryPolicy/nodes ociVersion | --linux-memory-policy {"mode":"MPOL_BIND","nodes":"0"}
		linux/resources/cpu/burst ociVersion | --linux-cpu-burst 1000
		linux/resources/cpu/idle ociVersion | --linux-cpu-idle
		linux/resources/unified/memory.high ociVersion | --linux-unified memory.high=1000000
		linux/resources/memory/checkBeforeUpdate ociVersion | --linux-mem-check-before-update
		linux/intelRdt/memBwSchema | --linux-intelRdt-memBwSchema MB:0=50
		linux/intelRdt/schemata/* ociVersion | --linux-intelRdt-schemata L3:0=f --linux-intelRdt-schemata MB:0=50
		linux/intelRdt/enableMonitoring ociVersion | --linux-intelRdt-monitoring
		linux/resources/rdma/mlx5_1/hcaHandles linux/resources/rdma/mlx5_1/hcaObjects | --linux-rdma mlx5_1:3:10000
		mounts/*/destination mounts/*/type mounts/*/source mounts/*/options/* mounts/*/uidMappings/*/containerID mounts/*/uidMappings/*/hostID mounts/*/uidMappings/*/size mounts/*/gidMappings/*/containerID mounts/*/gidMappings/*/hostID mounts/*/gidMappings/*/size ociVersion | --mounts-add {"destination":"/zz/zz/zz","type":"bind","source":"/tmp","options":["rbind","rro"],"uidMappings":[{"containerID":0,"hostID":1,"size":2}],"gidMappings":[{"containerID":0,"hostID":1,"size":2}]}
		linux/seccomp/flags/* | --linux-seccomp-flag SECCOMP_FILTER_FLAG_LOG
		linux/seccomp/listenerPath linux/seccomp/listenerMetadata ociVersion | --linux-seccomp-listener /run/s --linux-seccomp-listener-metadata x
		linux/seccomp/listenerPath linux/seccomp/syscalls/*/names/* linux/seccomp/syscalls/*/action ociVersion | --linux-seccomp-listener /run/s --linux-seccomp-notify no_such_call
	END
	generate --linux-memory-policy '{"mode":"MPOL_DEFAULT"}' --domainname x
	is .ociVersion '"1.3.0"'
}

@test "generate: what removes goes before what adds, and the last of two of a kind counts" {
	generate --mounts-remove-all --mounts-add '{"destination":"/proc","type":"proc","source":"proc"}'
	is '[.mounts[].destination]' '["/proc"]'
	generate --linux-namespace-remove-all --linux-namespace-add mount
	is '[.linux.namespaces[].type, .hostname]' '["mount",null]'
	generate --linux-blkio-weight-device 8:0:500 --linux-blkio-leaf-weight-device 8:0:100 \
		--linux-blkio-weight-device 8:0:-1 --linux-blkio-weight-device 8:1:10 --linux-blkio-weight-device 8:1:-1
	is .linux.resources.blockIO.weightDevice '[{"leafWeight":100,"major":8,"minor":0}]'
	generate --linux-hugepage-limits-add 2MB:1 --linux-hugepage-limits-add 1GB:2 \
		--linux-hugepage-limits-add 2MB:3 --linux-hugepage-limits-drop 1GB
	is .linux.resources.hugepageLimits '[{"limit":3,"pageSize":"2MB"}]'
	generate --linux-network-priorities a:1 --linux-network-priorities b:2 --linux-network-priorities a:-1
	is .linux.resources.network.priorities '[{"name":"b","priority":2}]'
	generate --linux-device-add c:1:3:/dev/x:fileMode=0666 --linux-device-add c:1:5:/dev/x \
		--linux-device-add p:0:0:/dev/y --linux-device-remove /dev/y
	is .linux.devices '[{"major":1,"minor":5,"path":"/dev/x","type":"c"}]'
	generate --linux-device-cgroup-add deny --linux-device-cgroup-add allow,type=b,access=r
	is '.linux.resources.devices[-2:]' '[{"access":"rwm","allow":false},{"access":"r","allow":true,"type":"b"}]'
	generate --linux-device-cgroup-add allow,type=b --linux-device-cgroup-add allow,type=c,access=mwr \
		--linux-device-cgroup-remove allow,type=b --linux-device-cgroup-remove deny
	is '[.linux.resources.devices[0].allow, .linux.resources.devices[-1]]' '[true,{"access":"mwr","allow":true,"type":"c"}]'
	generate --patch <(echo '{"linux": {"resources": {"devices": [{"allow": false}, {"allow": true, "access": "r"}]}}}')
	tool oci-gen generate --no-document --template - --linux-device-cgroup-remove deny <<<"$output"
	is '.linux.resources.devices' '[{"access":"r","allow":true}]'
	generate --linux-pids-limit -1
	is '.linux.resources | has("pids")' false
	tool oci-gen generate --no-document --template - --linux-pids-limit -1 \
		<<<"$(oci-gen generate --no-document --linux-pids-limit 7)"
	is '.linux.resources | has("pids")' false
	generate --process-umask 022 --process-consolesize 80:25 --tty
	is '[.process.user.umask, .process.consoleSize]' '[18,{"height":25,"width":80}]'
	generate --linux-uidmappings 1:2:3 --linux-gidmappings 4:5:6
	is '[.linux.uidMappings[0], .linux.gidMappings[0], .linux.namespaces[-1]]' \
		'[{"containerID":2,"hostID":1,"size":3},{"containerID":5,"hostID":4,"size":6},{"type":"user"}]'
}

@test "generate: options change the seccomp filter" {
	generate --linux-seccomp-remove-all --linux-seccomp-default allow \
		--linux-seccomp-errno mount,umount2 --linux-seccomp-kill socket:0:38:0:EQ
	is '.linux.seccomp | [.defaultAction, .defaultErrnoRet]' '["SCMP_ACT_ALLOW",null]'
	is .linux.seccomp.syscalls '[{"action":"SCMP_ACT_ERRNO","names":["mount"]},{"action":"SCMP_ACT_ERRNO","names":["umount2"]},{"action":"SCMP_ACT_KILL","args":[{"index":0,"op":"SCMP_CMP_EQ","value":38,"valueTwo":0}],"names":["socket"]}]'
	generate --linux-seccomp-default allow
	is '[.linux.seccomp.syscalls[] | select(.action == "SCMP_ACT_ALLOW")]' '[]'
	generate --linux-seccomp-kill read
	is '[.linux.seccomp.syscalls[] | select(.names | index("read")) | .action]' '["SCMP_ACT_KILL"]'
	generate --linux-seccomp-remove read,write
	is '[.linux.seccomp.syscalls[].names[] | select(. == "read" or . == "write")]' '[]'
	generate --privileged --linux-seccomp-errno reboot
	is '.linux.seccomp | [.defaultAction, .syscalls]' '["SCMP_ACT_ALLOW",[{"action":"SCMP_ACT_ERRNO","names":["reboot"]}]]'
	tool oci-gen generate --no-document --linux-seccomp-only --linux-seccomp-remove-all
	is '[.defaultAction, .syscalls]' '["SCMP_ACT_ERRNO",[]]'
	tool 2 oci-gen generate --no-document --linux-seccomp-only --linux-seccomp unconfined
	error_is usage
}

@test "generate: what the specification gave up is refused, with what stands for it" {
	tool 10 oci-gen generate --no-document --hooks-prestart-add '{"path":"/a"}'
	error_is unsupported hooks-createRuntime-add
	tool 10 oci-gen generate --no-document --linux-mem-kernel-limit 1000
	error_is unsupported linux-mem-limit
	tool 10 oci-gen generate --no-document --os plan9
	error_is unsupported template
}

@test "generate: --os starts from a template for another system, which options change" {
	local os

	for os in solaris freebsd; do
		tool oci-gen generate --no-document --os $os --hostname box --user 5:6 b
		is "[(.$os | type), .process.args[0], .process.user.uid, .hostname, .linux, .process.capabilities]" '["object","b",5,"box",null,null]'
		tool oci-gen validate --platform $os - <<<"$output"
		[ -z "$output" ]
	done
	tool oci-gen generate --no-document --os windows --windows-layer-folders 'C:\a' --rootfs-path '\\?\Volume{a-b}' \
		--process-username me --mounts-add '{"destination": "C:\\in", "source": "C:\\on", "options": ["ro"]}'
	is '[.process.args, .process.cwd, .process.user, .mounts[0].destination, .linux]' '[["cmd"],"C:\\",{"username":"me"},"C:\\in",null]'
	tool oci-gen validate --platform windows - <<<"$output"
	[ -z "$output" ]
	printf '%s\n' '{"os": "windows", "config": {"Cmd": ["x"], "User": "ContainerUser", "WorkingDir": "C:\\w"}}' >"$BATS_TEST_TMPDIR/image"
	tool oci-gen generate --image "$BATS_TEST_TMPDIR/image" --os windows --windows-layer-folders a --rootfs-path b
	is '[.process.args, .process.cwd, .process.user]' '[["x"],"C:\\w",{"username":"ContainerUser"}]'
	tool oci-gen explain --no-document --os freebsd /freebsd/jail/vnet
	is '[.value, .origin, .spec, .since]' '["new","default","config-freebsd.md#jail","1.3.0"]'
	tool 10 oci-gen generate --image "$BATS_TEST_TMPDIR/image" --os freebsd
	error_is unsupported 'for windows, not freebsd'
	tool 2 oci-gen generate --no-document --os windows --rootfs-path b
	error_is usage /windows/layerFolders
	tool 2 oci-gen generate --no-document --os freebsd --linux-mem-limit 1g
	error_is usage '/linux: is not for freebsd'
	tool 2 oci-gen generate --no-document --os linux --template "$BATS_TEST_TMPDIR/image"
	error_is usage 'exclude each other'
}

@test "generate: a malformed value of these options is a usage error" {
	while IFS= read -r option; do
		# shellcheck disable=SC2086 # options and values, without spaces of their own
		tool 2 oci-gen generate --no-document $option
		error_is usage
	done <<-'END'
		--oci-version 1
		--process-umask 8
		--process-umask 1000
		--process-consolesize 80
		--process-consolesize 80:0 --tty
		--process-rlimits-remove NOSUCH
		--process-cap-add KILL,
		--process-cap-add-ambient KILL
		--process-cap-drop-permitted KILL
		--process-cap-add-effective SYS_PTRACE
		--hooks-poststop-add {"path":"rel"}
		--hooks-poststop-add {}
		--hooks-poststop-add []
		--hooks-poststop-add {
		--linux-rootfs-propagation odd
		--linux-uidmappings 1:2
		--linux-uidmappings 1:2:3
		--linux-uidmappings -1:2:3 --linux-gidmappings 1:2:3
		--linux-device-add c:1:3
		--linux-device-add x:1:3:/dev/x
		--linux-device-add c:1:3:rel
		--linux-device-add c:a:3:/dev/x
		--linux-device-add c:1:3:/dev/x:mode=1
		--linux-device-add c:1:3:/dev/x:fileMode=10000
		--linux-device-cgroup-add maybe
		--linux-device-cgroup-add allow,type=x
		--linux-device-cgroup-add allow,access=rx
		--linux-device-cgroup-add allow,colour=red
		--linux-mem-swappiness 101
		--linux-blkio-weight 9
		--linux-blkio-weight-device 8:0
		--linux-blkio-weight-device 8:0:1001
		--linux-blkio-read-bps-device 8:0:-2
		--linux-hugepage-limits-add 3QB:1
		--linux-hugepage-limits-add 2MB
		--linux-network-classid 4294967296
		--linux-network-priorities :1
		--linux-network-priorities eth0:-2
		--linux-seccomp-default maybe
		--linux-seccomp-arch vax
		--linux-seccomp-allow a:b
		--linux-seccomp-allow read,
		--linux-seccomp-allow read:6:0:0:EQ
		--linux-seccomp-allow read:0:0:0:XX
		--process-scheduler {"policy":"SCHED_ODD"}
		--process-io-priority odd
		--process-io-priority be:8
		--linux-time-offset realtime:1
		--linux-time-offset boottime
		--linux-time-offset boottime:1:1000000000
		--linux-net-device :a
		--linux-net-device a:
		--linux-personality VAX
		--linux-memory-policy {"mode":"MPOL_ODD"}
		--linux-cpu-burst -1
		--linux-unified memory.high
		--linux-unified a/b=1
		--linux-rdma a:1
		--linux-rdma a:-1:1
		--linux-seccomp-flag SECCOMP_FILTER_FLAG_ODD
		--linux-seccomp-listener rel
		--linux-seccomp-listener-metadata x
		--linux-seccomp-notify read
		--linux-seccomp-default notify
		--solaris-anet 7
		--vm-kernel-path rel
		--vm-kernel-initrd /i
		--vm-kernel-path /k --vm-image-path /i --vm-image-format odd
		--windows-servicing
		--windows-layer-folders a --windows-devices x
		--windows-layer-folders a --windows-devices x:odd
		--windows-layer-folders a --windows-network []
	END
}

@test "generate: capabilities and the seccomp filter hold as options say, inside the container" {
	run_container runc ocid-test-options-runc --rootfs "$ROOTFS" --process-cap-add-inheritable NET_RAW \
		--process-cap-add-ambient NET_RAW --process-umask 027 --linux-seccomp-errno mkdir,mkdirat \
		--linux-device-add c:1:3:/dev/mynull:fileMode=0640 \
		sh -c 'grep -E "^Cap(Amb|Inh)" /proc/self/status; mkdir /tmp/x 2>&1; umask; ls -l /dev/mynull'
	[[ $output == *"CapInh:	0000000000002000"* ]]
	[[ $output == *"CapAmb:	0000000000002000"* ]]
	[[ $output == *"Operation not permitted"* ]]
	[[ $output == *0027* ]]
	[[ $output == *crw-r-----*"1,   3"* ]]
}

@test "generate: runtimes take a later version, and do what they know of it" {
	for runtime in runc crun; do
		run_container "$runtime" "ocid-test-later-$runtime" --rootfs "$ROOTFS" --oci-version 1.1.0 --linux-personality LINUX \
			--linux-seccomp-errno mkdir,mkdirat sh -c 'mkdir /tmp/x 2>&1; echo ran'
		[[ $output == *"Operation not permitted"*ran ]]
	done
}
