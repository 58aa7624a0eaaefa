# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common
load cri

setup_cdi() {
	CDI=$BATS_TEST_TMPDIR/cdi
	mkdir "$CDI" "$CDI.later"
	cat >"$CDI/vendor.yaml" <<-'END'
		---
		cdiVersion: 0.7.0
		kind: vendor.com/gpu
		containerEdits:
		  env: [VENDOR=all]
		  hooks:
		  - hookName: createContainer
		    path: /bin/true
		    args: ["true", "-x"]
		    timeout: 5
		devices:
		- name: "0"
		  containerEdits:
		    env:
		    - GPU=0
		    deviceNodes:
		    - path: /dev/gpu0
		      hostPath: /dev/zero
		      fileMode: 0640
		      uid: 0
		    mounts:
		    - hostPath: /usr/lib
		      containerPath: /gpu/lib
		      options: [ro, rbind, nosuid]
		    - hostPath: /etc/passwd
		      containerPath: /gpu/file
		    additionalGids: [44, 0]
		- name: many
		  containerEdits:
		    deviceNodes:
		    - {path: /dev/gpu9, type: c, major: 10, minor: 200, permissions: r}
		- name: half
		  containerEdits:
		    deviceNodes:
		    - {path: /dev/half, hostPath: /dev/zero, major: 10, minor: 200}
		    - {path: /dev/zero, type: c, major: 10, minor: 201}
	END
	cat >"$CDI/net.json" <<-'END'
		{"cdiVersion": "1.1.0", "kind": "vendor.com/net", "annotations": {"a": "b"}, "devices": [{"name": "eth", "containerEdits": {
			"netDevices": [{"hostInterfaceName": "ens9", "name": "eth1"}],
			"intelRdt": {"closID": "x", "schemata": ["L3:0=f"], "enableMonitoring": true}}}]}
	END
}

setup() {
	setup_cdi
	cri_setup
}

@test "generate: cdi: a device is what its vendor's file says" {
	generate --cdi-dir "$CDI" --cdi-device vendor.com/gpu=0 --user 1000:1000
	is '.linux.devices' '[{"fileMode":416,"gid":1000,"major":1,"minor":5,"path":"/dev/gpu0","type":"c","uid":0}]'
	is '.linux.resources.devices[-1]' '{"access":"rwm","allow":true,"major":1,"minor":5,"type":"c"}'
	is '.mounts[] | select(.destination == "/gpu/lib")' '{"destination":"/gpu/lib","options":["ro","rbind","nosuid"],"source":"/usr/lib"}'
	is '.hooks' '{"createContainer":[{"args":["true","-x"],"path":"/bin/true","timeout":5}]}'
	is '[.process.env[-2:], .process.user.additionalGids]' '[["VENDOR=all","GPU=0"],[1000,44]]'
	generate --cdi-dir "$CDI" --cdi-device vendor.com/gpu=0 --cdi-device vendor.com/gpu=many --env VENDOR=mine
	is '[.linux.devices[].path]' '["/dev/gpu0","/dev/gpu9"]'
	is '.linux.resources.devices[-1]' '{"access":"r","allow":true,"major":10,"minor":200,"type":"c"}'
	is '[(.hooks.createContainer | length), (.process.env | index("VENDOR=all") != null)]' '[1,true]'
	# the host's node says what the file does not
	generate --cdi-dir "$CDI" --cdi-device vendor.com/gpu=half
	is '[.linux.devices[] | [.path, .type, .major, .minor, .fileMode]]' '[["/dev/half","c",10,200,438],["/dev/zero","c",10,201,438]]'
	generate --cdi-dir "$CDI" --cdi-device vendor.com/net=eth
	is '[.linux.netDevices, .linux.intelRdt, .ociVersion]' '[{"ens9":{"name":"eth1"}},{"closID":"x","enableMonitoring":true,"schemata":["L3:0=f"]},"1.3.0"]'
}

