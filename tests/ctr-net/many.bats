#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Many at once, and many that are killed.

load common

teardown() {
	take_down
	nothing_left
}

@test "add: two hundred at once on one bridge get two hundred addresses" {
	network web '{"type": "bridge", "bridge": "br80", "isGateway": true, "ipam": {
		"type": "host-local", "dataDir": "'"$LEASES"'", "subnet": "10.90.80.0/24"}}'
	for n in {1..200}; do
		ctr-net ns create "c$n" >/dev/null
	done
	for n in {1..200}; do
		on_host ctr-net add web "c$n" --conf-dir "$NET_D" >"$BATS_TEST_TMPDIR/$n" 3>&- &
	done
	wait
	[ "$(cat "$BATS_TEST_TMPDIR"/* | jq -r '.ips[0].address' | sort -u | wc -l)" -eq 200 ]
	[ "$(on_host ip -o link show type veth | wc -l)" -eq 200 ]
	on_host /bin/busybox ping -q -c 1 -W 2 "$(jq -r '.ips[0].address[:-3]' "$BATS_TEST_TMPDIR/200")"
	# and leave all at once
	for n in {1..200}; do
		on_host ctr-net del web "c$n" 3>&- &
	done
	wait
	for n in {1..200}; do
		ctr-net ns rm "c$n"
	done
	nothing_left
}

# Plugins that take no time: one leases an address by a file, one makes a veth pair. What they start
# in ADD replaces them, so that it ends with a ctr-net that is killed, as in a real plugin.
quick_network() {
	plugin lease <<-END
		file=$BATS_TEST_TMPDIR/leases/\$CNI_CONTAINERID
		case \$CNI_COMMAND in
		ADD) [ ! -e "\$file" ] && : >"\$file" && echo '{"cniVersion": "1.0.0"}' ;;
		DEL) rm -f "\$file" ;;
		esac
	END
	plugin link <<-'END'
		case $CNI_COMMAND in
		ADD)
			echo '{"cniVersion": "1.0.0"}'
			exec ip link add "q$CNI_CONTAINERID" type veth peer name eth0 netns "$CNI_NETNS"
			;;
		DEL) ip link del "q$CNI_CONTAINERID" 2>/dev/null || : ;;
		esac
	END
	mkdir -p "$BATS_TEST_TMPDIR/leases"
	network quick '{"type": "lease"}' '{"type": "link"}'
}

# One of ten containers, whose directory comes and goes, is added, taken off, or all are collected.
something() {
	local id=$((RANDOM % 10))

	case $((RANDOM % 4)) in
	0) exec ctr-net del --id "$id" ;;
	1) exec ctr-net gc --conf-dir "$NET_D" ;;
	*)
		mkdir -p "$BATS_TEST_TMPDIR/bundle$id"
		exec ctr-net add --conf-dir "$NET_D" \
			<<<'{"rootfs": {"id": "'"$id"'", "bundle": "'"$BATS_TEST_TMPDIR/bundle$id"'"}}'
		;;
	esac
}

@test "gc: ctr-net killed two hundred times at any moment, then one gc to nothing" {
	local n pid status killed=0 began=$EPOCHREALTIME took

	quick_network
	export -f something
	net add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "warm"}}'
	net del --id warm
	took=$(((${EPOCHREALTIME/./} - ${began/./}) / 1000)) # milliseconds
	for ((n = 0; killed < 200 && n < 1000; n++)); do
		nsenter --net="$HOST" bash -c "RANDOM=$((n * 7919)); something" >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "$(printf '0.%03d' $((RANDOM % (took > 30 ? 30 : took))))"
		kill -KILL "$pid" 2>/dev/null || true
		status=0
		wait "$pid" 2>/dev/null || status=$?
		[ "$status" -ne 137 ] || killed=$((killed + 1))
		[ $((n % 3)) -ne 0 ] || rm -rf "$BATS_TEST_TMPDIR/bundle$((RANDOM % 10))"
	done 2>/dev/null
	echo "killed $killed of $n"
	[ "$killed" -eq 200 ]
	# what lives still works
	net gc --conf-dir "$NET_D"
	rm -rf "$BATS_TEST_TMPDIR"/bundle*
	net gc --conf-dir "$NET_D"
	[ -z "$(find "$BATS_TEST_TMPDIR/leases" "$OCID_RUNROOT/netns" "$OCID_ROOT/networks" -mindepth 1)" ]
	[ -z "$(find "$OCID_RUNROOT/locks" -name 'network-*')" ]
	nothing_left
}
