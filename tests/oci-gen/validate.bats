# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common

setup_file() {
	file_setup
	oci-gen generate --no-document --hostname box --annotation a.b=c --process-rlimits-add nofile:20:10 \
		--linux-mem-limit 10m >"$BATS_FILE_TMPDIR/good.json"
}

# broken FILTER: the good configuration, changed by jq, in $BATS_TEST_TMPDIR/config.json.
broken() {
	jq "$1" "$BATS_FILE_TMPDIR/good.json" >"$BATS_TEST_TMPDIR/config.json"
}

@test "validate: what generate writes has no findings" {
	tool oci-gen validate "$BATS_FILE_TMPDIR/good.json"
	[ -z "$output" ]
	[ -z "$stderr" ]
}

@test "validate: a file, a bundle, standard input, the current directory and a document" {
	broken .
	tool oci-gen validate "$BATS_TEST_TMPDIR/config.json"
	tool 7 oci-gen validate "$BATS_TEST_TMPDIR"
	is '[.rule, .pointer]' '["root-exists","/root/path"]'
	mkdir "$BATS_TEST_TMPDIR/rootfs"
	tool oci-gen validate "$BATS_TEST_TMPDIR"
	tool sh -c 'oci-gen validate <"$1"' sh "$BATS_TEST_TMPDIR/config.json"
	tool sh -c 'oci-gen validate - <"$1"' sh "$BATS_TEST_TMPDIR/config.json"
	tool sh -c 'cd "$1" && oci-gen validate </dev/null' sh "$BATS_TEST_TMPDIR"
	jq '{rootfs: {}, config: .}' "$BATS_TEST_TMPDIR/config.json" >"$BATS_TEST_TMPDIR/document.json"
	tool oci-gen validate "$BATS_TEST_TMPDIR/document.json"
	broken '.process.cwd = "x"'
	jq '{rootfs: {}, config: .}' "$BATS_TEST_TMPDIR/config.json" >"$BATS_TEST_TMPDIR/document.json"
	tool 7 oci-gen validate "$BATS_TEST_TMPDIR/document.json"
	is .pointer '"/process/cwd"'
}

@test "validate: a finding says where, what and why, one a line" {
	broken '.process.cwd = "x" | .mounts[0].typo = 1'
	tool 7 oci-gen validate "$BATS_TEST_TMPDIR/config.json"
	error_is integrity '1 error'
	[ "$(wc -l <<<"$output")" -eq 2 ]
	is 'select(.rule == "cwd-absolute") | keys' '["message","pointer","rule","severity","spec"]'
	is 'select(.rule == "unknown-member") | [.pointer, .severity]' '["/mounts/0/typo","warning"]'
	tool 7 oci-gen validate --table "$BATS_TEST_TMPDIR/config.json"
	[[ $output == *SEVERITY*/process/cwd* ]]
	broken '.mounts[0].typo = 1'
	tool oci-gen validate "$BATS_TEST_TMPDIR/config.json"
	is .severity '"warning"'
}