@test "generate: cdi: the kubelet names devices in the request or in annotations" {
	from_cri '.cri.container.CDIDevices = [{name: "vendor.com/gpu=0"}]' --cdi-dir "$CDI"
	is '.linux.devices[].path' '"/dev/gpu0"'
	from_cri '.cri.container += {CDIDevices: [{name: "vendor.com/gpu=0"}], annotations: {"cdi.k8s.io/plugin": "vendor.com/gpu=0,vendor.com/gpu=many"}}' --cdi-dir "$CDI"
	is '[.linux.devices[].path]' '["/dev/gpu0","/dev/gpu9"]'
	from_cri 7 '.cri.container.CDIDevices = [{name: "nonsense"}]' --cdi-dir "$CDI"
	from_cri 3 '.cri.container.CDIDevices = [{name: "vendor.com/gpu=7"}]' --cdi-dir "$CDI"
	error_is not-found vendor.com/gpu=7
}

@test "generate: cdi: a later directory goes over an earlier one, and two files of one are a conflict" {
	printf '%s' '{"cdiVersion": "0.5.0", "kind": "vendor.com/gpu", "devices": [{"name": "0", "containerEdits": {"env": ["GPU=later"]}}]}' >"$CDI.later/gpu.json"
	generate --cdi-dir "$CDI" --cdi-dir "$CDI.later" --cdi-device vendor.com/gpu=0
	is '[.linux.devices, .process.env[-1]]' '[null,"GPU=later"]'
	cp "$CDI.later/gpu.json" "$CDI/again.json"
	tool 7 oci-gen generate --no-document --cdi-dir "$CDI" --cdi-device vendor.com/gpu=0
	error_is integrity again.json
	cp "$CDI.later/gpu.json" "$CDI/not-one.txt"
	generate --cdi-dir "$CDI" --cdi-device vendor.com/gpu=many
}

@test "generate: cdi: a file that cannot be read takes no other with it, and names are checked" {
	echo '{' >"$CDI/broken.json"
	printf 'cdiVersion: 0.5.0\nkind: a/b\nunheard: of\n' >"$CDI/unknown.yaml"
	generate --cdi-dir "$CDI" --cdi-device vendor.com/gpu=0
	[[ $stderr == *broken.json* && $stderr == *unheard* ]]
	tool 3 oci-gen generate --no-document --cdi-dir "$CDI" --cdi-device a/b=c
	tool 3 oci-gen generate --no-document --cdi-dir "$CDI/nothing" --cdi-device vendor.com/gpu=0
	for name in '' gpu vendor.com/gpu vendor.com=gpu '/x=y' 'a/=y' 'a/b=' 'a/../b=c' 'a/b=c/d' '-a/b=c'; do
		tool 2 oci-gen generate --no-document --cdi-dir "$CDI" --cdi-device "$name"
	done
	while read -r edits; do
		printf '{"cdiVersion": "1.1.0", "kind": "a/b", "devices": [{"name": "c", "containerEdits": %s}]}' "$edits" >"$CDI.later/x.json"
		run oci-gen generate --no-document --cdi-dir "$CDI.later" --cdi-device a/b=c
		[ "$status" -ne 0 ]
		[[ $output != *CDI* || $output == *"$CDI.later/x.json: "* ]]
	done <<-'END'
		{"env": ["x"]}
		{"env": [1]}
		{"deviceNodes": [{}]}
		{"deviceNodes": [{"path": "/dev/nonexistent"}]}
		{"deviceNodes": [{"path": "/etc/passwd"}]}
		{"deviceNodes": [{"path": "/dev/null", "type": "b"}]}
		{"hooks": [{"hookName": "never", "path": "/x"}]}
		{"hooks": [{"hookName": "poststop", "path": "x"}]}
		{"mounts": [{"hostPath": "/x"}]}
		{"netDevices": [{"name": "x"}]}
		{"additionalGids": [-1]}
		{"additionalGids": [4294967296]}
	END
}

