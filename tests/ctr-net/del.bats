#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load common

teardown() {
	take_down
	nothing_left
}

@test "del: everything that add made is gone" {
	bridge_network web 1 "$PORTMAP" '{"type": "firewall"}'
	net ns create one
	before=$(on_host iptables-save | grep -c CNI || true)
	net add web one --conf-dir "$NET_D" --publish 8080:80
	[ "$(on_host iptables-save | grep -c CNI)" -gt "$before" ]
	net del web one
	[ -z "$output" ]
	net show one
	[ "$(jq -r '.interfaces[].name' <<<"$output")" = lo ]
	net ns rm one
	nothing_left
}

@test "del: a document loses \"network\", the namespace goes, the rest stays" {
	bridge_network web 2
	mkdir "$BATS_TEST_TMPDIR/bundle"
	echo '{"rootfs": {"id": "abc", "bundle": "'"$BATS_TEST_TMPDIR"'/bundle"}, "kept": [1]}' >"$BATS_TEST_TMPDIR/in"
	net add --conf-dir "$NET_D" <"$BATS_TEST_TMPDIR/in"
	echo "$output" >"$BATS_TEST_TMPDIR/added"
	net del <"$BATS_TEST_TMPDIR/added"
	[ "$output" = "$(jq -cS . "$BATS_TEST_TMPDIR/in")" ]
	[ "$(cat "$BATS_TEST_TMPDIR/bundle/document.json")" = "$output" ]
	nothing_left
	# again is no error
	net del <"$BATS_TEST_TMPDIR/added"
	# and afterwards it can be connected again
	net add --conf-dir "$NET_D" <"$BATS_TEST_TMPDIR/in"
	net del --id abc
}

@test "del: by id alone, and what is not there is no error" {
	bridge_network web 3
	net add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc"}}'
	net del --id abc
	[ -z "$output" ]
	nothing_left
	net del --id abc
	net del --id never-was
	net del web never-was --conf-dir "$NET_D"
	[ -z "$(find "$OCID_RUNROOT/locks" -name 'network-*')" ]
}

@test "del: without a record it does what the configuration allows" {
	bridge_network web 4 "$PORTMAP"
	net ns create one
	net add web one --conf-dir "$NET_D"
	rm "$OCID_ROOT/networks/one.json"
	net del web one --conf-dir "$NET_D"
	net ns rm one
	nothing_left
	net 3 del missing one --conf-dir "$NET_D"
	error_is not-found 'no network "missing"'
}

@test "del: --force goes on without a record, too" {
	plugin fails <<-'END'
		cat >/dev/null
		echo '{"code": 100, "msg": "will not"}'
		exit 1
	END
	plugin works <<-'END'
		cat >/dev/null
		touch "$seen/worked"
	END
	network web '{"type": "works"}' '{"type": "fails"}'
	net ns create one
	net 1 del web one --conf-dir "$NET_D"
	error_is failed "will not"
	[ ! -e "$BATS_TEST_TMPDIR/worked" ]
	net del web one --conf-dir "$NET_D" --force
	[[ $stderr == *"warning: "*"will not"* ]]
	[ -e "$BATS_TEST_TMPDIR/worked" ]
	net ns rm one
	nothing_left
}

no_veth() {
	[ -z "$(on_host ip -o link show type veth)" ]
}

@test "del: after a reboot the leases are released and nothing stands in the way" {
	bridge_network web 5 "$PORTMAP"
	net add --conf-dir "$NET_D" --publish 8080:80 <<<'{"rootfs": {"id": "abc"}}'
	# what a reboot takes away: the namespace, its interfaces, all of RUNROOT, firewall rules
	net ns rm --force abc
	wait_for 5 no_veth
	rm -rf "$OCID_RUNROOT"
	on_host iptables -t nat -F
	on_host iptables -t nat -X
	[ -e "$LEASES/web/10.90.5.2" ]
	net del --id abc
	[ ! -e "$LEASES/web/10.90.5.2" ]
	nothing_left

	# the same, but add comes first
	net add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc"}}'
	net ns rm --force abc
	on_host iptables -t nat -F
	on_host iptables -t nat -X
	net add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc"}}'
	[ "$(find "$LEASES/web" -name '10.*' | wc -l)" -eq 1 ]
	net del --id abc
}

@test "del: a namespace made anew under its name is another one" {
	bridge_network web 9
	for next in "add web one --conf-dir $NET_D" gc; do
		net ns create one
		net add web one --conf-dir "$NET_D"
		net ns rm --force one
		wait_for 5 no_veth
		net ns create one
		# shellcheck disable=SC2086 # words
		net $next
		[ "$(find "$LEASES/web" -name '10.*' | wc -l)" -eq "$([ "$next" = gc ] && echo 0 || echo 1)" ]
		net del web one --conf-dir "$NET_D"
		net ns rm one
	done
}

