#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What plugins are given, and what becomes of what they answer.

load common

setup() {
	rm -rf "${NET_D:?}"/* "${PLUGINS:?}"/*
	ctr-net ns create one >/dev/null
}

teardown() {
	take_down
	nothing_left
}

# Writes what it was given to $seen/TYPE.COMMAND.{env,in} and appends to $seen/order.
spy() {
	plugin "$1" <<-END
		env >"\$seen/$1.\$CNI_COMMAND.env"
		cat >"\$seen/$1.\$CNI_COMMAND.in"
		echo "\$CNI_COMMAND $1" >>"\$seen/order"
		[ "\$CNI_COMMAND" = DEL ] || echo '{"cniVersion": "1.0.0", "ips": [{"address": "10.0.0.$2/8"}]}'
	END
}

given() {
	jq -cS . "$BATS_TEST_TMPDIR/$1.in"
}

@test "plugins: are given the derived configuration, chained results and a clean environment" {
	spy first 1
	spy second 2
	network spied '{"type": "first", "keyA": ["kept", {"deep": 1}], "prevResult": 1,
		"runtimeConfig": {"x": 1}, "cni.dev/x": 1, "capabilities": {"mac": true, "other": false}}' \
		'{"type": "second", "capabilities": {"portMappings": true, "mac": true, "ips": true}}'
	SECRET=x net add spied one --conf-dir "$NET_D" --ifname if0 --id some.id-1 \
		--publish 127.0.0.1:8080:80 --cap 'mac="02:00:00:00:00:01"' --cap 'other={"a": [1]}' \
		--arg IgnoreUnknown=1 --arg K8S_POD_NAME=web-0
	[ "$output" = '{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/8"}]}' ]
	net del --id some.id-1

	[ "$(paste -sd, "$BATS_TEST_TMPDIR/order")" = "ADD first,ADD second,DEL second,DEL first" ]
	[ "$(given first.ADD)" = '{"cniVersion":"1.0.0","keyA":["kept",{"deep":1}],"name":"spied","runtimeConfig":{"mac":"02:00:00:00:00:01"},"type":"first"}' ]
	[ "$(given second.ADD)" = '{"cniVersion":"1.0.0","name":"spied","prevResult":{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.1/8"}]},"runtimeConfig":{"mac":"02:00:00:00:00:01","portMappings":[{"containerPort":80,"hostIP":"127.0.0.1","hostPort":8080,"protocol":"tcp"}]},"type":"second"}' ]
	# DEL has the same arguments and the result of the last plugin
	[ "$(given second.DEL)" = "$(given second.ADD | jq -c '.prevResult.ips[0].address = "10.0.0.2/8"')" ]
	[ "$(given first.DEL | jq -c .runtimeConfig)" = '{"mac":"02:00:00:00:00:01"}' ]
	[ "$(given first.DEL | jq -r '.prevResult.ips[0].address')" = 10.0.0.2/8 ]

	[ "$(grep -v '^\(PWD\|_\|SHLVL\|OLDPWD\)=' "$BATS_TEST_TMPDIR/first.ADD.env" | sort)" = "$(sort <<-END
		CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=web-0
		CNI_COMMAND=ADD
		CNI_CONTAINERID=some.id-1
		CNI_IFNAME=if0
		CNI_NETNS=$OCID_RUNROOT/netns/one
		CNI_PATH=$CNI_PATH
		PATH=$PATH
	END
	)" ]
	diff <(sed 's/=ADD$/=DEL/' "$BATS_TEST_TMPDIR/second.ADD.env" | sort) \
		<(sort "$BATS_TEST_TMPDIR/second.DEL.env")
}

@test "plugins: run on the host's side, with no descriptors but the three and one to be awaited by" {
	plugin looker <<-'END'
		readlink /proc/self/ns/net >"$seen/ns"
		ls -l /proc/self/fd/ >"$seen/fds"
		echo '{"cniVersion": "1.0.0"}'
	END
	network looked '{"type": "looker"}'
	net add looked one --conf-dir "$NET_D"
	[ "$(cat "$BATS_TEST_TMPDIR/ns")" = "$(on_host readlink /proc/self/ns/net)" ]
	# one is the directory that ls itself reads, one cannot be written to
	[ "$(grep -c -- '->' "$BATS_TEST_TMPDIR/fds")" -eq 5 ]
	[ "$(grep -c "^lr-x------ .*/networks/one\.json$" "$BATS_TEST_TMPDIR/fds")" -eq 1 ]
}

