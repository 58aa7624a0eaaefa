# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common
load cri

# mounted FILTER: the mounts of the container that are not of the template, with their options joined
mounted() {
	from_cri "$@"
	output=$(jq '[.mounts[] | select(.destination | test("^/(a|b|c)($|/)")) | .options |= join(",")]' <<<"$output")
}

@test "generate: cri: an image is mounted from where the caller has mounted it" {
	local image=$BATS_TEST_TMPDIR/image

	mkdir -p "$image/sub/dir"
	ln -s /sub "$image/absolute"
	ln -s ../../../../../../etc "$image/outside"
	edit ".cri.sandbox.images = {\"img:1\": \"$image\"}"
	mounted '.cri.container.mounts = [{containerPath: "/a", image: {image: "img:1"}, readonly: true}]'
	is . "[{\"destination\":\"/a\",\"options\":\"rbind,rprivate,ro,nosuid,nodev\",\"source\":\"$image\",\"type\":\"bind\"}]"
	mounted '.cri.container.mounts = [{containerPath: "/a", image: {image: "img:1"}, imageSubPath: "sub/dir", readonly: true, recursiveReadOnly: true, mountOptions: ["noexec"]}]'
	is '.[] | [.source, .options]' "[\"$image/sub/dir\",\"rbind,rprivate,ro,rro,nosuid,nodev,noexec\"]"
	mounted '.cri.container.mounts = [{containerPath: "/a", image: {image: "img:1"}, readonly: true, imageSubPath: "absolute/dir"}]'
	is '.[].source' "\"$image/sub/dir\""
	from_cri 3 '.cri.container.mounts = [{containerPath: "/a", image: {image: "img:1"}, readonly: true, imageSubPath: "outside/passwd"}]'
	from_cri 3 '.cri.container.mounts = [{containerPath: "/a", image: {image: "img:1"}, readonly: true, imageSubPath: "nothing"}]'
	error_is not-found imageSubPath
	from_cri 2 '.cri.container.mounts = [{containerPath: "/a", image: {image: "img:2"}, readonly: true}]'
	error_is usage 'cri.sandbox.images{"img:2"}'
	from_cri 7 '.cri.container.mounts = [{containerPath: "/a", image: {image: "img:1"}}]'
	error_is integrity 'not readonly'
}

@test "generate: cri: mounts carry mappings and the options of a bind mount" {
	local filter='.cri.container.mounts = [{containerPath: "/a", hostPath: "/tmp", mountOptions: ["nosuid", "nodev", "noexec"],
		uidMappings: [{hostId: 5, containerId: 1, length: 2}, {hostId: 9, length: 1}], gidMappings: [{hostId: 5, length: 2}]}]'

	from_cri "$filter"
	is .ociVersion '"1.1.0"'
	mounted "$filter"
	is '.[] | [.options, .uidMappings, .gidMappings]' \
		'["rbind,rprivate,rw,nosuid,nodev,noexec,idmap",[{"containerID":1,"hostID":5,"size":2},{"containerID":0,"hostID":9,"size":1}],[{"containerID":0,"hostID":5,"size":2}]]'
}

@test "generate: cri: a directory of devices stands for each of them" {
	mkdir -p "$BATS_TEST_TMPDIR/dev/sub"
	mknod "$BATS_TEST_TMPDIR/dev/zero" c 1 5
	mknod "$BATS_TEST_TMPDIR/dev/sub/null" c 1 3
	mkfifo "$BATS_TEST_TMPDIR/dev/fifo"
	for path in "$BATS_TEST_TMPDIR/dev" "$BATS_TEST_TMPDIR/dev/"; do
		from_cri ".cri.container.devices = [{hostPath: \"$path\", containerPath: \"/dev/mine\", permissions: \"r\"}]"
		is '[.linux.devices[] | [.path, .type, .major, .minor]] | sort' '[["/dev/mine/sub/null","c",1,3],["/dev/mine/zero","c",1,5]]'
		is '[.linux.resources.devices[-2:][] | [.allow, .major, .minor, .access]] | sort' '[[true,1,3,"r"],[true,1,5,"r"]]'
	done
}

@test "generate: cri: an image volume cannot be changed from inside" {
	mkdir "$BATS_TEST_TMPDIR/image"
	echo content >"$BATS_TEST_TMPDIR/image/file"
	cri_run ".cri.sandbox.images = {\"img:1\": \"$BATS_TEST_TMPDIR/image\"} | del(.cri.sandbox.namespaces.network)
		| .cri.container.mounts = [{containerPath: \"/volume\", image: {image: \"img:1\"}, readonly: true, mountOptions: [\"noexec\"]}]
		| .cri.container.linux.securityContext += {namespaceOptions: {network: \"NODE\", pid: \"CONTAINER\"}, runAsUser: {}}" \
		sh -c 'cat /volume/file; echo x >/volume/file; grep " /volume " /proc/self/mounts'
	[[ $output == content*ro,*noexec* ]]
	[[ $stderr == *"Read-only file system"* ]]
}
