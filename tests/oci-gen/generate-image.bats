# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common

setup_file() {
	file_setup
	make_rootfs
}

# image JSON: an image configuration with that as its "config".
image() {
	jq -n --argjson config "$1" '{os: "linux", architecture: "amd64", config: $config,
		rootfs: {type: "layers", diff_ids: []}}' >"$BATS_TEST_TMPDIR/image.json"
}

from_image() {
	generate --image "$BATS_TEST_TMPDIR/image.json" "$@"
}

@test "generate: an image's configuration is converted as the image specification says" {
	cat >"$BATS_TEST_TMPDIR/image.json" <<-'END'
		{"os": "linux", "architecture": "arm64", "variant": "v8", "os.version": "1", "os.features": ["a", "b"],
		 "author": "somebody", "created": "2024-01-02T03:04:05Z",
		 "config": {"User": "5:6", "Env": ["PATH=/bin", "A=1=2"], "Entrypoint": ["/init", "-x"], "Cmd": ["run"],
		  "WorkingDir": "/srv", "StopSignal": "SIGQUIT", "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
		  "Labels": {"a": "b", "org.opencontainers.image.author": "label wins"}}}
	END
	from_image
	is .process.args '["/init","-x","run"]'
	is .process.env '["PATH=/bin","A=1=2"]'
	is .process.cwd '"/srv"'
	is .process.user '{"additionalGids":[6],"gid":6,"uid":5}'
	is .annotations '{"a":"b","org.opencontainers.image.architecture":"arm64","org.opencontainers.image.author":"label wins","org.opencontainers.image.created":"2024-01-02T03:04:05Z","org.opencontainers.image.exposedPorts":"80/tcp,53/udp","org.opencontainers.image.os":"linux","org.opencontainers.image.os.features":"a,b","org.opencontainers.image.os.version":"1","org.opencontainers.image.stopSignal":"SIGQUIT","org.opencontainers.image.variant":"v8"}'
}

@test "generate: what docker leaves empty or null is as if it were not there" {
	image '{"User": "", "Env": null, "Entrypoint": null, "Cmd": ["/bin/sh"], "WorkingDir": "", "Labels": null, "ExposedPorts": null}'
	from_image
	is .process.args '["/bin/sh"]'
	is .process.cwd '"/"'
	is '.process.user | [.uid, .gid]' '[0,0]'
	is '.process.env | map(startswith("PATH=")) | any' true
}

@test "generate: operands replace the image's command, --entrypoint also what runs it, --args all" {
	image '{"Entrypoint": ["/init"], "Cmd": ["a"]}'
	from_image b c
	is .process.args '["/init","b","c"]'
	from_image --entrypoint /other
	is .process.args '["/other"]'
	from_image --entrypoint '' b
	is .process.args '["b"]'
	from_image --args x --args y
	is .process.args '["x","y"]'
	image '{}'
	tool 2 oci-gen generate --image "$BATS_TEST_TMPDIR/image.json"
	error_is usage 'no command'
}

@test "generate: the image can be read from standard input" {
	image '{"Cmd": ["x"]}'
	tool sh -c 'oci-gen generate --image - <"$1"' sh "$BATS_TEST_TMPDIR/image.json"
	is .process.args '["x"]'
}

@test "generate: an image that says no operating system is for the one that is asked for" {
	image '{"Cmd": ["x"]}'
	jq '.os = ""' "$BATS_TEST_TMPDIR/image.json" >"$BATS_TEST_TMPDIR/none.json"
	tool oci-gen generate --image "$BATS_TEST_TMPDIR/none.json"
	is '[.process.args, .annotations["org.opencontainers.image.os"]]' '[["x"],null]'
	jq '.os = "windows"' "$BATS_TEST_TMPDIR/image.json" >"$BATS_TEST_TMPDIR/none.json"
	tool 10 oci-gen generate --image "$BATS_TEST_TMPDIR/none.json"
}