@test "plugins: before 0.4.0 DEL has no prevResult" {
	spy first 1
	CNI_VERSION=0.3.1 network spied '{"type": "first"}'
	net add spied one --conf-dir "$NET_D"
	net del spied one
	[ "$(given first.DEL)" = '{"cniVersion":"0.3.1","name":"spied","type":"first"}' ]
}

@test "plugins: DEL uses the configuration and the plugins of ADD, whatever has changed" {
	spy first 1
	network spied '{"type": "first", "marker": "old"}'
	net add spied one --conf-dir "$NET_D" --plugin-dir "$PLUGINS"
	network spied '{"type": "first", "marker": "new"}' '{"type": "second"}'
	rm "$NET_D"/*
	tool env -u CNI_PATH nsenter --net="$HOST" ctr-net del spied one
	[ "$(given first.DEL | jq -r .marker)" = old ]
}

@test "plugins: one that is missing is told of before any runs" {
	spy first 1
	network broken '{"type": "first"}' '{"type": "no-such-plugin"}'
	net 3 add broken one --conf-dir "$NET_D"
	error_is not-found 'no CNI plugin "no-such-plugin"'
	[[ $stderr == *"$CNI_PATH"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/order" ]
	: >"$PLUGINS/no-such-plugin" # not executable
	net 3 add broken one --conf-dir "$NET_D"
}

@test "plugins: an error is reported in the plugin's words, with the exit code of its kind" {
	for pair in 1:10 2:7 3:3 4:1 5:1 6:7 7:7 11:8 50:8 51:8 100:1 999:1; do
		plugin failing <<-END
			[ "\$CNI_COMMAND" = DEL ] && exit 0
			echo '{"cniVersion": "1.0.0", "code": ${pair%:*}, "msg": "the message", "details": "the details"}'
			exit 1
		END
		network failing '{"type": "failing"}'
		net "${pair#*:}" add failing one --conf-dir "$NET_D"
		[[ $stderr == *"network failing: plugin failing: the message: the details"* ]]
		[[ $pair != 1:* || $stderr == *"cniVersions must be one that ctr-net versions failing prints"* ]]
		[ -z "$output" ]
	done
	net 1 add failing one --conf-dir "$NET_D" --errors json
	jq -e '.code == "failed" and .subject == "failing" and .verb == "add"' <<<"$stderr"
}

@test "plugins: an error object is an error also where the plugin ends as if all were well" {
	plugin failing <<-'END'
		echo "$CNI_COMMAND" >>"$seen/order"
		[ "$CNI_COMMAND" = DEL ] || echo '{"cniVersion": "1.0.0", "code": 11, "msg": "no address left"}'
	END
	network failing '{"type": "failing"}'
	net 8 add failing one --conf-dir "$NET_D"
	error_is temporary "network failing: plugin failing: no address left"
	[ -z "$output" ]
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/order")" = DEL ]
}

@test "plugins: a failed ADD is undone in reverse order, also by the one that failed" {
	spy first 1
	spy third 3
	plugin second <<-'END'
		cat >"$seen/second.$CNI_COMMAND.in"
		echo "$CNI_COMMAND second" >>"$seen/order"
		[ "$CNI_COMMAND" = DEL ] && exit 0
		echo no idea what went wrong >&2
		exit 3
	END
	network half '{"type": "first"}' '{"type": "second"}' '{"type": "third"}'
	net 1 add half one --conf-dir "$NET_D"
	error_is failed "plugin second: no idea what went wrong"
	[ "$(paste -sd, "$BATS_TEST_TMPDIR/order")" = "ADD first,ADD second,DEL third,DEL second,DEL first" ]
	[ "$(given first.DEL | jq -r '.prevResult.ips[0].address')" = 10.0.0.1/8 ]
	[ ! -e "$OCID_ROOT/networks/one.json" ]
	# with a document the namespace goes as well
	net 1 add --conf-dir "$NET_D" <<<'{"rootfs": {"id": "abc"}}'
	[ "$(ls "$OCID_RUNROOT/netns")" = one ]
}

@test "plugins: of several networks the earlier ones are undone when a later one fails" {
	spy good 1
	plugin bad <<<'exit 1'
	network good '{"type": "good"}'
	network bad '{"type": "bad"}'
	net 1 add --conf-dir "$NET_D" --network good --network bad <<<'{"rootfs": {"id": "abc"}}'
	[[ $stderr == *"network bad"* ]]
	[ "$(paste -sd, "$BATS_TEST_TMPDIR/order")" = "ADD good,DEL good" ]
	# the bad one also fails at DEL
	[ "$(grep -c "del --id abc tries again" <<<"$stderr")" -eq 1 ]
	plugin bad <<<'exit 0'
	net del --id abc
}

@test "plugins: one that hangs is ended after --timeout, with its children" {
	plugin hanging <<-'END'
		[ "$CNI_COMMAND" = DEL ] && exit 0
		sleep 987 &
		echo $! >"$seen/child"
		sleep 987
	END
	network hanging '{"type": "hanging"}'
	net 8 add hanging one --conf-dir "$NET_D" --timeout 1
	error_is temporary "took longer than"
	wait_for 5 process_gone "$(cat "$BATS_TEST_TMPDIR/child")"
}

@test "plugins: one that crashes" {
	plugin crashing <<-'END'
		[ "$CNI_COMMAND" = DEL ] && exit 0
		kill -SEGV $$
	END
	network crashing '{"type": "crashing"}'
	net 1 add crashing one --conf-dir "$NET_D"
	error_is failed "plugin crashing was ended by signal 11"
}

@test "plugins: one that says nothing" {
	plugin silent <<-'END'
		[ "$CNI_COMMAND" = DEL ]
	END
	network silent '{"type": "silent"}'
	net 1 add silent one --conf-dir "$NET_D"
	error_is failed "failed with status 1 and printed no error"
	plugin silent <<-'END'
		[ "$CNI_COMMAND" = DEL ] && exit 0
		echo no error object, but words
		exit 1
	END
	net 1 add silent one --conf-dir "$NET_D"
	error_is failed "plugin silent: no error object, but words"
	plugin silent <<<'exit 0'
	net 7 add silent one --conf-dir "$NET_D"
	error_is integrity "the result of plugin silent"
}

@test "plugins: results that are none are refused, and undone" {
	for result in 'null' '[]' '7' '"x"' '{' 'oops {}' '{} {}' '{"ips": {}}' '{"ips": [1]}' \
		'{"interfaces": "x"}' '{"routes": [[]]}' '{"dns": []}' '{"a": 1, "a": 2}' \
		'{"ips": [{}]}' '{"ips": [{"address": 7}]}' '{"ips": [{"address": "10.0.0.1"}]}' \
		'{"ips": [{"address": "10.0.0.1/8", "gateway": 1}]}' '{"interfaces": [{"name": 7}]}' \
		'{"interfaces": [{"sandbox": []}]}' '{"routes": [{"dst": "default"}]}' \
		"$(printf '{"a":%.0s' {1..70}; printf 1; printf '}%.0s' {1..70})"; do
		plugin odd <<-END
			echo "\$CNI_COMMAND" >>"\$seen/order"
			[ "\$CNI_COMMAND" = DEL ] || printf '%s' '$result'
		END
		network odd '{"type": "odd"}'
		net 7 add odd one --conf-dir "$NET_D"
		error_is integrity "the result of plugin odd"
		[ "$(tail -n 1 "$BATS_TEST_TMPDIR/order")" = DEL ]
	done
	# but nulls and a missing version are taken
	plugin odd <<-'END'
		[ "$CNI_COMMAND" = DEL ] || echo '{"ips": null, "dns": null}'
	END
	net add odd one --conf-dir "$NET_D"
	[ "$(jq -r .cniVersion <<<"$output")" = 1.0.0 ]
}

@test "plugins: a namespace that vanishes midway fails the add, and nothing is left" {
	plugin vanish <<-'END'
		cat >/dev/null
		echo '{"cniVersion": "1.0.0", "ips": [{"address": "10.90.41.2/24"}]}'
		[ "$CNI_COMMAND" = ADD ] && umount -l "$CNI_NETNS" && rm "$CNI_NETNS"
		exit 0
	END
	# before the plugin that would use it, after it, and as the last of all
	bridge_network first 41 "$PORTMAP"
	network last '{"type": "vanish"}'
	for plugins in '[.plugins[0], {"type": "vanish"}, .plugins[1]]' '[{"type": "vanish"}, .plugins[0], .plugins[1]]' \
		'[.plugins[0], .plugins[1], {"type": "vanish"}]'; do
		net ns create gone
		jq ".name = \"x\" | .plugins = $plugins" "$NET_D/first.conflist" >"$BATS_TEST_TMPDIR/x"
		cp "$BATS_TEST_TMPDIR/x" "$NET_D/x.conflist"
		run --separate-stderr on_host ctr-net add x gone --conf-dir "$NET_D" --publish 8080:80
		[ "$status" -ne 0 ]
		[ -z "$output" ]
		net del --id gone
		[ ! -e "$OCID_ROOT/networks/gone.json" ]
		lacks '10\.90\.41\.2' on_host iptables-save
		[ ! -e "$LEASES/x/10.90.41.2" ]
	done
	net ns create gone
	net 3 add last gone --conf-dir "$NET_D"
	error_is not-found "vanished meanwhile"
	[ ! -e "$OCID_ROOT/networks/gone.json" ]
	# a document's own namespace as well
	net 3 add --conf-dir "$NET_D" --network last <<<'{"rootfs": {"id": "abc"}}'
	net 3 ns rm abc
}

@test "plugins: names with slashes lead nowhere" {
	plugin_nothing
	network nothing "$NOTHING"
	for name in ../nothing a/b /etc/passwd; do
		net 3 add "$name" one --conf-dir "$NET_D"
		net 2 add nothing one --conf-dir "$NET_D" --ifname "$name"
		net 2 add nothing one --conf-dir "$NET_D" --id "$name"
		net 2 del --id "$name"
		net 2 check --id "$name"
		net 2 versions "$name"
		net 2 init bridge --name "$name" --subnet 10.1.0.0/24 --conf-dir "$NET_D"
	done
	net 3 add nothing ./one --conf-dir "$NET_D"
}

@test "plugins: a result of another version is converted to that of the network" {
	plugin stubborn <<-'END'
		cat >"$seen/stubborn.$CNI_COMMAND.in"
		[ "$CNI_COMMAND" = DEL ] || echo '{"cniVersion": "'"$(cat "$seen/version")"'",
			"interfaces": [{"name": "x0", "mtu": 1400}], "ips": [
			{"address": "10.0.0.1/8", "version": "4"}, {"address": "fd00::1/64", "version": "6"}]}'
	END
	echo 0.4.0 >"$BATS_TEST_TMPDIR/version"
	network odd '{"type": "stubborn"}' '{"type": "stubborn"}'
	net add odd one --conf-dir "$NET_D"
	[ "$output" = '{"cniVersion":"1.0.0","interfaces":[{"mtu":1400,"name":"x0"}],"ips":[{"address":"10.0.0.1/8"},{"address":"fd00::1/64"}]}' ]
	[ "$(given stubborn.ADD | jq -c '.prevResult.ips | map(.version)')" = '[null,null]' ]
	net del odd one
	# the other way round, and as asked for
	echo 1.1.0 >"$BATS_TEST_TMPDIR/version"
	CNI_VERSION=0.3.1 network odd '{"type": "stubborn"}'
	net add odd one --conf-dir "$NET_D"
	[ "$(jq -c '[.cniVersion, .interfaces[0].mtu, .ips[].version]' <<<"$output")" = '["0.3.1",null,"4","6"]' ]
	net del odd one
	net add odd one --conf-dir "$NET_D" --result-version 1.1.0
	[ "$(jq -c '[.cniVersion, .ips[].version]' <<<"$output")" = '["1.1.0",null,null]' ]
	net del odd one
	net add --conf-dir "$NET_D" --result-version 1.0.0 <<<'{"rootfs": {"id": "abc"}}'
	[ "$(jq -r '.network.attachments[0].result.cniVersion' <<<"$output")" = 1.0.0 ]
	net del --id abc
	net 2 add odd one --conf-dir "$NET_D" --result-version 2.0.0
	error_is usage "--result-version"
}

@test "plugins: a result of a version that nobody knows is refused, and undone" {
	for version in 0.2.0 2.0.0 x 1.0; do
		plugin odd <<-END
			echo "\$CNI_COMMAND" >>"\$seen/order"
			[ "\$CNI_COMMAND" = DEL ] || echo '{"cniVersion": "$version"}'
		END
		network odd '{"type": "odd"}'
		net 10 add odd one --conf-dir "$NET_D"
		error_is unsupported "the result of plugin odd: CNI version \"$version\""
		[ "$(tail -n 1 "$BATS_TEST_TMPDIR/order")" = DEL ]
	done
}

@test "plugins: megabytes of output are cut off, on either stream" {
	for stream in 1 2; do
		plugin chatty <<-END
			[ "\$CNI_COMMAND" = DEL ] && exit 0
			exec /bin/busybox yes >&$stream
		END
		network chatty '{"type": "chatty"}'
		net 9 add chatty one --conf-dir "$NET_D"
		error_is limit "printed more than"
		[ "${#stderr}" -lt 1000 ]
	done
}

@test "plugins: an error with control characters cannot move the terminal's cursor" {
	plugin rude <<-'END'
		[ "$CNI_COMMAND" = DEL ] && exit 0
		printf '{"code": 100, "msg": "\\u001b[2Jcleared\\nnext line"}'
		exit 1
	END
	network rude '{"type": "rude"}'
	net 1 add rude one --conf-dir "$NET_D"
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	[[ $stderr != *$'\e'* ]]
}

@test "plugins: DEL stops at an error, and can be tried again" {
	spy first 1
	spy third 3
	plugin second <<-'END'
		echo "$CNI_COMMAND second" >>"$seen/order"
		[ "$CNI_COMMAND" = ADD ] && echo '{"cniVersion": "1.0.0"}' && exit 0
		[ -e "$seen/mended" ] && exit 0
		echo '{"code": 11, "msg": "not now"}'
		exit 1
	END
	network chain '{"type": "first"}' '{"type": "second"}' '{"type": "third"}'
	net add chain one --conf-dir "$NET_D"
	net 8 del chain one
	error_is temporary "plugin second: not now"
	[ "$(tail -n +4 "$BATS_TEST_TMPDIR/order" | paste -sd,)" = "DEL third,DEL second" ]
	touch "$BATS_TEST_TMPDIR/mended"
	net del chain one
	[ ! -e "$OCID_ROOT/networks/one.json" ]
}

@test "plugins: a signal undoes what is half done, and the exit status tells" {
	spy first 1
	plugin slow <<-'END'
		echo "$CNI_COMMAND slow" >>"$seen/order"
		[ "$CNI_COMMAND" = DEL ] && exit 0
		echo started >"$seen/started"
		sleep 30
	END
	network slow '{"type": "first"}' '{"type": "slow"}'
	for signal in INT:130 TERM:143; do
		rm -f "$BATS_TEST_TMPDIR"/{order,started}
		# a shell's background job ignores SIGINT
		env --default-signal=INT nsenter --net="$HOST" ctr-net add slow one --conf-dir "$NET_D" 3>&- &
		pid=$!
		wait_for 5 test -e "$BATS_TEST_TMPDIR/started"
		kill "-${signal%:*}" "$pid"
		status=0
		wait "$pid" || status=$?
		[ "$status" -eq "${signal#*:}" ]
		[ "$(paste -sd, "$BATS_TEST_TMPDIR/order")" = "ADD first,ADD slow,DEL slow,DEL first" ]
		[ ! -e "$OCID_ROOT/networks/one.json" ]
	done
}

@test "plugins: finish ADD when a signal comes, which is then undone, and are killed when it comes again" {
	plugin slow <<-'END'
		echo "$CNI_COMMAND" >>"$seen/order"
		[ "$CNI_COMMAND" = DEL ] && exit 0
		touch "$seen/begun"
		sleep 0.5
		touch "$seen/done"
		echo '{"cniVersion": "1.0.0"}'
	END
	network slow '{"type": "slow"}'
	for signals in 1 2; do
		rm -f "$BATS_TEST_TMPDIR"/{order,begun,done}
		nsenter --net="$HOST" ctr-net add slow one --conf-dir "$NET_D" 3>&- &
		pid=$!
		wait_for 5 test -e "$BATS_TEST_TMPDIR/begun"
		kill -TERM "$pid"
		if [ "$signals" -eq 2 ]; then
			sleep 0.1
			kill -TERM "$pid"
		fi
		status=0
		wait "$pid" || status=$?
		[ "$status" -eq 143 ]
		[ "$(find "$BATS_TEST_TMPDIR/done" 2>/dev/null | wc -l)" -eq $((2 - signals)) ]
		[ "$(paste -sd, "$BATS_TEST_TMPDIR/order")" = ADD,DEL ]
		[ ! -e "$OCID_ROOT/networks/one.json" ]
	done
}

@test "plugins: finish DEL when a signal comes, and are killed when it comes again" {
	plugin_nothing
	plugin slow <<-'END'
		[ "$CNI_COMMAND" = DEL ] || { echo '{"cniVersion": "1.0.0"}'; exit 0; }
		touch "$seen/begun"
		sleep 1
		touch "$seen/done"
	END
	network slow "$NOTHING" '{"type": "slow"}'
	for signals in 1 2; do
		rm -f "$BATS_TEST_TMPDIR"/{begun,done}
		net add slow one --conf-dir "$NET_D"
		nsenter --net="$HOST" ctr-net del slow one 3>&- &
		pid=$!
		wait_for 5 test -e "$BATS_TEST_TMPDIR/begun"
		kill -TERM "$pid"
		sleep 0.2
		[ "$signals" -eq 1 ] || kill -TERM "$pid"
		status=0
		wait "$pid" || status=$?
		[ "$status" -eq 143 ]
		[ "$signals" -eq 2 ] || [ -e "$BATS_TEST_TMPDIR/done" ]
		[ "$signals" -eq 1 ] || [ ! -e "$BATS_TEST_TMPDIR/done" ]
		net del slow one
	done
}

@test "plugins: finish DEL when ctr-net is killed, and the next command waits for it" {
	plugin slow <<-'END'
		echo "$CNI_COMMAND begins" >>"$seen/order"
		[ "$CNI_COMMAND" = DEL ] && [ ! -e "$seen/slept" ] && touch "$seen/slept" && sleep 1
		echo "$CNI_COMMAND ends" >>"$seen/order"
		[ "$CNI_COMMAND" = DEL ] || echo '{"cniVersion": "1.0.0"}'
	END
	network slow '{"type": "slow"}'
	net add slow one --conf-dir "$NET_D"
	nsenter --net="$HOST" ctr-net del slow one 3>&- &
	pid=$!
	wait_for 5 test -e "$BATS_TEST_TMPDIR/slept"
	kill -KILL "$pid"
	wait "$pid" || true
	net del slow one
	[ "$(tail -n +3 "$BATS_TEST_TMPDIR/order" | paste -sd,)" = "DEL begins,DEL ends,DEL begins,DEL ends" ]
}

@test "plugins: end with a ctr-net that is killed in ADD" {
	plugin slow <<-'END'
		[ "$CNI_COMMAND" = DEL ] && exit 0
		echo $$ >"$seen/pid"
		exec sleep 30
	END
	network slow '{"type": "slow"}'
	nsenter --net="$HOST" ctr-net add slow one --conf-dir "$NET_D" 3>&- &
	pid=$!
	wait_for 5 test -s "$BATS_TEST_TMPDIR/pid"
	kill -KILL "$pid"
	wait "$pid" || true
	wait_for 5 process_gone "$(cat "$BATS_TEST_TMPDIR/pid")"
	net del slow one
}

@test "plugins: operations on one container wait for each other, on two they do not" {
	plugin slow <<-'END'
		[ "$CNI_COMMAND" = DEL ] && exit 0
		[ "$CNI_IFNAME" = eth0 ] && sleep 1
		echo "$CNI_CONTAINERID $CNI_IFNAME" >>"$seen/order"
		echo '{"cniVersion": "1.0.0"}'
	END
	network slow '{"type": "slow"}'
	net ns create two
	ctr-net add slow one --conf-dir "$NET_D" >/dev/null 3>&- &
	sleep 0.3
	ctr-net add slow one --conf-dir "$NET_D" --ifname eth1 >/dev/null 3>&- &
	net add slow two --conf-dir "$NET_D" --ifname eth7
	wait
	[ "$(paste -sd, "$BATS_TEST_TMPDIR/order")" = "two eth7,one eth0,one eth1" ]
	net del --id two
	net ns rm two
}