@test "del: leaves alone what the path leads to now, the host above all" {
	local theirs=$BATS_TEST_TMPDIR/theirs

	bridge_network web 11
	touch "$theirs"
	unshare --net="$theirs" true
	net add web "$theirs" --conf-dir "$NET_D"
	umount "$theirs"
	wait_for 5 no_veth
	on_host ip link add eth0 type veth peer name far
	mount --bind "$HOST" "$theirs"
	net gc
	[ ! -e "$LEASES/web/10.90.11.2" ]
	net 2 del web "$theirs" --conf-dir "$NET_D"
	error_is usage "the host's own network namespace"
	on_host ip link delete eth0
	umount "$theirs"
}

@test "del: a namespace has one path, whatever links lead to it" {
	local top=$BATS_TEST_TMPDIR/top

	bridge_network web 12
	mkdir "$top"
	ln -s top "$BATS_TEST_TMPDIR/link"
	touch "$top/ns"
	unshare --net="$top/ns" true
	net add web "$BATS_TEST_TMPDIR/link/ns" --conf-dir "$NET_D"
	cd "$top"
	net 4 add web ./ns --conf-dir "$NET_D"
	net del web "$top//ns"
	umount "$top/ns"
	nothing_left
	net ns create one
	net add web "$OCID_RUNROOT/netns/one" --conf-dir "$NET_D"
	net 4 add web one --conf-dir "$NET_D"
	net del web one
}

@test "del: plugins are where they were for add, from whatever directory" {
	plugin_nothing
	network nil "$NOTHING"
	net ns create one
	cd "$PLUGINS/.."
	net add nil one --conf-dir "$NET_D" --plugin-dir ./plugins
	cd /
	tool env -u CNI_PATH nsenter --net="$HOST" ctr-net del nil one
	nothing_left_of one
}

nothing_left_of() {
	[ ! -e "$OCID_ROOT/networks/$1.json" ]
	net ns rm "$1"
}

@test "del: with a document whose bundle has gone" {
	bridge_network web 13
	mkdir "$BATS_TEST_TMPDIR/bundle"
	net add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc", "bundle": "'"$BATS_TEST_TMPDIR"'/bundle"}}'
	echo "$output" >"$BATS_TEST_TMPDIR/added"
	rm -r "$BATS_TEST_TMPDIR/bundle"
	net del <"$BATS_TEST_TMPDIR/added"
	jq -e '.rootfs.id == "abc" and (has("network") | not)' <<<"$output"
}

@test "del: a record takes no more than can be read again" {
	plugin_nothing
	network nil "$NOTHING"
	net ns create one
	net add nil one --conf-dir "$NET_D"
	/usr/bin/python3 -c 'print("{\"bundle\": \"/" + "x" * (48 << 20) + "\"}")' \
		>>"$OCID_ROOT/networks/one.json"
	net 9 add nil one --ifname eth1 --conf-dir "$NET_D"
	error_is limit "would be larger than 48 MiB"
	net del nil one
	nothing_left_of one
}

@test "del: what has come and gone does not stay in the record" {
	local record=$OCID_ROOT/networks/one.json before lines

	plugin_nothing
	network nil "$NOTHING"
	net ns create one
	net add nil one --conf-dir "$NET_D"
	net add nil one --ifname eth1 --conf-dir "$NET_D"
	before=$(stat -c %s "$record")
	# as if that had been a thousand times
	lines=$(sed -n '/"attachment".*eth1/,$p' "$record" && echo '{"removed":"eth1"}')
	for _ in {1..1000}; do
		echo "$lines"
	done >>"$record"
	[ "$(stat -c %s "$record")" -gt 65536 ]
	# not as long as a plugin holds it
	/usr/bin/python3 -c 'import fcntl, os, sys, time
f = open(sys.argv[1]); fcntl.fcntl(f, 37, b"\0" * 32); open(sys.argv[2], "w"); time.sleep(60)' \
		"$record" "$BATS_TEST_TMPDIR/held" 3>&- &
	wait_for 5 test -e "$BATS_TEST_TMPDIR/held"
	net add nil one --ifname eth2 --conf-dir "$NET_D"
	[ "$(stat -c %s "$record")" -gt 65536 ]
	kill $!
	wait $! || true
	net add nil one --ifname eth1 --conf-dir "$NET_D"
	[ "$(stat -c %s "$record")" -le $((2 * before)) ]
	net 4 add nil one --ifname eth0 --conf-dir "$NET_D"
	net 4 add nil one --ifname eth2 --conf-dir "$NET_D"
	net del nil one --ifname eth1
	net del --id one
	nothing_left_of one
}