# Each line: severity, rule, pointer, the change that breaks it.
findings() {
	cat <<-'END'
		error required /ociVersion del(.ociVersion)
		error type /ociVersion .ociVersion=1
		error version /ociVersion .ociVersion="1.0"
		error version /ociVersion .ociVersion="1.0.2x"
		error version /ociVersion .ociVersion="01.0.2"
		error version /ociVersion .ociVersion="2.0.0"
		error version /ociVersion .ociVersion="1.0.0-"
		error version /ociVersion .ociVersion="1.0.0-rc..1"
		error version /ociVersion .ociVersion="1.0.0-01"
		error version /ociVersion .ociVersion="1.0.0+a_b"
		error root-required /root del(.root)
		error required /root/path del(.root.path)
		error not-empty /root/path .root.path=""
		error type /root/readonly .root.readonly="yes"
		warning process-required /process del(.process)
		error required /process/cwd del(.process.cwd)
		error cwd-absolute /process/cwd .process.cwd="a/b"
		error required /process/args del(.process.args)
		error not-empty /process/args .process.args=[]
		error type /process/args .process.args="sh"
		error type /process/args/1 .process.args=["a",1]
		error args-program /process/args/0 .process.args=["","b"]
		error env-form /process/env/0 .process.env=["A"]
		error env-form /process/env/0 .process.env=["=x"]
		warning user-missing /process/user del(.process.user)
		error required /process/user/gid del(.process.user.gid)
		error range /process/user/uid .process.user.uid=-1
		error range /process/user/gid .process.user.gid=4294967296
		error type /process/user/additionalGids/0 .process.user.additionalGids=["a"]
		warning capability-known /process/capabilities/bounding/14 .process.capabilities.bounding+=["CAP_NO"]
		warning capability-known /process/capabilities/bounding/0 .process.capabilities={"bounding":["chown"]}
		error capability-subset /process/capabilities/effective .process.capabilities.permitted|=.[1:]
		error capability-subset /process/capabilities/ambient .process.capabilities|=(.permitted|=.[1:]|.effective=.permitted|.ambient=["CAP_CHOWN"]|.inheritable=.ambient)
		warning capability-ambient /process/capabilities/ambient/1 .process.capabilities|=(.ambient=["CAP_KILL","CAP_CHOWN"]|.inheritable=["CAP_KILL"])
		warning capability-inheritable /process/capabilities/inheritable .process.capabilities.inheritable=["CAP_CHOWN"]
		error rlimit /process/rlimits/0 .process.rlimits[0].type="RLIMIT_X"
		error rlimit /process/rlimits/0 .process.rlimits[0].soft=21
		error rlimit /process/rlimits/1 .process.rlimits+=.process.rlimits
		error range /process/oomScoreAdj .process.oomScoreAdj=1001
		error enumeration /process/ioPriority/class .process.ioPriority={"class":"x"}
		error enumeration /process/scheduler/policy .process.scheduler={"policy":"x"}
		error enumeration /process/scheduler/flags/0 .process.scheduler={"policy":"SCHED_OTHER","flags":["x"]}
		error exec-size /process/args/1 .process.args=["x","a"*131072]
		error scheduler /process/scheduler/priority .process.scheduler={"policy":"SCHED_OTHER","priority":1}
		error scheduler /process/scheduler/priority .process.scheduler={"policy":"SCHED_BATCH","priority":-1}
		error scheduler /process/scheduler/priority .process.scheduler={"policy":"SCHED_DEADLINE","priority":1,"runtime":1000000,"deadline":2000000}
		error scheduler /process/scheduler/priority .process.scheduler={"policy":"SCHED_FIFO","priority":100}
		error scheduler /process/scheduler/priority .process.scheduler={"policy":"SCHED_RR","priority":0}
		error scheduler /process/scheduler/priority .process.scheduler={"policy":"SCHED_RR"}
		error scheduler /process/scheduler/runtime .process.scheduler={"policy":"SCHED_OTHER","runtime":5}
		error scheduler /process/scheduler/deadline .process.scheduler={"policy":"SCHED_FIFO","priority":1,"deadline":5}
		error scheduler /process/scheduler/period .process.scheduler={"policy":"SCHED_IDLE","period":5}
		warning console-size /process/consoleSize .process.consoleSize={"height":1,"width":1}
		error required /mounts/0/destination del(.mounts[0].destination)
		warning mount-absolute /mounts/7/destination .mounts+=[{"destination":"x","type":"tmpfs"}]
		error mount-root /mounts/7/destination .mounts+=[{"destination":"//","type":"tmpfs"}]
		error mount-source /mounts/7/source .mounts+=[{"destination":"/x","type":"bind","options":["bind"]}]
		error mount-type /mounts/7/type .mounts+=[{"destination":"/x","source":"y"}]
		warning mount-bind /mounts/7/options .mounts+=[{"destination":"/x","source":"/y","type":"bind"}]
		error mount-mappings /mounts/7/gidMappings .mounts+=[{"destination":"/x","type":"tmpfs","uidMappings":[{"containerID":0,"hostID":1,"size":1}]}]
		error mount-mappings /mounts/7/uidMappings .mounts+=[{"destination":"/x","source":"/y","options":["bind","idmap"]}]
		error mount-mappings /mounts/7/uidMappings .mounts+=[{"destination":"/x","source":"/y","options":["bind","idmap"],"uidMappings":[],"gidMappings":[]}]
		error mount-mappings /mounts/7/uidMappings .mounts+=[{"destination":"/x","source":"/y","options":["bind"],"gidMappings":[]}]
		warning mount-idmap /mounts/7/options .mounts+=[{"destination":"/x","source":"/y","options":["bind"],"uidMappings":[{"containerID":0,"hostID":1,"size":1}]}]|.mounts[7].gidMappings=.mounts[7].uidMappings
		warning mount-duplicate /mounts/7/destination .mounts+=[{"destination":"/proc/","type":"proc"}]
		warning mount-hidden /mounts/7/destination .mounts+=[{"destination":"/dev","type":"tmpfs"}]
		error mount-length /mounts/7/destination .mounts+=[{"destination":("/x"*2048),"type":"tmpfs"}]
		error mount-namespace /mounts .linux.namespaces|=map(select(.type!="mount"))
		error path-absolute /linux/maskedPaths/0 .linux.maskedPaths=["x"]
		error path-absolute /linux/readonlyPaths/0 .linux.readonlyPaths=["x"]
		error enumeration /linux/namespaces/0/type .linux.namespaces[0].type="net"
		error namespace /linux/namespaces/6 .linux.namespaces+=[{"type":"pid"}]
		error namespace /linux/namespaces/0/path .linux.namespaces[0].path="x"
		error namespace-missing /hostname .linux.namespaces|=map(select(.type!="uts"))
		error namespace-missing /linux/uidMappings .linux.uidMappings=[{"containerID":0,"hostID":1,"size":1}]
		error namespace-missing /linux/timeOffsets .linux.timeOffsets={"monotonic":{"secs":1}}
		error time-offset /linux/timeOffsets/realtime .linux.namespaces+=[{"type":"time"}]|.linux.timeOffsets={"boottime":{"secs":1},"realtime":{"secs":1}}
		error user-mappings /linux/uidMappings .linux.namespaces+=[{"type":"user"}]
		error mapping /linux/uidMappings/1/size .linux.namespaces+=[{"type":"user"}]|.linux.gidMappings=[{"containerID":0,"hostID":1,"size":1}]|.linux.uidMappings=[{"containerID":0,"hostID":1,"size":1},{"containerID":5,"hostID":5,"size":0}]
		error mapping /linux/uidMappings/1 .linux.namespaces+=[{"type":"user"}]|.linux.gidMappings=[{"containerID":0,"hostID":1,"size":1}]|.linux.uidMappings=[{"containerID":0,"hostID":1,"size":9},{"containerID":8,"hostID":50,"size":1}]
		error mapping /linux/uidMappings/1 .linux.namespaces+=[{"type":"user"}]|.linux.gidMappings=[{"containerID":0,"hostID":1,"size":1}]|.linux.uidMappings=[{"containerID":0,"hostID":9,"size":9},{"containerID":20,"hostID":1,"size":9}]
		error mapping /linux/uidMappings/0 .linux.namespaces+=[{"type":"user"}]|.linux.gidMappings=[{"containerID":0,"hostID":1,"size":1}]|.linux.uidMappings=[{"containerID":0,"hostID":1,"size":4294967295}]
		error mapping /linux/uidMappings/1 .linux.namespaces+=[{"type":"user"}]|.linux.gidMappings=[{"containerID":0,"hostID":1,"size":1}]|.linux.uidMappings=[{"containerID":0,"hostID":1,"size":1},{"containerID":4294967295,"hostID":5,"size":1}]
		error mapping /linux/uidMappings .linux.namespaces+=[{"type":"user"}]|.linux.gidMappings=[{"containerID":0,"hostID":1,"size":1}]|.linux.uidMappings=[range(341)|{"containerID":.,"hostID":.,"size":1}]
		warning mapping-root /linux/uidMappings .linux.namespaces+=[{"type":"user"}]|.linux.gidMappings=[{"containerID":0,"hostID":1,"size":1}]|.linux.uidMappings=[{"containerID":1,"hostID":0,"size":5}]
		error mapping /mounts/7/gidMappings/0/size .mounts+=[{"destination":"/x","source":"/y","options":["bind","idmap"],"uidMappings":[{"containerID":0,"hostID":1,"size":1}],"gidMappings":[{"containerID":0,"hostID":1,"size":0}]}]
		error hostname /hostname .hostname="a\u0020b"
		error hostname /hostname .hostname=("a"*65)
		error domainname /domainname .domainname=("a"*65)
		error domainname /domainname .domainname="a\nb"
		error sysctl /linux/sysctl/kernel.panic .linux.sysctl={"kernel.panic":"1"}
		error sysctl /linux/sysctl/kernel.hostname .linux.sysctl={"kernel.hostname":"x"}
		error sysctl /linux/sysctl/kernel~1hostname .linux.sysctl={"kernel/hostname":"x"}
		error sysctl /linux/sysctl/net~1ipv4~1x .linux.namespaces|=map(select(.type!="network"))|.linux.sysctl={"net/ipv4/x":"1"}
		error type /linux/sysctl/net.x .linux.sysctl={"net.x":1}
		error device /linux/devices/0 .linux.devices=[{"path":"/dev/x","type":"c"}]
		error device /linux/devices/0 .linux.devices=[{"path":"x","type":"p"}]
		error device /linux/devices/0/major .linux.devices=[{"path":"/dev/x","type":"c","major":-1,"minor":3}]
		error device /linux/devices/0/minor .linux.devices=[{"path":"/dev/x","type":"b","major":1,"minor":-1}]
		error device /linux/devices/1 .linux.devices=[{"path":"/x","type":"p"},{"path":"/x","type":"c","major":1,"minor":3}]
		error enumeration /linux/devices/0/type .linux.devices=[{"path":"/x","type":"z"}]
		error device-mode /linux/devices/0/fileMode .linux.devices=[{"path":"/dev/x","type":"c","major":1,"minor":3,"fileMode":24996}]
		error device-mode /linux/devices/0/fileMode .linux.devices=[{"path":"/dev/x","type":"b","major":1,"minor":3,"fileMode":8612}]
		error device-mode /linux/devices/0/fileMode .linux.devices=[{"path":"/dev/x","type":"p","major":1,"minor":3,"fileMode":16804}]
		error device-mode /linux/devices/0/fileMode .linux.devices=[{"path":"/dev/x","type":"u","major":1,"minor":3,"fileMode":41380}]
		error range /linux/devices/0/fileMode .linux.devices=[{"path":"/dev/x","type":"c","major":1,"minor":3,"fileMode":74148}]
		warning device-repeated /linux/devices/1 .linux.devices=[{"path":"/x","type":"c","major":1,"minor":3},{"path":"/y","type":"c","major":1,"minor":3}]
		warning device-repeated /linux/devices/1 .linux.devices=[{"path":"/x","type":"c","major":1,"minor":3}]|.linux.devices+=.linux.devices
		error net-device /linux/netDevices/a~1b .linux.netDevices={"a/b":{}}
		error net-device /linux/netDevices/eth0/name .linux.netDevices={"eth0":{"name":"sixteen-letters-"}}
		error net-device /linux/netDevices/eth1/name .linux.netDevices={"eth0":{"name":"a"},"eth1":{"name":"a"}}
		error net-device /linux/netDevices/eth1/name .linux.netDevices={"a":{},"eth1":{"name":"a"}}
		error net-device /linux/netDevices/eth1 .linux.netDevices={"a":{"name":"eth1"},"eth1":{}}
		error device-access /linux/resources/devices/0/access .linux.resources.devices[0].access="rx"
		warning device-access-missing /linux/resources/devices/0/access del(.linux.resources.devices[0].access)
		warning device-access-missing /linux/resources/devices/0/access .linux.resources.devices[0].access=""
		error device-access /linux/resources/devices/0/major .linux.resources.devices[0].major=-2
		error device-access /linux/resources/devices/0/minor .linux.resources.devices[0].minor=-2
		error required /linux/resources/devices/0/allow del(.linux.resources.devices[0].allow)
		error memory /linux/resources/memory/swap .linux.resources.memory.swap=5
		error memory /linux/resources/memory/swap .linux.resources.memory={"swap":5}
		error memory /linux/resources/memory/swap .linux.resources.memory={"limit":0,"swap":5}
		warning memory-swap /linux/resources/memory/swap .linux.resources.memory={"limit":-1,"swap":5}
		warning memory-reservation /linux/resources/memory/reservation .linux.resources.memory.reservation=20000000
		error range /linux/resources/memory/swappiness .linux.resources.memory.swappiness=101
		error cpu /linux/resources/cpu/period .linux.resources.cpu.period=1
		error cpu /linux/resources/cpu/quota .linux.resources.cpu.quota=1
		error cpu /linux/resources/cpu/burst .linux.resources.cpu={"quota":1000,"burst":1001}
		error cpu /linux/resources/cpu/realtimeRuntime .linux.resources.cpu={"realtimeRuntime":1001,"realtimePeriod":1000}
		error cpu-list /linux/resources/cpu/cpus .linux.resources.cpu.cpus="0-"
		error cpu-list /linux/resources/cpu/mems .linux.resources.cpu.mems="0,"
		error cpu-list /linux/resources/cpu/cpus .linux.resources.cpu.cpus="0,3-1"
		error exec-cpu-list /process/execCPUAffinity/final .process.execCPUAffinity={"initial":"0","final":"x"}
		error memory-policy /linux/memoryPolicy/nodes .linux.memoryPolicy={"mode":"MPOL_BIND"}
		error memory-policy /linux/memoryPolicy/nodes .linux.memoryPolicy={"mode":"MPOL_LOCAL","nodes":"0"}
		error memory-policy /linux/memoryPolicy/nodes .linux.memoryPolicy={"mode":"MPOL_PREFERRED","nodes":"a"}
		error huge-page-size /linux/resources/hugepageLimits/0 .linux.resources.hugepageLimits=[{"pageSize":"2M","limit":1}]
		error block-io-weight /linux/resources/blockIO/weightDevice/0 .linux.resources.blockIO={"weightDevice":[{"major":1,"minor":1}]}
		error unified /linux/resources/unified/a~1b .linux.resources.unified={"a/b":"1"}
		error rdma /linux/resources/rdma/a .linux.resources.rdma={"a":{}}
		warning intel-rdt-cache /linux/intelRdt/l3CacheSchema .linux.intelRdt={"l3CacheSchema":"L3:0=f\nx"}
		warning intel-rdt-cache /linux/intelRdt/l3CacheSchema .linux.intelRdt={"l3CacheSchema":"0=f"}
		error intel-rdt /linux/intelRdt/memBwSchema .linux.intelRdt={"memBwSchema":"x"}
		error intel-rdt /linux/intelRdt/closID .linux.intelRdt={"closID":"."}
		error intel-rdt /linux/intelRdt/closID .linux.intelRdt={"closID":".."}
		error intel-rdt /linux/intelRdt/closID .linux.intelRdt={"closID":"a/b"}
		error intel-rdt /linux/intelRdt/schemata/1 .linux.intelRdt={"schemata":["a","b\n"]}
		error enumeration /linux/memoryPolicy/flags/0 .linux.memoryPolicy={"mode":"MPOL_BIND","nodes":"0","flags":["x"]}
		error cgroups-path /linux/cgroupsPath .linux.cgroupsPath="/a/../b"
		error enumeration /linux/rootfsPropagation .linux.rootfsPropagation="x"
		error enumeration /linux/seccomp/defaultAction .linux.seccomp.defaultAction="x"
		error enumeration /linux/seccomp/architectures/0 .linux.seccomp.architectures=["x86_64"]
		error enumeration /linux/seccomp/syscalls/0/args/0/op .linux.seccomp.syscalls[0].args=[{"index":0,"value":1,"op":"EQ"}]
		error range /linux/seccomp/syscalls/0/args/0/index .linux.seccomp.syscalls[0].args=[{"index":6,"value":1,"op":"SCMP_CMP_EQ"}]
		error seccomp-listener /linux/seccomp/listenerPath .linux.seccomp.defaultAction="SCMP_ACT_NOTIFY"
		error seccomp-errno /linux/seccomp/syscalls/0 .linux.seccomp.syscalls[0].errnoRet=1
		error seccomp-errno /linux/seccomp/defaultErrnoRet .linux.seccomp.defaultAction="SCMP_ACT_LOG"
		error range /linux/seccomp/defaultErrnoRet .linux.seccomp.defaultErrnoRet=4096
		error range /linux/seccomp/syscalls/0/errnoRet .linux.seccomp.syscalls=[{"names":["a"],"action":"SCMP_ACT_ERRNO","errnoRet":4096}]
		error range /linux/seccomp/syscalls/0/errnoRet .linux.seccomp.syscalls=[{"names":["a"],"action":"SCMP_ACT_TRACE","errnoRet":65536}]
		warning seccomp-notify /linux/seccomp/defaultAction .linux.seccomp={"defaultAction":"SCMP_ACT_NOTIFY","listenerPath":"/x"}
		warning seccomp-notify /linux/seccomp/syscalls/1 .linux.seccomp|=(.listenerPath="/x"|.syscalls[1]={"names":["a","write"],"action":"SCMP_ACT_NOTIFY"})
		error hook-path-absolute /hooks/createRuntime/0/path .hooks={"createRuntime":[{"path":"x"}]}
		error range /hooks/poststop/0/timeout .hooks={"poststop":[{"path":"/x","timeout":0}]}
		warning hook-prestart /hooks/prestart .hooks={"prestart":[{"path":"/x"}]}
		error annotation-key /annotations/ .annotations={"":"x"}
		error type /annotations/a .annotations={"a":1}
		warning unknown-member /hookz .hookz={}
		error type /linux/intelRdt .linux.intelRdt=[]
		error type /linux/mountLabel .linux.mountLabel=1
		error type /hostname .hostname=1
		warning platform /windows .windows={"layerFolders":["x"]}
		warning platform /solaris .solaris={}
		error required /process/args del(.linux,.process.args)|.solaris={}
		error enumeration /zos/namespaces/0/type del(.linux)|.zos={"namespaces":[{"type":"user"}]}
		error required /freebsd/devices/0/path del(.linux)|.freebsd={"devices":[{"mode":448}]}
		error enumeration /freebsd/jail/vnet del(.linux)|.freebsd={"jail":{"vnet":"disable"}}
		error range /freebsd/jail/enforceStatfs del(.linux)|.freebsd={"jail":{"enforceStatfs":3}}
		error required /process/commandLine del(.linux,.process.args)|.windows={"layerFolders":["x"]}
		error windows-root /root del(.linux,.root)|.windows={"layerFolders":["x"]}
		error windows-root /root del(.linux)|.windows={"layerFolders":["x"],"hyperv":{}}
		error windows-root /root/readonly del(.linux)|.root.readonly=true|.windows={"layerFolders":["x"]}
		error vm-path /vm/hypervisor/path .vm={"hypervisor":{"path":"x"},"kernel":{"path":"/k"}}
		error vm-path /vm/kernel/path .vm={"kernel":{"path":"x"}}
		error vm-path /vm/kernel/initrd .vm={"kernel":{"path":"/k","initrd":"x"}}
		error vm-path /vm/image/path .vm={"kernel":{"path":"/k"},"image":{"path":"x","format":"raw"}}
		error not-empty /vm/kernel/path .vm={"kernel":{"path":""}}
		error destination-absolute /mounts/0/destination del(.linux)|.freebsd={}|.mounts=[{"destination":"a","type":"nullfs"}]
		error destination-absolute /mounts/0/destination del(.linux)|.solaris={}|.mounts=[{"destination":"a","type":"lofs"}]
		error destination-absolute /mounts/0/destination del(.linux)|.windows={"layerFolders":["x"]}|.mounts=[{"destination":"a\\b","source":"C:\\a"}]
		error mount-nested /mounts/1/destination del(.linux)|.windows={"layerFolders":["x"]}|.mounts=[{"destination":"c:\\foo\\bar","source":"C:\\a"},{"destination":"C:/Foo","source":"C:\\a"},{"destination":"C:\\foo-bar","source":"C:\\a"}]
		error namespace /zos/namespaces/1 del(.linux)|.zos={"namespaces":[{"type":"pid"},{"type":"pid"}]}
		error namespace /zos/namespaces/0/path del(.linux)|.zos={"namespaces":[{"type":"pid","path":"x"}]}
		error windows-cpu /windows/resources/cpu del(.linux,.mounts)|.windows={"layerFolders":["x"],"resources":{"cpu":{"count":1,"maximum":1}}}
		error range /windows/resources/cpu/shares del(.linux,.mounts)|.windows={"layerFolders":["x"],"resources":{"cpu":{"shares":10001}}}
		error windows-network /windows/network/networkNamespace del(.linux,.mounts)|.windows={"layerFolders":["x"],"network":{"networkNamespace":"a","endpointList":["b"]}}
	END
}

