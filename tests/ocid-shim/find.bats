#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a container can be called.

load common

setup() {
	A=$(printf 'a%.0s' {1..64}) B=$(printf 'a%.0s' {1..8})$(printf 'b%.0s' {1..56})
	bundle one 'exec sleep 100'
	# as ctr-store create --name makes them
	mkdir -p "$OCID_ROOT/names"
	ln -sfn "$A" "$OCID_ROOT/names/web"
}

@test "id: the first digits of one that was drawn at random, or its name, in every verb" {
	shim create --bundle "$BUNDLE" "$A"
	for name in aaaa "${A:0:12}" "${A:0:63}" web "$A"; do
		shim state "$name"
		[ "$(jq -r .id <<<"$output")" = "$A" ]
	done
	shim start web
	shim exec -i web true
	shim exec aaaaa true
	shim stats web
	shim pause web
	shim resume "${A:0:20}"
	echo '{"pids": {"limit": 100}}' | shim update web
	shim logs web
	mv "$BUNDLE/log" "$BUNDLE/log.1"
	shim reopen-logs web
	[ -f "$BUNDLE/log" ]
	shim 5 rm web
	shim kill web WINCH
	shim stop --timeout 0 web
	shim wait web "$A" aaaa
	[ "$(jq -sr 'map(.id) | unique[]' <<<"$output")" = "$A" ]
	shim rm web
	shim 3 state web
	shim rm --force web aaaa
	nothing_left
}

@test "id: digits that are too few, or mean several, and the beginnings of chosen ids" {
	shim create --bundle "$BUNDLE" "$A"
	shim 3 state aaa
	error_is not-found 'no container "aaa"'
	bundle two 'exec sleep 100'
	shim create --bundle "$BUNDLE" "$B"
	shim 2 state "${A:0:8}"
	error_is usage "\"${A:0:8}\" means several containers"
	shim 2 rm --force aaaa
	# nor does one of several that cannot be read mean the other
	fault getdents64:error=EIO
	tool 1 "${FAULTY[@]}" -P "$OCID_RUNROOT/containers" ocid-shim state "${A:0:9}"
	error_is failed "$OCID_RUNROOT/containers"
	shim state "${A:0:9}"
	bundle three 'exec sleep 100'
	shim create --bundle "$BUNDLE" abcdef
	shim 3 state abcde
	shim rm --force abcd "$A" "$B"
	[ "$(status_of abcdef)" = created ]
	# a name of what is not there, and one that leads elsewhere
	ln -sfn ../../containers/abcdef "$OCID_ROOT/names/bad"
	shim 3 state web
	shim 3 state bad
	shim rm --force abcdef
	nothing_left
}

@test "id: events of a container by its name" {
	shim run --bundle "$BUNDLE" "$A"
	ocid-shim events --past web >"$BATS_TEST_TMPDIR/events" 3>&- &
	pid=$!
	wait_for 10 grep -q started "$BATS_TEST_TMPDIR/events"
	shim rm --force web
	wait_for 10 grep -q removed "$BATS_TEST_TMPDIR/events"
	kill "$pid" 2>/dev/null || true
	wait "$pid" || true
	nothing_left
}