@test "del: a plain file where the namespace was does not stand in the way" {
	network web '{"type": "bridge", "bridge": "br6", "ipam": {"type": "host-local",
		"dataDir": "'"$LEASES"'", "subnet": "10.90.6.0/24"}}'
	net ns create one
	net add web one --conf-dir "$NET_D"
	net ns rm --force one
	touch "$OCID_RUNROOT/netns/one"
	net del web one
	rm "$OCID_RUNROOT/netns/one"
	nothing_left
}

@test "del: the wrong network for an interface is refused" {
	bridge_network web 7
	bridge_network db 8
	net ns create one
	net add web one --conf-dir "$NET_D"
	net 3 del db one --conf-dir "$NET_D"
	error_is not-found "belongs to network web, not db"
	net show one
	jq -e '.interfaces | any(.name == "eth0")' <<<"$output"
}

@test "del: several networks go in reverse order" {
	plugin ordered <<-'END'
		echo "$CNI_COMMAND $CNI_IFNAME" >>"$seen/order"
		[ "$CNI_COMMAND" = DEL ] || echo '{"cniVersion": "1.0.0"}'
	END
	network a '{"type": "ordered"}'
	network b '{"type": "ordered"}'
	network c '{"type": "ordered"}'
	net add --conf-dir "$NET_D" --network c --network a --network b <<<'{"rootfs": {"id": "abc"}}'
	net del --id abc
	[ "$(paste -sd, "$BATS_TEST_TMPDIR/order")" = "ADD eth0,ADD eth1,ADD eth2,DEL eth2,DEL eth1,DEL eth0" ]
}

@test "del: malformed calls are exit 2" {
	net 2 del web
	error_is usage "NETNS"
	net 2 del --id a/b
	error_is usage
	net 2 del web one --ifname a/b
	error_is usage
	net 2 del --id one --ifname eth0
	error_is usage
	net 2 del <<<'{}'
	error_is usage "rootfs.id"
}

@test "del: a record that is damaged is told of, not trusted" {
	mkdir -p "$OCID_ROOT/networks"
	for bad in '{' '[]' '{"attachment": 1}' '{"removed": 1}' '' $'{"netns": true}\n{'; do
		printf '%s\n' "$bad" >"$OCID_ROOT/networks/bad.json"
		net 7 del --id bad
		error_is integrity "networks/bad.json"
	done
	[ -e "$OCID_ROOT/networks/bad.json" ]
	rm "$OCID_ROOT/networks/bad.json"
}

@test "del: a record whose last line was torn by a power cut" {
	bridge_network web 13 "$PORTMAP"
	record=$OCID_ROOT/networks/abc.json
	net add --conf-dir "$NET_D" --publish 8080:80 <<<'{"rootfs": {"id": "abc"}}'
	size=$(stat -c %s "$record")
	for torn in '{"ifname": "eth0", "res' '' $'\x01\x02' "$(printf 'x%.0s' {1..5000})"; do
		printf '%s' "$torn" >>"$record"
		head -c 100 /dev/zero >>"$record"
		net 4 add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc"}}'
		[ "$(stat -c %s "$record")" -eq "$size" ]
	done
	# also where every line but the first ones is lost
	for keep in 2 3; do
		head -n "$keep" "$record" >"$record.new"
		mv "$record.new" "$record"
		net del --id abc
		nothing_left
		net add --conf-dir "$NET_D" --publish 8080:80 <<<'{"rootfs": {"id": "abc"}}'
	done
}

# killed_after SECONDS VERB ID ARG…: end that call so long after its start, if it has not ended.
killed_after() {
	local pid id=$3

	nsenter --net="$HOST" ctr-net "${@:2:1}" --conf-dir "$NET_D" "${@:4}" \
		<<<"{\"rootfs\": {\"id\": \"$id\"}}" >/dev/null 2>&1 3>&- &
	pid=$!
	sleep "$1"
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}

# each_in_turn COUNT COMMAND: with each number up to it, four at a time.
each_in_turn() {
	local n pid pids=()

	for ((n = 1; n <= $1; n++)); do
		"$2" "$n" &
		pids+=($!)
		[ $((n % 4)) -eq 0 ] || [ "$n" -eq "$1" ] || continue
		for pid in "${pids[@]}"; do wait "$pid"; done
		pids=()
	done
}