# each_broken FILTER…: the good configuration changed by each filter in turn, one a line. jq takes long
# to start, so that it does so once for all.
each_broken() {
	local filters

	printf -v filters ', (%s)' "$@"
	jq -c "${filters#, }" "$BATS_FILE_TMPDIR/good.json"
}

@test "validate: each broken rule is found where it is" {
	local severity rule pointer filter config filters=() results=$BATS_TEST_TMPDIR/results

	while read -r severity rule pointer filter; do
		filters+=("$filter")
	done < <(findings)
	while read -r severity rule pointer filter && read -r config <&3; do
		status=0
		output=$(oci-gen validate - <<<"$config" 2>/dev/null) || status=$?
		printf '{"want": ["%s", "%s", "%s"], "status": %d, "found": [%s]}\n' \
			"$severity" "$rule" "$pointer" "$status" "${output//$'\n'/,}"
	done < <(findings) 3< <(each_broken "${filters[@]}") >"$results"
	[ "$(wc -l <"$results")" -eq "${#filters[@]}" ]
	# found, and not much else that has nothing to do with it
	output=$(jq -c 'select(
		(.want as $want | any(.found[]; [.severity, .rule, .pointer] == $want)) and (.found | length) <= 4 and
		.status == (if .want[0] == "error" then 7 else 0 end) | not)' "$results")
	echo "$output"
	[ -z "$output" ]
	# each says in which section of the specification it is written
	jq -r '.found[].spec' "$results" >"$BATS_TEST_TMPDIR/sections"
	run ! grep -vxFf <(grep '#' "$TESTS/oci-gen/sections") "$BATS_TEST_TMPDIR/sections"
}

