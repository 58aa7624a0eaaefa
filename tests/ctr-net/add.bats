#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

teardown() {
	[ -z "${server-}" ] || stop_server
	umount "$BATS_TEST_TMPDIR/theirs" 2>/dev/null || true
	take_down
	nothing_left
}

# ---- the stand-alone form, with Debian's plugins and real traffic ----

@test "add: a bridge network carries traffic through a published port" {
	bridge_network web 1 "$PORTMAP"
	net ns create one
	net add web one --conf-dir "$NET_D" --publish 8080:80 --publish 127.0.0.1:8081:80/tcp
	jq -e --arg path "$OCID_RUNROOT/netns/one" '
		.cniVersion == "1.0.0" and .ips[0].address == "10.90.1.2/24" and
		(.interfaces | any(.name == "eth0" and .sandbox == $path))' <<<"$output"
	serve one 80 "from one"
	[ "$(fetch http://127.0.0.1:8080/)" = "from one" ]
	[ "$(fetch http://127.0.0.1:8081/)" = "from one" ]
	[ "$(fetch http://10.90.1.1:8080/)" = "from one" ]
	[ "$(fetch http://10.90.1.2/)" = "from one" ]
	run ! fetch http://10.90.1.1:8081/
}

@test "add: two containers of a network reach each other, and outside through the gateway" {
	bridge_network web 2 "$PORTMAP"
	net ns create one
	net ns create two
	net add web one --conf-dir "$NET_D"
	net add web two --conf-dir "$NET_D"
	serve one 80 "from one"
	net ns exec two curl -fsS --max-time 5 http://10.90.2.2/
	[ "$output" = "from one" ]
	net ns exec two /bin/busybox ping -c 1 -W 2 10.90.2.1
}

@test "add: what the plugins say agrees with what the kernel says" {
	bridge_network web 3
	net ns create one
	net add web one --conf-dir "$NET_D"
	said=$output
	net show one
	[ "$(jq -c '[.ips[].address]' <<<"$said")" = \
		"$(jq -c '[.interfaces[] | select(.name == "eth0") | .addresses[] | select(startswith("fe80") | not)]' <<<"$output")" ]
	[ "$(jq -r '.interfaces[] | select(.name == "eth0") | .mac' <<<"$said")" = \
		"$(jq -r '.interfaces[] | select(.name == "eth0") | .mac' <<<"$output")" ]
	jq -e '.routes | any(.dst == "0.0.0.0/0" and .gw == "10.90.3.1" and .dev == "eth0")' <<<"$output"
}

@test "add: a published UDP port" {
	bridge_network web 4 "$PORTMAP"
	net ns create one
	net add web one --conf-dir "$NET_D" --publish 5353:53/udp
	nsenter --net="$OCID_RUNROOT/netns/one" /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 53)); s.settimeout(10)
data, peer = s.recvfrom(100); s.sendto(data.upper(), peer)' 3>&- &
	wait_for 5 bash -c "nsenter --net=$OCID_RUNROOT/netns/one ss -lun | grep -q ':53 '"
	run on_host /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
s.sendto(b"hello", ("10.90.4.1", 5353)); print(s.recv(100).decode())'
	[ "$output" = HELLO ]
	wait
}

@test "add: ptp, macvlan, loopback, tuning and firewall plugins" {
	local ipam='"ipam": {"type": "host-local", "dataDir": "'$LEASES'", "subnet": "10.90.5.0/24"}'

	network ptp '{"type": "ptp", "ipMasq": true, '"$ipam"'}' '{"type": "firewall"}' \
		'{"type": "tuning", "capabilities": {"mac": true}}' '{"type": "loopback"}'
	net ns create one
	net add ptp one --conf-dir "$NET_D" --cap 'mac="02:11:22:33:44:55"'
	net show one
	jq -e '.interfaces | any(.name == "eth0" and .mac == "02:11:22:33:44:55" and
		.addresses[0] == "10.90.5.2/24")' <<<"$output"
	on_host iptables-save | grep -q 'CNI-FORWARD .*10.90.5.2'
	net del ptp one

	on_host ip link add up0 type veth peer name up1
	network mac '{"type": "macvlan", "master": "up0", '"$ipam"'}'
	net add mac one --conf-dir "$NET_D" --ifname net7
	net show one
	jq -e '.interfaces | any(.name == "net7" and .kind == "macvlan")' <<<"$output"
	net del mac one --ifname net7
	on_host ip link delete up0
}

