# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common
load cri

# origin POINTER: of that value in $output
origin() {
	jq -r --arg pointer "$1" 'select(.pointer == $pointer) | .origin' <<<"$output"
}

@test "explain: each source is told from the others" {
	edit 'del(.cri) | .network = {netns: "/run/netns/x"}'
	echo '{"process": {"noNewPrivileges": true}}' >"$BATS_TEST_TMPDIR/patch.json"
	tool oci-gen explain --document "$DOCUMENT" --hostname box --env C=1 --bind /tmp:/a --process-cap-add SYS_ADMIN \
		--linux-seccomp-kill acct --patch "$BATS_TEST_TMPDIR/patch.json" / more
	while read -r pointer expected; do
		[ "$(origin "$pointer")" = "$expected" ]
	done <<-'END'
		/ociVersion default
		/process/args/0 image
		/process/args/1 operands
		/process/cwd image
		/process/user/uid image
		/process/user/additionalGids/0 image
		/process/env/0 default
		/process/env/1 image
		/process/env/3 --env
		/process/noNewPrivileges --patch
		/root/path rootfs
		/root/readonly default
		/hostname --hostname
		/linux/cgroupsPath rootfs
		/linux/namespaces/0/type default
		/linux/namespaces/4/path network
		/mounts/0/destination default
		/mounts/3/destination --bind
		/annotations/org.opencontainers.image.os image
	END
	[ "$(jq -rs '[.[] | select(.value == "CAP_SYS_ADMIN") | .origin] | unique[]' <<<"$output")" = --process-cap-add ]
	# what the added capability lets through is that option's, too
	[ "$(jq -rs '[.[] | select(.value.action? == "SCMP_ACT_KILL") | .origin] | unique[]' <<<"$output")" = --linux-seccomp-kill ]
}

@test "explain: the kubelet's pod and container are sources" {
	edit '.cri.container += {args: ["b"], mounts: [{containerPath: "/data", hostPath: "/tmp"}]} | .cri.container.linux.resources = {memoryLimitInBytes: 1048576}'
	tool oci-gen explain --document "$DOCUMENT" /
	while read -r pointer expected; do
		[ "$(origin "$pointer")" = "$expected" ]
	done <<-'END'
		/hostname cri.pod
		/linux/cgroupsPath cri.pod
		/linux/resources/memory/limit cri.container
		/process/args/0 image
		/process/args/1 cri.container
		/process/oomScoreAdj cri.container
	END
	[ "$(jq -r 'select(.value == "/data") | .origin' <<<"$output")" = cri.container ]
}

@test "explain: one member, in full" {
	tool oci-gen explain --no-document --linux-cpu-idle /linux/resources/cpu/idle
	is . '{"meaning":"1: run only when nothing else does","origin":"--linux-cpu-idle","pointer":"/linux/resources/cpu/idle","since":"1.1.0","spec":"config-linux.md#cpu","value":1}'
	tool oci-gen explain --no-document process/cwd
	is '[.pointer, .origin]' '["/process/cwd","default"]'
	tool oci-gen explain --no-document /linux/intelRdt
	is '[.pointer, .origin, .value]' '["/linux/intelRdt","not set",null]'
	tool oci-gen explain --no-document /linux/sysctl/net.ipv4.ip_forward
	is '[.origin, .meaning]' '["not set","kernel parameters of the container'"'"'s own namespaces"]'
	tool oci-gen explain --no-document --table /process/user
	[[ $output == POINTER*ORIGIN*/process/user/gid* ]]
	tool 3 oci-gen explain --no-document /process/nonsense
	error_is not-found "oci-gen explain /process"
	tool 3 oci-gen explain --no-document /process/args/0/x
	tool 2 oci-gen explain --no-document
	tool 2 oci-gen explain --no-document --user nonsense:: /process/user
	tool 2 oci-gen explain -o x /process/user
}

@test "explain: what was said when a document was generated is told from what is said now" {
	edit 'del(.cri)'
	tool oci-gen generate --document "$DOCUMENT" --hostname before --env B=before
	tool oci-gen explain --document "$BUNDLE/document.json" /
	[ "$(origin /hostname)" = "recorded in the document" ]
	[ "$(origin /process/env/2)" = "recorded in the document" ]
	[ "$(origin /process/cwd)" = image ]
	tool oci-gen explain --document "$BUNDLE/document.json" --hostname now /hostname
	is '[.value, .origin]' '["now","--hostname"]'
	[ "$(jq -r .config.hostname "$BUNDLE/document.json")" = before ]
}

@test "explain: every member that generate can write has a meaning of its own" {
	tool oci-gen explain --no-document --linux-uidmappings 0:0:1 --linux-gidmappings 0:0:1 --linux-device-add c:1:3:/dev/x \
		--process-rlimits-add nofile:1:1 --linux-mem-limit 1 --linux-cpu-shares 2 --linux-pids-limit 1 --linux-sysctl net.a=b --domainname x /
	[ "$(jq -rs '[.[] | select(.meaning == "what only Linux has" or .meaning == "not in the specification" or .meaning == "the whole configuration of a container")] | length' <<<"$output")" = 0 ]
}