@test "validate: what the specification allows is not found fault with" {
	local filters=() config

	mapfile -t filters <<-'END'
		.ociVersion="1.3.0-rc.1+x"
		.ociVersion="1.0.2-dev"
		del(.mounts,.hostname,.linux,.annotations)
		del(.linux,.mounts)|.process={"cwd":"C:\\","commandLine":"cmd /c x","user":{"username":"x"}}|.windows={"layerFolders":["C:\\a"],"resources":{"cpu":{"affinity":[{"mask":1,"group":0}]}}}
		del(.linux,.root,.mounts)|.windows={"layerFolders":["C:\\a"],"hyperv":{"utilityVMPath":"C:\\vm"}}
		del(.linux)|.zos={"namespaces":[{"type":"pid","path":"/proc/1/ns/pid"},{"type":"uts"}]}
		del(.linux)|.freebsd={"devices":[{"path":"pf","mode":448}],"jail":{"host":"new","vnet":"new","enforceStatfs":1,"allow":{"rawSockets":true,"mount":["tmpfs"]}}}
		.linux.rootfsPropagation="rslave"
		.linux.netDevices={"eth0":{},"eth1":{"name":"c%d"}}
		.linux.resources.cpu={"quota":-1,"burst":5}
		.linux.resources.cpu={"realtimeRuntime":1000,"realtimePeriod":1000}
		.linux.resources.cpu={"realtimeRuntime":1000}
		.vm={"kernel":{"path":"/x"}}|.root=null|del(.root)
		.vm={"hypervisor":{"path":"/x"},"kernel":{"path":"/x","initrd":"/x"},"image":{"path":"/x","format":"raw"}}
		del(.linux)|.freebsd={}|.mounts=[{"destination":"/a","type":"nullfs"}]
		del(.linux)|.vm={"kernel":{"path":"C:\\x"}}|.windows={"layerFolders":["x"],"resources":{"cpu":{"shares":1,"affinity":[{"mask":1,"group":0}]}},"network":{"networkNamespace":"a"}}|.mounts=[{"destination":"C:\\a","source":"C:\\b"},{"destination":"d:/e","source":"C:\\b"},{"destination":"\\\\.\\pipe\\x","source":"C:\\b"}]
		del(.linux,.mounts,.hostname,.process.capabilities)|.process.cwd="C:\\"|.windows={"layerFolders":["C:\\a"]}
		.linux.namespaces+=[{"type":"user"}]|.linux.uidMappings=[{"containerID":0,"hostID":1,"size":1}]|.linux.gidMappings=.linux.uidMappings
		.linux.namespaces+=[{"type":"user"}]|.linux.uidMappings=[{"containerID":5,"hostID":15,"size":5},{"containerID":0,"hostID":10,"size":5},{"containerID":10,"hostID":4294967290,"size":5}]|.linux.gidMappings=[{"containerID":0,"hostID":0,"size":4294967295}]
		.linux.namespaces+=[{"type":"user"}]|.linux.uidMappings=[range(340)|{"containerID":.,"hostID":.,"size":1}]|.linux.gidMappings=.linux.uidMappings
		.process.args=["x","a"*131071]
		.linux.namespaces+=[{"type":"user","path":"/proc/1/ns/user"}]
		.linux.namespaces+=[{"type":"time"}]|.linux.timeOffsets={"monotonic":{"secs":-1,"nanosecs":0}}
		.linux.netDevices={"eth1":{"name":"a"}}
		.linux.netDevices={"eth0":{"name":"c%d"},"eth1":{"name":"c%d"}}
		.linux.netDevices={"a":{"name":"b"},"b":{"name":"a"}}
		.linux.devices=([{"type":"c","fileMode":8612},{"type":"u","fileMode":8612},{"type":"b","fileMode":24996},{"type":"p","fileMode":4516},{"type":"c","fileMode":420}]|to_entries|map(.value+{"path":"/x\(.key)","major":1,"minor":.key}))
		.linux.resources.devices=[{"allow":true,"type":"c","major":-1,"minor":-1,"access":"r"}]
		.linux.memoryPolicy={"mode":"MPOL_BIND","nodes":"0"}
		.linux.intelRdt={"closID":"a","schemata":[],"enableMonitoring":true}
		.linux.intelRdt={"closID":"/"}
		.linux.resources.unified={"memory.high":"1"}
		.linux.resources.hugepageLimits=[{"pageSize":"2MB","limit":1}]
		.linux.resources.memory={"limit":-1,"swap":-1}
		.linux.resources.memory={"swap":-1}
		.linux.resources.memory={"swap":0}
		.linux.resources.pids.limit=-1
		.linux.sysctl={"net.core.somaxconn":"1","kernel.shm_rmid_forced":"1","fs.mqueue.msg_max":"1","kernel.domainname":"x"}
		.hooks={"createContainer":[{"path":"/x","args":["x"],"env":["A=b"],"timeout":1}]}
		.process.capabilities={"bounding":["CAP_CHOWN"],"permitted":["CAP_CHOWN"],"inheritable":["CAP_CHOWN"],"ambient":["CAP_CHOWN"],"effective":["CAP_CHOWN"]}
		.process.scheduler={"policy":"SCHED_OTHER","nice":-5}
		.process.scheduler={"policy":"SCHED_IDLE","priority":0,"runtime":0}
		.process.scheduler={"policy":"SCHED_FIFO","priority":99}
		.process.scheduler={"policy":"SCHED_DEADLINE","runtime":1000000,"deadline":2000000,"period":2000000}
		.process.ioPriority={"class":"IOPRIO_CLASS_BE","priority":0}
		.process.execCPUAffinity={"initial":"0-1, 3","final":""}
		.mounts+=[{"destination":"/x","source":"/y","options":["rbind","rro","idmap"]}]|.linux.namespaces+=[{"type":"user","path":"/proc/1/ns/user"}]
		.mounts+=[{"destination":"/dev","options":["remount","ro"]}]|del(.mounts[:-1])
		.linux.intelRdt={"l3CacheSchema":"L3:0=f"}
		.process.args=["x","a"*140000]|del(.linux,.mounts,.hostname)|.freebsd={}
		.process.rlimits=[{"type":"RLIMIT_VMEM","soft":1,"hard":1}]|del(.linux,.mounts,.hostname)|.solaris={}
		.linux.seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["writev"],"action":"SCMP_ACT_NOTIFY"}],"listenerPath":"/x","listenerMetadata":"y"}
		.linux.seccomp={"defaultAction":"SCMP_ACT_TRACE","defaultErrnoRet":65535,"syscalls":[{"names":["a"],"action":"SCMP_ACT_TRACE","errnoRet":4096},{"names":["b"],"action":"SCMP_ACT_ERRNO","errnoRet":4095}]}
	END
	each_broken "${filters[@]}" >"$BATS_TEST_TMPDIR/configs"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/configs")" -eq "${#filters[@]}" ]
	while read -r config; do
		tool oci-gen validate - <<<"$config"
		[ -z "$output" ]
	done <"$BATS_TEST_TMPDIR/configs"
}

