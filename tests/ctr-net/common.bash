# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The "host" of these tests is a network namespace of the file's own ($HOST), so that bridges,
# firewall rules and ports never touch the machine's. Plugins are Debian's, plus what a test makes.
#
#   net [STATUS] ARG…      `tool` for ctr-net on that host
#   on_host COMMAND…       run something there
#   network NAME JSON…     configure a network with these plugins in $NET_D
#   plugin TYPE <<END      make a plugin out of a shell script in $PLUGINS
#   lacks PATTERN COMMAND… no line that the command prints matches
#   take_down              disconnect and remove everything
#   nothing_left           no interface, rule, lease, namespace or record remains

load ../helpers

export DEBIAN_PLUGINS=/usr/lib/cni

setup_file() {
	file_setup
	export HOST=$BATS_FILE_TMPDIR/host NET_D=$BATS_FILE_TMPDIR/net.d
	export PLUGINS=$BATS_FILE_TMPDIR/plugins LEASES=$BATS_FILE_TMPDIR/leases
	export CNI_PATH=$PLUGINS:$DEBIAN_PLUGINS
	mkdir -p "$NET_D" "$PLUGINS"
	touch "$HOST"
	unshare --net="$HOST" true
	on_host ip link set lo up
	# a fresh bridge's IPv6 address is of use at once
	on_host sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad'
}

teardown_file() {
	umount "$HOST"
	file_teardown
}

setup() {
	rm -rf "${NET_D:?}"/* "${PLUGINS:?}"/*
}

on_host() {
	nsenter --net="$HOST" "$@"
}

net() {
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	tool "$expected" nsenter --net="$HOST" ctr-net "$@"
}

network() {
	local name=$1 plugins

	shift
	plugins=$(printf '%s,' "$@")
	printf '{"cniVersion": "%s", "name": "%s", "plugins": [%s]}' "${CNI_VERSION:-1.0.0}" \
		"$name" "${plugins%,}" >"$NET_D/$name.conflist"
}

plugin() {
	{
		printf '#!/bin/sh\nseen=%q\n' "$BATS_TEST_TMPDIR"
		cat
	} >"$PLUGINS/$1"
	chmod +x "$PLUGINS/$1"
}

# A bridge network on 10.90.N.0/24, without or with further plugins.
bridge_network() {
	local name=$1 number=$2

	shift 2
	network "$name" '{"type": "bridge", "bridge": "br'"$number"'", "isGateway": true,
		"ipMasq": true, "ipam": {"type": "host-local", "dataDir": "'"$LEASES"'",
		"ranges": [[{"subnet": "10.90.'"$number"'.0/24"}]],
		"routes": [{"dst": "0.0.0.0/0"}]}}' "$@"
}

export PORTMAP='{"type": "portmap", "capabilities": {"portMappings": true}}'
# A plugin that changes nothing, for what is not about the network itself.
export NOTHING='{"type": "nothing"}'

plugin_nothing() {
	plugin nothing <<-'END'
		cat >/dev/null
		[ "$CNI_COMMAND" = DEL ] || echo '{"cniVersion": "1.0.0", "ips": [{"address": "10.1.2.3/24"}]}'
	END
}

lacks() {
	local found

	found=$("${@:2}" 2>/dev/null | grep -E -- "$1") || return 0
	printf 'there is: %s\n' "$found"
	return 1
}

# What plugins make for one container. Bridges and the heads of chains stay by their design.
traces() {
	on_host ip -o link show type veth
	on_host ip -o link show type macvlan
	on_host iptables-save | grep -E -- '-A CNI-(DN|[0-9a-f]{10})|CNI-FORWARD .*10\.' || true
	find "$LEASES" -type f -name '[0-9]*.*' 2>/dev/null || true
	find "$OCID_ROOT/networks" "$OCID_RUNROOT/netns" -mindepth 1 2>/dev/null || true
}

# Take down whatever a test, also one that failed, has connected or pinned.
take_down() {
	local file name

	for file in "$OCID_RUNROOT"/*ns/* "$OCID_ROOT"/networks/*.json; do
		[ -e "$file" ] || continue
		name=$(basename "$file" .json)
		on_host ctr-net del --id "$name" || true
		on_host ctr-net ns rm --force "$name" || true
	done
}

nothing_left() {
	local left tries

	# the kernel takes down a namespace's interfaces some time after its end
	for ((tries = 0; tries < 30; tries++)); do
		left=$(traces)
		[ -z "$left" ] && return 0
		sleep 0.1
	done
	printf 'left behind:\n%s\n' "$left"
	return 1
}

# serve NETNS PORT TEXT: one web server in a pinned namespace; its process id goes to $server
serve() {
	local dir=$BATS_TEST_TMPDIR/www.$1

	mkdir -p "$dir"
	echo "$3" >"$dir/index.html"
	nsenter --net="$OCID_RUNROOT/netns/$1" /bin/busybox httpd -f -p "$2" -h "$dir" 3>&- &
	server=$!
	wait_for 5 nsenter --net="$OCID_RUNROOT/netns/$1" curl -fs "http://127.0.0.1:$2/"
}

stop_server() {
	kill "$server"
	wait "$server" 2>/dev/null || true
}

fetch() {
	on_host curl -fsS --max-time 5 "$1"
}