@test "generate: a label cannot give the runtime orders, and that is said" {
	image '{"Cmd": ["x"], "Labels": {"run.oci.seccomp_bpf_file": "/x", "org.systemd.property.ExecStart": "y", "fine": "z"}}'
	from_image
	is '.annotations | keys - ["org.opencontainers.image.architecture", "org.opencontainers.image.os"]' '["fine"]'
	[[ $stderr == *run.oci.seccomp_bpf_file* && $stderr == *org.systemd.property.ExecStart* ]]
	image '{"Cmd": ["x"], "Labels": {"io.kubernetes.cri.container-type": "container", "krun.cpus": "64", "krun": "z"}}'
	from_image
	is '.annotations | keys - ["org.opencontainers.image.architecture", "org.opencontainers.image.os"]' '["krun"]'
	from_image --annotation run.oci.x=y
	is '.annotations["run.oci.x"]' '"y"'
}

@test "generate: users and groups are found in the rootfs" {
	image '{"Cmd": ["x"], "User": "user"}'
	from_image --rootfs "$ROOTFS"
	is .process.user '{"additionalGids":[1000,50],"gid":1000,"uid":1000}'
	from_image --rootfs "$ROOTFS" --user 1000
	is .process.user '{"additionalGids":[1000,50],"gid":1000,"uid":1000}'
	from_image --rootfs "$ROOTFS" --user user:staff
	is .process.user '{"additionalGids":[50],"gid":50,"uid":1000}'
	from_image --rootfs "$ROOTFS" --user 77
	is .process.user '{"additionalGids":[0],"gid":0,"uid":77}'
	from_image --rootfs "$ROOTFS" --user 77:staff
	is .process.user '{"additionalGids":[50],"gid":50,"uid":77}'
	from_image --rootfs "$ROOTFS" --user user --process-groups 9 --process-groups 50
	is .process.user.additionalGids '[1000,50,9]'
	from_image --rootfs "$ROOTFS" --user user --process-uid 3
	is .process.user '{"additionalGids":[1000,50],"gid":1000,"uid":3}'
	from_image --rootfs "$ROOTFS" --user user --process-gid 4
	is .process.user '{"additionalGids":[4,50],"gid":4,"uid":1000}'
	tool 2 oci-gen generate --rootfs "$ROOTFS" --user nobody-here x
	error_is usage nobody-here
	tool 2 oci-gen generate --rootfs "$ROOTFS" --user user:no-group x
	error_is usage no-group
	image '{"Cmd": ["x"], "User": "nobody-here"}'
	tool 7 oci-gen generate --image "$BATS_TEST_TMPDIR/image.json" --rootfs "$ROOTFS"
	error_is integrity nobody-here
	tool 3 oci-gen generate --rootfs "$BATS_TEST_TMPDIR/none" --user user x
	error_is not-found
}

@test "generate: numbers need no rootfs" {
	image '{"Cmd": ["x"], "User": "1:2"}'
	from_image --rootfs "$BATS_TEST_TMPDIR/none"
	is .process.user '{"additionalGids":[2],"gid":2,"uid":1}'
}