# as the Go library does, by the table of its specs-go/version.go
@test "generate: cdi: a file's version is known and has what the file uses" {
	local expected version filter file=$CDI/version.json

	while read -r expected version filter; do
		jq -n --arg version "$version" '{cdiVersion: $version, kind: "a/b", devices: [{name: "c", containerEdits: {env: ["A=b"]}}]}
			| '"$filter" >"$file"
		tool "$expected" oci-gen generate --no-document --cdi-dir "$CDI" --cdi-device "$(jq -r '.kind + "=" + .devices[0].name' "$file")"
		[ "$expected" -eq 0 ] || [[ $stderr == *version.json*cdiVersion* ]]
	done <<-'END'
		3 0.2.0 .
		3 9.0.0 .
		3 1.2.0 .
		3 1.1 .
		3 vv1.1.0 .
		0 0.3.0 .
		0 v1.0.0 .
		3 0.3.0 .devices[0].containerEdits.mounts = [{hostPath: "/x", containerPath: "/x", type: "bind"}]
		0 0.4.0 .containerEdits.mounts = [{hostPath: "/x", containerPath: "/x", type: "bind"}]
		3 0.4.0 .containerEdits.deviceNodes = [{path: "/x", hostPath: "/dev/null"}]
		0 0.5.0 .containerEdits.deviceNodes = [{path: "/x", hostPath: "/dev/null"}]
		3 0.4.0 .devices[0].name = "0"
		0 0.5.0 .devices[0].name = "0"
		3 0.5.0 .annotations = {a: "b"}
		3 0.5.0 .devices[0].annotations = {a: "b"}
		3 0.5.0 .kind = "a/b.c"
		0 0.6.0 .kind = "a/b.c" | .annotations = {a: "b"}
		3 0.6.0 .containerEdits.additionalGids = [5]
		3 0.6.0 .devices[0].containerEdits.intelRdt = {}
		0 0.7.0 .containerEdits.additionalGids = [5]
		3 1.0.0 .devices[0].containerEdits.netDevices = [{hostInterfaceName: "a", name: "b"}]
		3 1.0.0 .containerEdits.intelRdt = {enableMonitoring: true}
		3 1.0.0 .containerEdits.intelRdt = {schemata: ["L3:0=f"]}
		0 1.1.0 .containerEdits.netDevices = [{hostInterfaceName: "a", name: "b"}]
	END
}

# as in CDI's README
@test "generate: cdi: what a mount is need not be said" {
	local mount options

	while read -r mount options; do
		printf '{"cdiVersion": "0.5.0", "kind": "a/b", "devices": [{"name": "c", "containerEdits": {
			"mounts": [{"hostPath": "/usr/lib", "containerPath": "/x"%s}]}}]}' "$mount" >"$CDI/mounts.json"
		generate --cdi-dir "$CDI" --cdi-device a/b=c
		is '.mounts[] | select(.destination == "/x").options' "$options"
	done <<-'END'
		,"options":[] ["rbind"]
		,"options":["ro","nosuid"] ["rbind","ro","nosuid"]
		,"options":["ro","bind"] ["ro","bind"]
		,"type":"bind","options":["ro"] ["rbind","ro"]
		,"type":"tmpfs","options":["size=1m"] ["size=1m"]
		,"type":"tmpfs" null
	END
}

@test "generate: cdi: a container has the device" {
	sed -i 's/hookName: .*/hookName: poststop/' "$CDI/vendor.yaml"
	run_container runc "ocid-test-cdi-$RANDOM" --rootfs "$ROOTFS" --cdi-dir "$CDI" --cdi-device vendor.com/gpu=0 \
		--linux-namespace-remove network --linux-cgroups-path /ocid-test-cri/cdi \
		sh -c 'id -G; echo $GPU; head -c 3 /dev/gpu0 | wc -c; ls -ln /dev/gpu0; cat /gpu/file'
	[[ $output == *44*0*3*crw-r-----*"$(cat /etc/passwd)" ]]
}