@test "validate: unsigned numbers of 64 bits are read" {
	local file

	broken '.process.rlimits=[{"type":"RLIMIT_CORE","soft":"X","hard":"X"}] | .annotations={"18446744073709551615":"18446744073709551615"}'
	sed -i 's/"X"/18446744073709551615/' "$BATS_TEST_TMPDIR/config.json"
	tool oci-gen validate "$BATS_TEST_TMPDIR/config.json"
	sed -i 's/: 18446744073709551615/: 18446744073709551616/' "$BATS_TEST_TMPDIR/config.json"
	tool 7 oci-gen validate "$BATS_TEST_TMPDIR/config.json"
	# what is signed is none of them, also in a document: runtimes cannot read it
	broken '.linux.resources |= (.memory.limit = "X" | .cpu = {shares: "X", quota: "Y"} | .pids.limit = "X")'
	sed -i 's/"X"/9223372036854775808/; s/"Y"/9223372036854775807/' "$BATS_TEST_TMPDIR/config.json"
	echo "{\"config\": $(cat "$BATS_TEST_TMPDIR/config.json")}" >"$BATS_TEST_TMPDIR/document.json"
	for file in config document; do
		tool 7 oci-gen validate "$BATS_TEST_TMPDIR/$file.json"
		[ "$(jq -r '.rule + .pointer' <<<"$output" | sort)" = $'range/linux/resources/memory/limit\nrange/linux/resources/pids/limit' ]
	done
}

