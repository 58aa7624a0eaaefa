# SPDX-License-Identifier: Apache-2.0
# The configuration: check, and the server that reads it.

load ../helpers
load helpers

setup_file() {
	file_setup
	cri_setup
	unset OCID_LIBEXEC
}

setup() {
	CONFIG=$BATS_TEST_TMPDIR/ocid.json
	mkdir "$CONFIG.d"
}

check() {
	local expected=$1

	shift
	tool "$expected" ocid-dispatch check --config "$CONFIG" "$@"
}

@test "check: without a file the defaults hold" {
	check 0
	[ "$(jq -c '[.defaultRuntime, .runtimes, .network, .stream, .shmSize]' <<<"$output")" = \
		'["runc",{"runc":{"path":"runc"}},{},{"address":"127.0.0.1","port":0},67108864]' ]
}

@test "check: a file that was asked for must be there" {
	rmdir "$CONFIG.d"
	check 3
	error_is not-found "$CONFIG"
}

@test "check: files of the directory go over the file, in the order of their names" {
	echo '{"cgroupDriver": "cgroupfs", "stream": {"port": 1}}' >"$CONFIG"
	echo '{"cgroupDriver": "systemd", "stream": {"port": 3}}' >"$CONFIG.d/20.json"
	echo '{"stream": {"port": 2, "address": "::1"}, "runtimes": {"sh": {"path": "sh"}}}' >"$CONFIG.d/10.json"
	echo 'not read' >"$CONFIG.d/30.json.old"
	check 0
	[ "$(jq -c '[.cgroupDriver, .stream, (.runtimes | keys)]' <<<"$output")" = '["systemd",{"address":"::1","port":3},["runc","sh"]]' ]
}

@test "check: what is wrong is named, with its file" {
	for bad in '{"nope": 1}|"nope" is not known' '{"stream": {"port": 70000}}|"stream.port" is not a whole number from 0 to 65535' \
		'{"stream": []}|"stream" is not an object' '{"cgroupDriver": "x"}|"cgroupfs" or "systemd"' \
		'{"listen": "x"}|"listen" is not an absolute path' '{"network": {"confDirs": "x"}}|"network.confDirs"' \
		'{"runtimes": {"x": {}}}|"runtimes.x" lacks a "path"' '[]|it is not an object' '{|ocid.json' \
		'{"stream": {"nope": 1}}|"stream.nope" is not known'; do
		echo "${bad%|*}" >"$CONFIG"
		check 7
		error_is integrity "${bad#*|}"
		[ "$(grep -o "$CONFIG" <<<"$stderr" | wc -l)" -eq 1 ]
	done
	echo '{"defaultRuntime": "x"}' >"$CONFIG"
	check 7
	error_is integrity '"defaultRuntime" is "x"'
	echo '{"stream": {"certificate": "/etc/passwd"}}' >"$CONFIG"
	check 7
	error_is integrity "a certificate and its key"
	echo '{"stream": {"certificate": "/etc/passwd", "key": "/etc/passwd"}}' >"$CONFIG"
	check 7
	error_is integrity "/etc/passwd: no start line"
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	echo "{\"stream\": {\"certificate\": \"/etc/passwd\", \"key\": \"$BATS_TEST_TMPDIR/fifo\"}}" >"$CONFIG"
	TOOL_TIMEOUT=10 check 7
	error_is integrity "/fifo is not a regular file"
	echo '{"stream": {"address": "localhost"}}' >"$CONFIG"
	check 7
	error_is integrity '"localhost" is no IP address'
}

@test "check: what is no regular file is refused, and nobody waits for it" {
	for at in "$CONFIG" "$CONFIG.d/10.json"; do
		mkfifo "$at"
		TOOL_TIMEOUT=10 check 7
		error_is integrity "$at is not a regular file"
		rm "$at"
	done
	mkdir "$CONFIG"
	check 7
	error_is integrity "$CONFIG is not a regular file"
}

@test "check: the default runtime must be there; another that a file names is a warning, runc of ours nothing" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	ln -s /bin/true "$BATS_TEST_TMPDIR/bin/crun"
	there() { tool "$1" env PATH="$BATS_TEST_TMPDIR/bin:$OCID_BIN" ocid-dispatch check --config "$CONFIG"; }

	there 3
	error_is not-found '"runtimes.runc.path": there is no program runc'
	echo '{"defaultRuntime": "crun", "runtimes": {"crun": {"path": "crun"}}}' >"$CONFIG"
	there 0
	[ -z "$stderr" ]
	echo '{"runtimes": {"runc": {"path": "runc"}}}' >"$CONFIG.d/1.json"
	there 0
	[ "$(grep -c 'runtimes.runc.path.*there is no program runc' <<<"$stderr")" -eq 1 ]
	echo '{"defaultRuntime": "x", "runtimes": {"x": {"path": "/no/such"}}}' >"$CONFIG.d/1.json"
	there 3
	error_is not-found '"runtimes.x.path": there is no program /no/such'
}

