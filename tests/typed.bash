# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# For tests that run what a page tells to type: a machine of its own as far as the commands would
# change this one, and the registries docker.io and registry.example on its loopback.
#
#   machine_up       in setup_file, after file_setup; machine_down before file_teardown
#   on_machine SCRIPT   run it by bash, which ends at the first failure; /etc, /mnt and the leases of
#                    networks are its own

machine_up() {
	export HOST=typed$$
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
		storage:
		  filesystem: {rootdirectory: $BATS_FILE_TMPDIR/registry}
		  delete: {enabled: true}
		http: {addr: "127.0.0.1:80"}
	END
	nsenter --net="/run/netns/$HOST" docker-registry serve "$BATS_FILE_TMPDIR/registry.yml" \
		>"$BATS_FILE_TMPDIR/registry.log" 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/registry.pid"
	wait_for 10 nsenter --net="/run/netns/$HOST" curl -fs http://127.0.0.1/v2/
}

machine_down() {
	registry_stop
	ip netns delete "$HOST"
}

on_machine() {
	cat >run <<-END
		set -euo pipefail
		trap 'kill -KILL \$(jobs -p) 2>/dev/null || true' EXIT # should its time be over
		mkdir -p /var/lib/cni
		for dir in /var/lib/cni /mnt; do mount -t tmpfs none "\$dir"; done
		mkdir /mnt/.etc /mnt/.etc/upper /mnt/.etc/work
		mount -t overlay -o lowerdir=/etc,upperdir=/mnt/.etc/upper,workdir=/mnt/.etc/work etc /etc
		umount -l /mnt # the overlay keeps what it needs of it
		mount -t tmpfs none /mnt
		rm -rf /etc/cni
		mount --bind "$BATS_FILE_TMPDIR/hosts" /etc/hosts
		unset CNI_PATH
		. "$(realpath "$1")"
		[ -z "\$(find /var/lib/cni -name '10.*')" ]
		[ -z "\$(ctr-store containers)\$(ctr-store mounts)\$(ocid-shim list)\$(ctr-net ns list)" ]
	END
	CONTAINERS_REGISTRIES_CONF=$BATS_FILE_TMPDIR/registries.conf \
		TOOL_TIMEOUT=120 tool nsenter --net="/run/netns/$HOST" unshare --mount bash run
}