kill_add() {
	killed_after "0.$(printf '%03d' $(($1 * 3 + RANDOM % 3)))" add "abc$1" --publish "$((8000 + $1)):80"
	on_host timeout 60 ctr-net del --id "abc$1"
}

@test "del: cleans up after an add that was killed at any moment" {
	bridge_network web 9 "$PORTMAP" '{"type": "firewall"}'
	each_in_turn 40 kill_add
	nothing_left
}

@test "del: what a plugin of a killed add has started comes to its end first" {
	plugin slow <<-'END'
		case $CNI_COMMAND in
		ADD)
			# as a plugin does that has another one get an address
			sh -c 'touch "$1/begun"; sleep 0.5; touch "$1/lease"; sleep 0.2; touch "$1/made"' sh "$seen" >/dev/null 2>&1
			echo '{"cniVersion": "1.0.0"}' ;;
		DEL) rm -f "$seen/lease" ;;
		esac
	END
	network slow '{"type": "slow"}'
	# shellcheck disable=SC2016 # for the inner shells
	for command in 'ctr-net del --id abc' 'ctr-net gc --conf-dir "$NET_D"' \
		'ctr-net add --conf-dir "$NET_D" <"$1"'; do
		echo '{"rootfs": {"id": "abc"}}' >"$BATS_TEST_TMPDIR/in"
		nsenter --net="$HOST" ctr-net add --conf-dir "$NET_D" <"$BATS_TEST_TMPDIR/in" >/dev/null 2>&1 3>&- &
		pid=$!
		wait_for 5 test -e "$BATS_TEST_TMPDIR/begun"
		[ ! -e "$BATS_TEST_TMPDIR/made" ]
		kill -KILL "$pid"
		wait "$pid" || true
		tool nsenter --net="$HOST" bash -c "$command" bash "$BATS_TEST_TMPDIR/in"
		[ -e "$BATS_TEST_TMPDIR/made" ]
		net del --id abc
		[ ! -e "$BATS_TEST_TMPDIR/lease" ]
		nothing_left
		rm "$BATS_TEST_TMPDIR"/{begun,made}
	done
}

kill_and_add() {
	local error id=abc$1 publish=$((8000 + $1)):80

	killed_after "0.0$(($1 * 5 + RANDOM % 5 + 10))" add "$id" --publish "$publish"
	# the kill may have come too late
	error=$(on_host timeout 60 ctr-net add --conf-dir "$NET_D" --publish "$publish" \
		<<<"{\"rootfs\": {\"id\": \"$id\"}}" 2>&1 >/dev/null) || [[ $? -eq 4 && $error == *"already"* ]]
	[ "$(nsenter --net="$OCID_RUNROOT/netns/$id" ip -o -4 address show dev eth0 | wc -l)" -eq 1 ]
	on_host timeout 60 ctr-net del --id "$id"
}

@test "del: add works again right after an add that was killed" {
	bridge_network web 10 "$PORTMAP"
	# the plugin cannot bear a bridge that loses its address with its last port meanwhile
	on_host ip link add br10 address 02:00:00:00:00:0a type bridge
	each_in_turn 12 kill_and_add
	nothing_left
}

kill_del() {
	on_host timeout 60 ctr-net add --conf-dir "$NET_D" --publish "$((8000 + $1)):80" \
		<<<"{\"rootfs\": {\"id\": \"abc$1\"}}" >/dev/null
	killed_after "0.0$(($1 * 4 + RANDOM % 4 + 10))" del "abc$1"
	on_host timeout 60 ctr-net del --id "abc$1"
}

@test "del: can itself be killed and repeated" {
	bridge_network web 11 "$PORTMAP"
	each_in_turn 12 kill_del
	nothing_left
}

@test "del: a full disk while the record is written undoes the add" {
	bridge_network web 12
	mkdir -p "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=64k none "$BATS_TEST_TMPDIR/small"
	net --root "$BATS_TEST_TMPDIR/small" ns list
	dd if=/dev/zero of="$BATS_TEST_TMPDIR/small/fill" bs=4k 2>/dev/null || true
	net 9 --root "$BATS_TEST_TMPDIR/small" add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc"}}'
	error_is limit "No space left on device"
	# neither is a full disk in the way of del
	rm "$BATS_TEST_TMPDIR/small/fill"
	bridge_network other 14
	net --root "$BATS_TEST_TMPDIR/small" add --conf-dir "$NET_D" --network web --network other \
		<<<'{"rootfs": {"id": "abc"}}'
	dd if=/dev/zero of="$BATS_TEST_TMPDIR/small/fill" bs=1 2>/dev/null || true
	net --root "$BATS_TEST_TMPDIR/small" del --id abc
	[ -z "$(ls "$BATS_TEST_TMPDIR/small/networks")" ]
	umount "$BATS_TEST_TMPDIR/small"
	nothing_left
}