@test "add: IPv6 addresses" {
	network six '{"type": "bridge", "bridge": "br-six", "isGateway": true, "ipam": {
		"type": "host-local", "dataDir": "'"$LEASES"'",
		"ranges": [[{"subnet": "10.90.6.0/24"}], [{"subnet": "fd00:6::/64"}]]}}' "$PORTMAP"
	net ns create one
	net add six one --conf-dir "$NET_D" --publish '[::1]:8086:80' --publish 8087:80
	[ "$(jq -c '[.ips[].address]' <<<"$output")" = '["10.90.6.2/24","fd00:6::2/64"]' ]
	serve one 80 six
	[ "$(fetch 'http://[fd00:6::2]/')" = six ]
	[ "$(fetch 'http://[fd00:6::1]:8087/')" = six ]
}

@test "add: a namespace that some other tool made, by its path" {
	bridge_network web 7
	touch "$BATS_TEST_TMPDIR/theirs"
	unshare --net="$BATS_TEST_TMPDIR/theirs" true
	net add web "$BATS_TEST_TMPDIR/theirs" --conf-dir "$NET_D"
	net 4 add web "$BATS_TEST_TMPDIR/theirs" --conf-dir "$NET_D"
	error_is exists "already connected to network web"
	net del web "$BATS_TEST_TMPDIR/theirs"
	nothing_left
}

@test "add: several networks under several interface names" {
	bridge_network web 8
	bridge_network db 9
	net ns create one
	net add web one --conf-dir "$NET_D"
	net add db one --conf-dir "$NET_D" --ifname back0
	net show one
	[ "$(jq -r '.interfaces[].name' <<<"$output" | paste -sd' ')" = "lo eth0 back0" ]
	net del db one --ifname back0
	net show one
	[ "$(jq -r '.interfaces[].name' <<<"$output" | paste -sd' ')" = "lo eth0" ]
}

@test "add: all addresses of a range, then the plugin's own words" {
	network tiny '{"type": "bridge", "bridge": "br-tiny", "ipam": {"type": "host-local",
		"dataDir": "'"$LEASES"'", "subnet": "10.90.10.0/29"}}'
	for n in {1..5}; do
		net ns create "c$n"
		net add tiny "c$n" --conf-dir "$NET_D"
	done
	net ns create c6
	net 1 add tiny c6 --conf-dir "$NET_D"
	error_is failed "no IP addresses available in range set"
	[ ! -e "$OCID_ROOT/networks/c6.json" ]
	# one that leaves makes room
	net del tiny c3
	net add tiny c6 --conf-dir "$NET_D"
}

# ---- the document form ----

document() {
	jq -cn --arg id "$1" --arg bundle "$BATS_TEST_TMPDIR/$1" \
		'{rootfs: {id: $id, bundle: $bundle}, image: {name: "kept"}, other: [1, 2.5, null]}'
	mkdir -p "$BATS_TEST_TMPDIR/$1"
}

@test "add: with a document makes the namespace and adds \"network\", keeping the rest" {
	bridge_network web 12 "$PORTMAP"
	document abc >"$BATS_TEST_TMPDIR/in"
	net add --conf-dir "$NET_D" --publish 8088:80 <"$BATS_TEST_TMPDIR/in"
	[ "$(jq -c 'del(.network)' <<<"$output")" = "$(jq -cS . "$BATS_TEST_TMPDIR/in")" ]
	jq -e --arg path "$OCID_RUNROOT/netns/abc" '.network | .netns == $path and
		(.attachments | length) == 1 and (.attachments[0] | .network == "web" and
		 .ifname == "eth0" and .result.ips[0].address == "10.90.12.2/24")' <<<"$output"
	[ "$(cat "$BATS_TEST_TMPDIR/abc/document.json")" = "$output" ]
	serve abc 80 hello
	[ "$(fetch http://127.0.0.1:8088/)" = hello ]
	# the loopback of the namespace is up
	net ns exec abc curl -fsS --max-time 5 http://127.0.0.1/
	[ "$output" = hello ]
}