@test "validate: what is not JSON, or not there, is one clear line" {
	local text

	for text in '' '{' '[]' '"x"' '1' '{"a":1,"a":2}' '{} x' $'{"a":"\xff"}'; do
		printf %s "$text" >"$BATS_TEST_TMPDIR/config.json"
		tool 7 oci-gen validate "$BATS_TEST_TMPDIR/config.json"
		error_is integrity
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
	done
	/usr/bin/python3 -c 'print("[" * 100000 + "]" * 100000)' >"$BATS_TEST_TMPDIR/config.json"
	tool 7 oci-gen validate "$BATS_TEST_TMPDIR/config.json"
	tool 3 oci-gen validate "$BATS_TEST_TMPDIR/none"
	error_is not-found
	truncate -s 17M "$BATS_TEST_TMPDIR/config.json"
	tool 9 oci-gen validate "$BATS_TEST_TMPDIR/config.json"
	error_is limit
	tool 2 oci-gen validate a b
	error_is usage
}

@test "validate: a hostile configuration costs no time to speak of" {
	/usr/bin/python3 -c '
import json
n = 40000
print(json.dumps({"ociVersion": "1.0.2", "root": {"path": "r"}, "linux": {"namespaces": [{"type": "mount"}]},
  "process": {"cwd": "/", "user": {"uid": 0, "gid": 0}, "args": ["x"],
    "rlimits": [{"type": "RLIMIT_%d" % i, "soft": 2, "hard": 1} for i in range(n)]},
  "mounts": [{"destination": "/a" * 2000 + "/%d" % i, "type": "tmpfs"} for i in range(500)]}))' \
		>"$BATS_TEST_TMPDIR/config.json"
	TOOL_TIMEOUT=20 tool 7 sh -c 'oci-gen validate "$1" >/dev/null' sh "$BATS_TEST_TMPDIR/config.json"
}

@test "validate: findings that nobody takes are an error" {
	broken '.mounts[0].typo = 1'
	tool 9 sh -c 'oci-gen validate "$1" >/dev/full' sh "$BATS_TEST_TMPDIR/config.json"
	error_is limit
}
