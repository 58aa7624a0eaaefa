# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
# On a kernel that only looks as if it had SELinux: what is written, not what it does.
load ../helpers
load common
load cri

# with_selinux STATUS FILTER: generate from the document, changed by the filter. $output is the
# configuration. The words of $WITH are before the command.
with_selinux() {
	jq "$2" "$DOCUMENT" >"$DOCUMENT.now"
	tool "$1" unshare --mount --propagation private sh -ec '
		mount -t tmpfs none /sys/fs
		mkdir /sys/fs/selinux
		echo 1 >/sys/fs/selinux/enforce
		[ ! -d /etc/selinux ] || mount -t tmpfs none /etc/selinux
		exec $WITH oci-gen generate --document "$1"' sh "$DOCUMENT.now"
	[ "$1" -ne 0 ] || output=$(jq -c '.config | [.process.selinuxLabel, .linux.mountLabel]' <<<"$output")
}

label() {
	/usr/bin/python3 -c 'import os, sys; print(os.getxattr(sys.argv[1], "security.selinux", follow_symlinks=False).decode().rstrip("\0"))' "$1"
}

@test "generate: cri: SELinux: labels are the policy's, with what the request changes" {
	local own other

	with_selinux 0 .
	[[ $output =~ ^\[\"system_u:system_r:container_t:(s0:c[0-9]+,c[0-9]+)\",\"system_u:object_r:container_file_t:(s0:c[0-9]+,c[0-9]+)\"\]$ ]]
	[ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]
	own=$output
	# the containers of a pod share the level, others have another
	with_selinux 0 '.cri.container.metadata.name = "other" | .rootfs.id = "other"'
	[ "$output" = "$own" ]
	with_selinux 0 '.cri.pod.metadata.uid = "other"'
	other=$output
	[ "$other" != "$own" ]
	with_selinux 0 '.cri.container.linux.securityContext.selinuxOptions = {user: "u", role: "r", type: "t", level: "s0:c1,c2"}'
	[ "$output" = '["u:r:t:s0:c1,c2","system_u:object_r:container_file_t:s0:c1,c2"]' ]
	with_selinux 0 '.cri.pod.linux.securityContext.selinuxOptions = {level: "s0:c1,c2"}'
	[ "$output" = '["system_u:system_r:container_t:s0:c1,c2","system_u:object_r:container_file_t:s0:c1,c2"]' ]
	with_selinux 0 '.cri.container.linux.securityContext += {privileged: true}'
	[ "$output" = '["system_u:system_r:spc_t:s0",null]' ]
}

@test "generate: cri: SELinux: what is mounted is relabelled when asked for, but not the host's own" {
	local data=$BATS_TEST_TMPDIR/data

	mkdir -p "$data/sub"
	touch "$data/sub/file"
	ln -s /etc/passwd "$data/link"
	with_selinux 0 ".cri.container.linux.securityContext.selinuxOptions = {level: \"s0:c1,c2\"}
		| .cri.container.mounts = [{containerPath: \"/a\", hostPath: \"$data\", selinuxRelabel: true}]"
	for path in "$data" "$data/sub" "$data/sub/file" "$data/link"; do
		[ "$(label "$path")" = system_u:object_r:container_file_t:s0:c1,c2 ]
	done
	run label /etc/passwd
	[[ $output != *c1,c2* ]]
	mkdir "$data.untouched"
	with_selinux 0 ".cri.container.mounts = [{containerPath: \"/a\", hostPath: \"$data.untouched\"}]"
	run label "$data.untouched"
	[[ $output != *container_file_t* ]]
	with_selinux 6 '.cri.container.mounts = [{containerPath: "/a", hostPath: "/etc", selinuxRelabel: true}]'
	error_is denied /etc
}

@test "generate: cri: SELinux: who changes the way to a file meanwhile does not get another relabelled" {
	local data=$BATS_TEST_TMPDIR/data other=$BATS_TEST_TMPDIR/other log=$BATS_TEST_TMPDIR/log

	mkdir -p "$data/sub" "$other"
	touch "$data/sub/file" "$other/file"
	{
		wait_for 20 grep -q lsetxattr "$log" && mv "$data/sub" "$data/moved" && ln -s "$other" "$data/sub"
	} 3>&- &
	export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
	# the first label waits for that
	WITH="strace -o $log -e trace=lsetxattr -e inject=lsetxattr:delay_enter=1000000:when=1" \
		with_selinux 0 ".cri.container.mounts = [{containerPath: \"/a\", hostPath: \"$data\", selinuxRelabel: true}]"
	wait "$!"
	[[ $(label "$data/moved/file") == *container_file_t* ]]
	run label "$other/file"
	[[ $output != *container_file_t* ]]
}

@test "generate: cri: SELinux: where it is off, that is said, and nothing is labelled" {
	[ ! -e /sys/fs/selinux/enforce ] || skip "SELinux is on"
	from_cri '.cri.container.linux.securityContext.selinuxOptions = {level: "s0:c1,c2"} | .cri.container.mounts = [{containerPath: "/a", hostPath: "/etc", selinuxRelabel: true}]'
	is '[.process.selinuxLabel, .linux.mountLabel]' '[null,null]'
	[[ $stderr == *"SELinux is off"* ]]
}