@test "add: a second time for a container that is connected is exit 4" {
	bridge_network web 13
	document abc >"$BATS_TEST_TMPDIR/in"
	net add --conf-dir "$NET_D" <"$BATS_TEST_TMPDIR/in"
	echo "$output" >"$BATS_TEST_TMPDIR/out"
	net 4 add --conf-dir "$NET_D" <"$BATS_TEST_TMPDIR/in"
	error_is exists "abc is connected already"
	net 4 add --conf-dir "$NET_D" <"$BATS_TEST_TMPDIR/out"
	error_is exists "connected already"
	[ "$(nsenter --net="$OCID_RUNROOT/netns/abc" ip -o link show type veth | wc -l)" -eq 1 ]
}

@test "add: the first file is the default network; --network chooses, in order" {
	bridge_network b-second 14
	bridge_network a-first 15
	document abc >"$BATS_TEST_TMPDIR/in"
	net add --conf-dir "$NET_D" <"$BATS_TEST_TMPDIR/in"
	[ "$(jq -r '.network.attachments[].network' <<<"$output")" = a-first ]
	# a further network, for the document as it is now
	echo "$output" >"$BATS_TEST_TMPDIR/in"
	net add --conf-dir "$NET_D" --network b-second <"$BATS_TEST_TMPDIR/in"
	[ "$(jq -c '[.network.attachments[] | [.network, .ifname]]' <<<"$output")" = \
		'[["a-first","eth0"],["b-second","eth1"]]' ]
	net del --id abc

	document abc >"$BATS_TEST_TMPDIR/in"
	net add --conf-dir "$NET_D" --network b-second --network a-first <"$BATS_TEST_TMPDIR/in"
	[ "$(jq -c '[.network.attachments[] | [.network, .ifname]]' <<<"$output")" = \
		'[["b-second","eth0"],["a-first","eth1"]]' ]
}

@test "add: --network none gives loopback alone, and needs no configuration" {
	document abc >"$BATS_TEST_TMPDIR/in"
	net add --conf-dir "$NET_D" --network none <"$BATS_TEST_TMPDIR/in"
	[ "$(jq -c .network.attachments <<<"$output")" = '[]' ]
	net show abc
	[ "$(jq -r '.interfaces[].name' <<<"$output")" = lo ]
	net 4 add --conf-dir "$NET_D" --network none <"$BATS_TEST_TMPDIR/in"
	error_is exists
}

@test "add: without any configuration says where it looked, and leaves nothing" {
	document abc >"$BATS_TEST_TMPDIR/in"
	net 3 add --conf-dir "$NET_D" <"$BATS_TEST_TMPDIR/in"
	error_is not-found "no network is configured in $NET_D"
	net 3 add --conf-dir /no/such/dir --conf-dir "$NET_D" <"$BATS_TEST_TMPDIR/in"
	error_is not-found "/no/such/dir, $NET_D"
	net 3 add --conf-dir "$NET_D" --network missing <"$BATS_TEST_TMPDIR/in"
	error_is not-found 'no network "missing"'
	nothing_left
}

@test "add: a namespace that the document names, or that ns create made, is used and stays" {
	bridge_network web 16
	net ns create pod
	echo '{"network": {"netns": "'"$OCID_RUNROOT"'/netns/pod"}, "rootfs": {"id": "abc"}}' >"$BATS_TEST_TMPDIR/in"
	net add --conf-dir "$NET_D" <"$BATS_TEST_TMPDIR/in"
	jq -e '.network.netns | endswith("/netns/pod")' <<<"$output"
	echo "$output" >"$BATS_TEST_TMPDIR/in"
	net del <"$BATS_TEST_TMPDIR/in"
	net show pod

	echo '{}' >"$BATS_TEST_TMPDIR/in"
	net add --conf-dir "$NET_D" --id pod <"$BATS_TEST_TMPDIR/in"
	jq -e '.network.attachments[0].result.ips[0].address' <<<"$output"
	net del --id pod
	net show pod
}