@test "generate: passwd and group are looked up inside the rootfs only, and must be files" {
	local root=$BATS_TEST_TMPDIR/root

	mkdir -p "$root/etc" "$BATS_TEST_TMPDIR/outside"
	echo 'evil:x:0:0::/:' >"$BATS_TEST_TMPDIR/outside/passwd"
	# a link that leads out is resolved within the root, where nothing is
	ln -s "../../../../../..$BATS_TEST_TMPDIR/outside/passwd" "$root/etc/passwd"
	tool 2 oci-gen generate --rootfs "$root" --user evil x
	error_is usage 'no user'
	ln -sfn "$BATS_TEST_TMPDIR/outside/passwd" "$root/etc/passwd"
	tool 2 oci-gen generate --rootfs "$root" --user evil x
	rm "$root/etc/passwd"
	ln -sfn "$BATS_TEST_TMPDIR/outside" "$root/etc/deep"
	ln -s deep/passwd "$root/etc/passwd"
	tool 2 oci-gen generate --rootfs "$root" --user evil x
	# a link that stays inside is fine
	rm "$root/etc/passwd" "$root/etc/deep"
	mkdir "$root/real"
	echo 'good:x:5:6::/:' >"$root/real/passwd"
	ln -s /real/passwd "$root/etc/passwd"
	tool oci-gen generate --rootfs "$root" --user good x
	is .process.user '{"additionalGids":[6],"gid":6,"uid":5}'
	# what would block, or do something when it is opened
	rm "$root/etc/passwd"
	mkfifo "$root/etc/passwd"
	TOOL_TIMEOUT=30 tool 7 oci-gen generate --rootfs "$root" --user good x
	error_is integrity 'not a regular file'
	rm "$root/etc/passwd"
	mknod "$root/etc/passwd" c 1 5
	TOOL_TIMEOUT=30 tool 7 oci-gen generate --rootfs "$root" --user good x
	error_is integrity 'not a regular file'
	rm "$root/etc/passwd"
	mkdir "$root/etc/passwd"
	tool 7 oci-gen generate --rootfs "$root" --user good x
	rmdir "$root/etc/passwd"
	truncate -s 5M "$root/etc/passwd"
	tool 9 oci-gen generate --rootfs "$root" --user good x
	error_is limit
	rm "$root/etc/passwd"
	echo 'good:x:5:6::/:' >"$root/etc/passwd"
	mkfifo "$root/etc/group"
	TOOL_TIMEOUT=30 tool 7 oci-gen generate --rootfs "$root" --user good x
	error_is integrity /etc/group
}

@test "generate: malformed lines of passwd are passed over, the first good one counts" {
	local root=$BATS_TEST_TMPDIR/root

	mkdir -p "$root/etc"
	printf 'user\nuser:x\nuser:x:abc:1\nuser:x:99999999999:1\n:::\nuser:x:7:8:a:b:c\nuser:x:9:9::/:\n' \
		>"$root/etc/passwd"
	printf 'g:x:20:other,user\nh:x:bad:user\nk:x:20:user\nl:x:21:users\nm:x:19:user,' >"$root/etc/group"
	tool oci-gen generate --rootfs "$root" --user user x
	is .process.user '{"additionalGids":[8,19,20],"gid":8,"uid":7}'
}

@test "generate: an image's mistakes are the image's" {
	local config

	for config in '{"Env": "A=b"}' '{"Env": [1]}' '{"Cmd": {}}' '{"Entrypoint": [null]}' '{"Labels": []}' \
		'{"Labels": {"a": 1}}' '{"User": 5}' '{"WorkingDir": []}' '{"Cmd": ["x"], "User": "4294967295"}' \
		'{"Cmd": ["x"], "User": "4294967296:0"}' '{"Cmd": ["x"], "User": "a:b:c"}'; do
		image "$config"
		tool 7 oci-gen generate --image "$BATS_TEST_TMPDIR/image.json"
		error_is integrity
	done
	for config in '[]' '"x"' '{"config": []}' '{"schemaVersion": 2, "config": {}}' '{' '{"os":"linux","os":"linux"}' ''; do
		echo "$config" >"$BATS_TEST_TMPDIR/image.json"
		tool 7 oci-gen generate --image "$BATS_TEST_TMPDIR/image.json" -o "$BATS_TEST_TMPDIR/out"
		error_is integrity
		[ ! -e "$BATS_TEST_TMPDIR/out" ]
	done
	echo '{"os": "windows"}' >"$BATS_TEST_TMPDIR/image.json"
	tool 10 oci-gen generate --image "$BATS_TEST_TMPDIR/image.json"
	error_is unsupported windows
	tool 3 oci-gen generate --image "$BATS_TEST_TMPDIR/none"
	error_is not-found
}

@test "generate: a hundred thousand labels take no time to speak of" {
	/usr/bin/python3 -c '
import json
n = 100000
print(json.dumps({"os": "linux", "config": {"Cmd": ["x"], "Labels": {"l%d" % i: "x" for i in range(n)}}}))' >"$BATS_TEST_TMPDIR/image.json"
	TOOL_TIMEOUT=20 tool oci-gen generate --image "$BATS_TEST_TMPDIR/image.json" -o "$BATS_TEST_TMPDIR/out"
	[ "$(jq '.annotations | length' "$BATS_TEST_TMPDIR/out")" -ge 100000 ]
}