@test "check: the server reads it again on SIGHUP, and keeps it where that is wrong" {
	echo '{"cgroupDriver": "cgroupfs"}' >"$CONFIG"
	server_start --config "$CONFIG"
	driver() {
		cri RuntimeConfig | jq -r .linux.cgroupDriver
	}
	is_systemd() {
		[ "$(driver)" = null ] # the enumeration's zero
	}
	[ "$(driver)" = CGROUPFS ]
	echo '{"cgroupDriver": "systemd"}' >"$CONFIG"
	kill -HUP "$(cat "$SERVER_PID")"
	wait_for 10 is_systemd
	echo '{"cgroupDriver": "nope"}' >"$CONFIG"
	kill -HUP "$(cat "$SERVER_PID")"
	wait_for 10 grep -q "is not reloaded" "$BATS_FILE_TMPDIR/server.log"
	is_systemd
	echo '{"runtimes": {"x": {"path": "/no/such"}}, "defaultRuntime": "x"}' >"$CONFIG"
	kill -HUP "$(cat "$SERVER_PID")"
	wait_for 10 grep -q "is not reloaded: .*there is no program /no/such" "$BATS_FILE_TMPDIR/server.log"
	is_systemd
	rm "$CONFIG"
	mkfifo "$CONFIG"
	kill -HUP "$(cat "$SERVER_PID")"
	wait_for 10 grep -q "is not reloaded: $CONFIG is not a regular file" "$BATS_FILE_TMPDIR/server.log"
	is_systemd
	server_stop
	rmdir "$(dirname "$SOCKET")"
}

@test "check: a SIGHUP that comes while the server starts is neither its end nor lost" {
	SOCKET=$BATS_TEST_TMPDIR/s
	is_systemd() {
		[ "$(cri RuntimeConfig | jq -r .linux.cgroupDriver)" = null ]
	}
	for _ in 1 2 3; do
		echo '{"cgroupDriver": "cgroupfs"}' >"$CONFIG"
		ocid-dispatch serve --listen "$SOCKET" --config "$CONFIG" 3>&- &
		server=$!
		for ((i = 0; i < 100000; i++)); do
			[ -S "$SOCKET" ] && break
		done
		echo '{"cgroupDriver": "systemd"}' >"$CONFIG"
		kill -HUP "$server"
		wait_for 10 is_systemd
		kill "$server"
		wait "$server"
	done
}

@test "check: a server with a wrong one does not start" {
	echo '{"nope": 1}' >"$CONFIG"
	tool 7 ocid-dispatch serve --listen "$BATS_TEST_TMPDIR/s" --config "$CONFIG"
	error_is integrity '"nope" is not known'
	[ ! -e "$BATS_TEST_TMPDIR/s" ]
}

@test "check: a server whose runtime is not there yet starts, and says so" {
	SOCKET=$BATS_TEST_TMPDIR/s
	echo '{"runtimes": {"x": {"path": "/no/such"}}, "defaultRuntime": "x"}' >"$CONFIG"
	ocid-dispatch serve --listen "$SOCKET" --config "$CONFIG" 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	server=$!
	wait_for 10 cri Version
	kill "$server"
	wait "$server"
	grep -q '"runtimes.x.path": there is no program /no/such' "$BATS_TEST_TMPDIR/said"
}

@test "check: systemd is told when the server is ready, reloads and stops" {
	/usr/bin/python3 - "$BATS_TEST_TMPDIR/n" >"$BATS_TEST_TMPDIR/told" 3>&- <<-'END' &
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		s.settimeout(20)
		for _ in range(4):
		    print(s.recv(4096).decode().split("\n")[0], flush=True)
	END
	listener=$!
	wait_for 10 test -S "$BATS_TEST_TMPDIR/n"
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/n ocid-dispatch serve --listen "$BATS_TEST_TMPDIR/s" --config "$CONFIG" 3>&- &
	server=$!
	wait_for 10 grep -q READY=1 "$BATS_TEST_TMPDIR/told"
	kill -HUP "$server"
	wait_for 10 grep -q RELOADING=1 "$BATS_TEST_TMPDIR/told"
	kill "$server"
	wait "$server" "$listener"
	[ "$(paste -sd ' ' "$BATS_TEST_TMPDIR/told")" = "READY=1 RELOADING=1 READY=1 STOPPING=1" ]
}