@test "add: a document without an id, that is none, or that is empty" {
	bridge_network web 17
	net 2 add --conf-dir "$NET_D" <<<'{}'
	error_is usage "rootfs.id"
	net 2 add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "../../etc"}}'
	error_is usage "../../etc"
	net 7 add --conf-dir "$NET_D" <<<'[1'
	error_is integrity
	net 7 add --conf-dir "$NET_D" <<<'[]'
	error_is integrity
	net 1 add --conf-dir "$NET_D" </dev/null
	error_is failed
	net 7 add --conf-dir "$NET_D" --network web <<<'{"rootfs": {"id": "abc"}, "network": {"attachments": 1}}'
	error_is integrity
	net 7 add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc"}, "network": "web"}'
	error_is integrity "network is no object"
	net 7 add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc"}, "network": {"netns": 5}}'
	error_is integrity "network.netns is no text"
	net 3 add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc"}, "network": {"netns": "/no/such"}}'
	error_is not-found
	nothing_left
}

@test "add: the document's container by another id, which del by the document would not find" {
	bridge_network web 37
	net 2 add --conf-dir "$NET_D" --id other <<<'{"rootfs": {"id": "abc"}}'
	error_is usage '--id other: the document is of "abc"'
	net add --conf-dir "$NET_D" --id abc <<<'{"rootfs": {"id": "abc"}}'
	net del <<<"$output"
	nothing_left
}

@test "add: a further network takes the first interface that the document does not list" {
	plugin_nothing
	network web "$NOTHING"
	net add --conf-dir "$NET_D" --network web --ifname eth1 <<<'{"rootfs": {"id": "abc"}}'
	net add --conf-dir "$NET_D" --network web --network web <<<"$output"
	[ "$(jq -c '[.network.attachments[].ifname]' <<<"$output")" = '["eth1","eth0","eth2"]' ]
	net del <<<"$output"
}

# ---- options ----

@test "add: ports that no plugin can publish are exit 10, and nothing is made" {
	bridge_network web 18
	net ns create one
	net 10 add web one --conf-dir "$NET_D" --publish 8080:80
	error_is unsupported "cannot publish ports"
	[[ $stderr == *portmap* ]]
	net 10 add --conf-dir "$NET_D" --network none --publish 8080:80 <<<'{"rootfs": {"id": "abc"}}'
	error_is unsupported
	[ "$(ls "$OCID_RUNROOT/netns")" = one ]
}

@test "add: a host port that is published already is in use" {
	bridge_network web 25 "$PORTMAP"
	for name in one two three; do net ns create "$name"; done
	net add web one --conf-dir "$NET_D" --publish 8080:80 --publish 127.0.0.1:53:53/udp
	net 5 add web two --conf-dir "$NET_D" --publish 8081:80 --publish 8080:81
	error_is in-use "port 8080/tcp of the host is published by container one"
	net 5 add web two --conf-dir "$NET_D" --publish 10.90.25.1:8080:80
	net 5 add web two --conf-dir "$NET_D" --publish 53:53/udp
	[ ! -e "$OCID_ROOT/networks/two.json" ]
	net 5 add web one --conf-dir "$NET_D" --ifname eth1 --publish 8080:81
	error_is in-use "published by container one"
	# another protocol, address or port is free, and so is a port whose holder is gone
	net add web two --conf-dir "$NET_D" --publish 8080:80/udp --publish 10.90.25.1:53:53/udp
	net del web one
	net add web three --conf-dir "$NET_D" --publish 8080:80
	net del web three
	net ns rm --force two
	on_host iptables -t nat -F
	on_host iptables -t nat -X
	net add web three --conf-dir "$NET_D" --publish 8080:80/udp
}

@test "add: of many at once that publish one port exactly one wins" {
	plugin_nothing
	network nothing "$NOTHING" "${PORTMAP/portmap/nothing}"
	for n in {1..8}; do ctr-net ns create "c$n" >/dev/null; done
	for n in {1..8}; do
		ctr-net add nothing "c$n" --conf-dir "$NET_D" --publish 8080:80 \
			>"$BATS_TEST_TMPDIR/$n" 2>/dev/null 3>&- &
	done
	wait
	[ "$(cat "$BATS_TEST_TMPDIR"/[1-8] | wc -l)" -eq 1 ]
}

