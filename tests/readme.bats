# SPDX-License-Identifier: Apache-2.0
# What the README shows works as typed. Its registries are a mirror on loopback; the machine is one
# of its own as far as the commands would change this one.

load helpers

PAGE=$TESTS/../README.md

setup_file() {
	file_setup
	export HOST=readme$$
	ip netns add "$HOST"
	ip -n "$HOST" link set lo up
	registry_at_port_80
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	oci_image "$BATS_FILE_TMPDIR/nginx" latest \
		'{"config": {"Cmd": ["httpd", "-f", "-p", "80", "-h", "/www"]}}' "$BATS_FILE_TMPDIR/base.tar"
	nsenter --net="/run/netns/$HOST" skopeo --insecure-policy copy -q --dest-tls-verify=false \
		"oci:$BATS_FILE_TMPDIR/nginx:latest" docker://127.0.0.1:80/library/nginx:latest
	echo 127.0.0.1 localhost registry.example >"$BATS_FILE_TMPDIR/hosts"
	for name in docker.io registry.example; do
		printf '[[registry]]\nprefix = "%s"\nlocation = "registry.example"\ninsecure = true\n' "$name"
	done >"$BATS_FILE_TMPDIR/registries.conf"
}

# where clients look for one whose name has no port, once they find no TLS
registry_at_port_80() {
	cat >"$BATS_FILE_TMPDIR/registry.yml" <<-END
		version: 0.1
		log: {level: error, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $BATS_FILE_TMPDIR/registry}}
		http: {addr: "127.0.0.1:80"}
	END
	nsenter --net="/run/netns/$HOST" docker-registry serve "$BATS_FILE_TMPDIR/registry.yml" \
		>"$BATS_FILE_TMPDIR/registry.log" 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/registry.pid"
	wait_for 10 nsenter --net="/run/netns/$HOST" curl -fs http://127.0.0.1/v2/
}

teardown_file() {
	registry_stop
	ip netns delete "$HOST"
	file_teardown
}

@test "readme: every command of a box does what it says, one after the other" {
	cd "$BATS_TEST_TMPDIR" || return
	awk '/^```$/ { inside = 0 } inside { print } /^```sh$/ { inside = 1 }' "$PAGE" >script
	[ "$(grep -cE '^(skopeo-c|ctr-|ocid-|oci-gen)' script)" -ge 30 ]
	cat >run <<-'END'
		set -euo pipefail
		mkdir -p /etc/cni /var/lib/cni
		for dir in /etc/cni /var/lib/cni /mnt; do mount -t tmpfs none "$dir"; done
		mount --bind "$BATS_FILE_TMPDIR/hosts" /etc/hosts
		unset CNI_PATH
		. ./script
		[ -z "$(find /var/lib/cni -name '10.*')" ]
		[ -z "$(ctr-store containers)$(ctr-store mounts)$(ocid-shim list)$(ctr-net ns list)" ]
	END
	CONTAINERS_REGISTRIES_CONF=$BATS_FILE_TMPDIR/registries.conf \
		TOOL_TIMEOUT=120 tool nsenter --net="/run/netns/$HOST" unshare --mount bash run
	[[ $output == *'"same"'* ]]    # verify
	[[ $output == *'/hello'* ]]    # changes
	[[ $output == *hello*'is in it, too'* ]]
	[[ $output == *10.88.0.*/16* ]] # ns exec
	[[ $output == *'"ip": "10.88.'* ]] # the pod
	[[ $stderr == *'skopeo-c copy --events 1 docker://docker.io/library/nginx'* ]] # trace
}

# names PATTERN: what matches it in the page, each once
names() {
	grep -oE "$1" "$PAGE" | sort -u
}

@test "readme: files, pages and targets that it names are there" {
	local name

	[ "$(names '[a-z.-]+\([1-8]\)' | wc -l)" -ge 10 ]
	while read -r name; do
		[ -f "$TESTS/../man/$name" ] || { echo "no man page $name"; return 1; }
	done < <(names '[a-z.-]+\([1-8]\)' | tr '(' . | tr -d ')')
	while read -r _ name; do
		grep -qE "^\.PHONY:.* $name( |$)" "$TESTS/../Makefile" || { echo "no target $name"; return 1; }
	done < <(names '(sudo|`|  +)make [a-z]+' | sed 's/.*make/make/')
	while read -r name; do
		[ -e "$TESTS/../$name" ] || { echo "no $name"; return 1; }
	done < <(names '(ocid-dispatch/examples|tests/|man/)[a-z0-9/.]*[a-z0-9]')
}