@test "del: --force forgets what its plugins cannot take down, and releases the addresses" {
	on_host ip link add up0 type veth peer name up1
	network lan '{"type": "macvlan", "master": "up0", "ipam": {"type": "host-local",
		"dataDir": "'"$LEASES"'", "subnet": "10.90.50.0/24"}}' "$NOTHING"
	plugin_nothing
	net ns create one
	net add lan one --conf-dir "$NET_D"
	# the reference macvlan 1.1.1 cannot be without its master, not even for DEL
	on_host ip link del up0
	net 1 del lan one
	error_is failed "plugin macvlan"
	error_is failed "(ctr-net del --id one --force goes on all the same)"
	[ -e "$LEASES/lan/10.90.50.2" ]
	net ns rm --force one
	net 1 gc --conf-dir "$NET_D"
	net del --id one --force
	[[ $stderr == *"warning: "*"plugin macvlan"* ]]
	[ ! -e "$LEASES/lan/10.90.50.2" ]
	[ ! -e "$OCID_ROOT/networks/one.json" ]
	net del --id one --force # of nothing
	[ -z "$stderr" ]
	nothing_left
}

@test "del: what a wrong configuration has left goes by the one that it was mended to" {
	wrong='{"type": "bridge", "bridge": "br62", "ipam": {"type": "host-local", "subnet": "wrong"}}'
	network web "$wrong"
	net ns create one
	net 1 add web one --conf-dir "$NET_D"
	[[ $stderr == *"undoing it failed"* ]]
	net 1 del --id one --conf-dir "$NET_D"
	error_is failed "(ctr-net del --id one --force goes on all the same)"
	# as long as it is as it was, nothing is forgotten, nor when there is none
	net 1 add web one --conf-dir "$NET_D"
	error_is failed "what an earlier add has left"
	net 1 gc --conf-dir "$BATS_TEST_TMPDIR"
	bridge_network web 61
	net add web one --conf-dir "$NET_D"
	net del web one
	network web "$wrong"
	net 1 add web one --conf-dir "$NET_D"
	bridge_network web 61
	net del --id one --conf-dir "$NET_D"
	# one that was right once is undone by that
	net add web one --conf-dir "$NET_D"
	network web "$wrong"
	net del web one --conf-dir "$NET_D"
	net ns rm one
	on_host ip link delete br61
	on_host ip link delete br62
	nothing_left
}

@test "del: while another one is at work it is waited for, and with --log-level info that is said" {
	plugin slow <<-'END'
		cat >/dev/null
		[ "$CNI_COMMAND" = DEL ] || { echo '{"cniVersion": "1.0.0"}'; exit; }
		touch "$seen/began"
		while [ -e "$seen/gate" ]; do sleep 0.05; done
	END
	network web '{"type": "slow"}'
	net ns create one
	net add web one --conf-dir "$NET_D"
	touch "$BATS_TEST_TMPDIR/gate"
	timeout 60 nsenter --net="$HOST" ctr-net del --id one 3>&- &
	first=$!
	wait_for 20 test -e "$BATS_TEST_TMPDIR/began"
	timeout 60 nsenter --net="$HOST" ctr-net --log-level info del --id one 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	second=$!
	wait_for 20 grep -q "waiting for network one, which another process uses" "$BATS_TEST_TMPDIR/said"
	rm "$BATS_TEST_TMPDIR/gate"
	wait "$first"
	wait "$second"
	net ns rm one
	nothing_left
}

@test "del: a process that a plugin leaves behind does not keep the next command waiting" {
	plugin leaves <<-'END'
		cat >/dev/null
		case $CNI_COMMAND in
		DEL | GC)
			sleep 60 >/dev/null 2>&1 &
			echo $! >>"$seen/left"
			;;
		*) echo '{"cniVersion": "1.1.0"}' ;;
		esac
	END
	CNI_VERSION=1.1.0 network web '{"type": "leaves"}'
	net ns create one
	for _ in 1 2; do
		net add web one --conf-dir "$NET_D"
		net gc --conf-dir "$NET_D"
		net del web one
	done
	left=$(wc -l <"$BATS_TEST_TMPDIR/left")
	xargs kill <"$BATS_TEST_TMPDIR/left"
	[ "$left" -eq 4 ]
	net ns rm one
	nothing_left
}