@test "add: malformed options are exit 2" {
	bridge_network web 19 "$PORTMAP"
	net ns create one
	for bad in 80 :80 80: 0:80 80:0 65536:80 80:65536 80:80/icmp 80:80/ a:b 1.2.3:80:80 \
		::1:80:80 "[1.2.3.4]:80:80" "8080 :80" -1:80 +80:80 80:80:80:80 080000:80 ""; do
		net 2 add web one --conf-dir "$NET_D" "--publish=$bad"
		error_is usage "is not a published port"
	done
	net 2 add web one --conf-dir "$NET_D" --publish 80:80 --publish 127.0.0.1:80:81
	error_is usage twice
	for bad in "" a/b .. "a b" sixteen-letters-x a:b; do
		net 2 add web one --conf-dir "$NET_D" "--ifname=$bad"
		error_is usage "name of an interface"
	done
	for bad in K =V "K=a;b" "K=a=b" "K K=v"; do
		net 2 add web one --conf-dir "$NET_D" --arg "$bad"
		error_is usage "--arg"
	done
	for bad in mac ='""' 'mac=oops' 'mac=1,2' 'mac=]['; do
		net 2 add web one --conf-dir "$NET_D" --cap "$bad"
		error_is usage
	done
	net 2 add web one --conf-dir "$NET_D" --publish 80:80 --cap 'portMappings=[]'
	error_is usage exclude
	net 2 add web one --timeout 0
	net 2 add web one --id ../x
	net 2 add web
	error_is usage NETNS
	net 2 add web one --network web
	error_is usage --network
	net 2 add --conf-dir "$NET_D" --network web --network web --ifname x <<<'{"rootfs": {"id": "abc"}}'
	error_is usage "exactly one network"
}

@test "add: an interface that is there already is none of ours to undo" {
	bridge_network web 14
	net ns create one
	nsenter --net="$OCID_RUNROOT/netns/one" ip link add eth0 type veth peer name far
	net 1 add web one --conf-dir "$NET_D"
	nsenter --net="$OCID_RUNROOT/netns/one" ip link delete eth0
	[ -z "$(find "$LEASES" -name '10.90.14.*')" ]
	net add web one --conf-dir "$NET_D"
	net 1 add web one --id other --conf-dir "$NET_D"
	net check web one
	[ ! -e "$OCID_ROOT/networks/other.json" ]
}

@test "add: the host's own namespace is refused" {
	bridge_network web 20
	net 2 add web /proc/self/ns/net --conf-dir "$NET_D"
	error_is usage "host's own"
}

@test "add: networks and namespaces that are not there" {
	bridge_network web 21
	net ns create one
	net 3 add a/b one --conf-dir "$NET_D"
	error_is not-found 'no network "a/b"'
	net 3 add web two --conf-dir "$NET_D"
	error_is not-found netns/two
	net 2 add web "a b" --conf-dir "$NET_D"
	error_is usage
	net 2 add web /etc/hostname --conf-dir "$NET_D"
	error_is usage "not a network namespace"
}

@test "add: one that was killed between two networks is begun anew" {
	plugin_nothing
	plugin slow <<-'END'
		cat >/dev/null
		[ "$CNI_COMMAND" = DEL ] || [ -e "$seen/begun" ] || { touch "$seen/begun"; exec sleep 60; }
		[ "$CNI_COMMAND" = DEL ] || echo '{"cniVersion": "1.0.0"}'
	END
	network first "$NOTHING"
	network second '{"type": "slow"}'
	document abc >"$BATS_TEST_TMPDIR/in"
	nsenter --net="$HOST" ctr-net add --conf-dir "$NET_D" --network first --network second \
		<"$BATS_TEST_TMPDIR/in" >/dev/null 2>&1 3>&- &
	wait_for 5 test -e "$BATS_TEST_TMPDIR/begun"
	kill -KILL "$!"
	wait "$!" || true
	net add --conf-dir "$NET_D" --network first --network second <"$BATS_TEST_TMPDIR/in"
	[ "$(jq '.network.attachments | length' <<<"$output")" -eq 2 ]
}

@test "add: the namespace that it makes anew after a reboot goes where it fails" {
	plugin_nothing
	network web "$NOTHING"
	document abc >"$BATS_TEST_TMPDIR/in"
	net add --conf-dir "$NET_D" <"$BATS_TEST_TMPDIR/in"
	net ns rm --force abc
	# shellcheck disable=SC2016 # for the plugin
	plugin nothing <<<'[ "$CNI_COMMAND" = DEL ]'
	net 1 add --conf-dir "$NET_D" <"$BATS_TEST_TMPDIR/in"
	nothing_left
}

@test "add: a result that nobody reads is taken back" {
	plugin_nothing
	network web "$NOTHING"
	document abc >"$BATS_TEST_TMPDIR/in"
	net ns create one
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec 7<>"$BATS_TEST_TMPDIR/pipe" 8>"$BATS_TEST_TMPDIR/pipe" 7>&-
	# shellcheck disable=SC2016 # expanded by the inner shell
	for arguments in 'add web one' add; do
		tool 141 bash -c 'nsenter --net="$HOST" ctr-net $1 --conf-dir "$NET_D" <"$0" >&8' \
			"$BATS_TEST_TMPDIR/in" "$arguments"
		[ -z "$stderr" ]
	done
	exec 8>&-
	[ "$(jq -c keys "$BATS_TEST_TMPDIR/abc/document.json")" = '["image","other","rootfs"]' ]
	net ns rm one
	nothing_left
}

@test "add: a result that cannot be written is taken back" {
	bridge_network web 22 "$PORTMAP"
	net ns create one
	# shellcheck disable=SC2016 # expanded by the inner shell
	tool 9 bash -c 'nsenter --net="$HOST" ctr-net add web one --conf-dir "$NET_D" >/dev/full'
	error_is limit
	# shellcheck disable=SC2016
	tool 9 bash -c 'echo "{\"rootfs\": {\"id\": \"abc\"}}" | nsenter --net="$HOST" ctr-net add --conf-dir "$NET_D" >/dev/full'
	error_is limit
	net ns rm one
	nothing_left
	# out of the bundle, too
	mkdir -p "$BATS_TEST_TMPDIR/bundle"
	# shellcheck disable=SC2016
	tool 9 bash -c 'echo "{\"rootfs\": {\"id\": \"abc\", \"bundle\": \"$0\"}}" |
		nsenter --net="$HOST" ctr-net add --conf-dir "$NET_D" >/dev/full' "$BATS_TEST_TMPDIR/bundle"
	[ "$(jq -c keys "$BATS_TEST_TMPDIR/bundle/document.json")" = '["rootfs"]' ]
	nothing_left
}

@test "add: a bundle that cannot be written undoes everything" {
	bridge_network web 23
	net 3 add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc", "bundle": "/no/such/bundle"}}'
	error_is not-found "/no/such/bundle"
	nothing_left
	# the same where it first has to take down what a killed add left
	net ns create abc
	net add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc"}}'
	sed -i 2,3d "$OCID_ROOT/networks/abc.json"
	net 3 add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc", "bundle": "/no/such/bundle"}}'
	net show abc
	[ "$(jq -r '.interfaces[].name' <<<"$output")" = lo ]
	net ns rm abc
	nothing_left
}

@test "add: the document fits its schema" {
	bridge_network web 24 "$PORTMAP"
	net add --conf-dir "$NET_D" --publish 8080:80 \
		<<<'{"rootfs": {"id": "abc", "path": "/x/rootfs", "bundle": "'"$BATS_TEST_TMPDIR"'", "layers": []}}'
	/usr/bin/python3 -c '
import json, sys, jsonschema
jsonschema.validate(json.loads(sys.argv[1]), json.load(open(sys.argv[2])))' \
		"$output" "$TESTS/../man/document.schema.json"
}

@test "add: a read-only root is an error of one line, and nothing is made" {
	bridge_network web 26
	mkdir "$BATS_TEST_TMPDIR/ro"
	mount -t tmpfs none "$BATS_TEST_TMPDIR/ro"
	net add --root "$BATS_TEST_TMPDIR/ro" --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc"}}'
	net del --root "$BATS_TEST_TMPDIR/ro" --id abc
	mount -o remount,ro "$BATS_TEST_TMPDIR/ro"
	run --separate-stderr on_host ctr-net add --root "$BATS_TEST_TMPDIR/ro" --conf-dir "$NET_D" \
		<<<'{"rootfs": {"id": "abc"}}'
	umount "$BATS_TEST_TMPDIR/ro"
	error_is denied "Read-only file system"
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	nothing_left
}
