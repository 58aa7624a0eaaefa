# SPDX-License-Identifier: Apache-2.0
# What the processes that read what clients of the streaming server say can still do when an exploit
# has taken them over, and the process that a pod's PID namespace begins with (ocid-security(7)).

load ../helpers

setup() {
	[[ $(ldd "$OCID_BIN/ocid-dispatch-stream") != *asan* ]] || skip "sanitizers need more than confinement leaves"
	[ "$(uname -m)" = x86_64 ] || skip "registers are x86-64's"
}

teardown() {
	[ -z "${SERVER-}" ] || kill "$SERVER"
	[ -z "${SERVER-}" ] || wait_for 10 process_gone "$SERVER"
	! mountpoint -q "$BATS_TEST_TMPDIR/pin" || umount "$BATS_TEST_TMPDIR/pin"
}

serve() {
	rm -f "$OCID_RUNROOT/streams/server"
	ulimit -c unlimited
	ocid-dispatch serve --listen "$BATS_TEST_TMPDIR/s" --stream-address 127.0.0.1 "$@" \
		>"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
	SERVER=$!
	wait_for 10 test -s "$OCID_RUNROOT/streams/server" -a -S "$BATS_TEST_TMPDIR/s"
	address=$(sed 's|.*://||' "$OCID_RUNROOT/streams/server")
	# a client that says nothing yet
	exec 8<>"/dev/tcp/${address%:*}/${address#*:}"
	wait_for 10 worker_confined ocid-dispatch-stream
}

# worker_confined NAME: $WORKER is that process of the server
worker_confined() {
	WORKER=$(pgrep -P "$SERVER,$(pgrep -d , -P "$SERVER")" -f "$1") && grep -q '^Seccomp:.*2' "/proc/$WORKER/status"
}

# taken_over PID: nothing works that an attacker would try, and the process goes on
taken_over() {
	tool /usr/bin/python3 "$TESTS/inject.py" "$1" open write create open-memory socket unix-socket connect \
		execute fork trace read-memory kill setuid mount unshare setns chroot bpf
	[ "$(grep -c ' EPERM$' <<<"$output")" -eq 18 ]
	kill -0 "$1"
	[ "$(awk '/^(CapInh|CapPrm|CapEff|NoNewPrivs):/ { printf "%s ", $2 }' "/proc/$1/status")" = \
		"0000000000000000 0000000000000000 0000000000000000 1 " ]
	[ "$(awk '/core file/ { print $5, $6 }' "/proc/$1/limits")" = "0 0" ]
	[ "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$1/status")" = "65534 65534 65534 65534" ]
}

# in_memory PID HEX: whether its memory has these bytes, in either order
in_memory() {
	/usr/bin/python3 - "$@" <<-'END'
		import sys
		key = bytes.fromhex(sys.argv[2])
		assert len(key) >= 31
		found = False
		with open(f"/proc/{sys.argv[1]}/maps") as maps, open(f"/proc/{sys.argv[1]}/mem", "rb", 0) as memory:
		    for line in maps:
		        start, end = (int(word, 16) for word in line.split()[0].split("-"))
		        if line.split()[1].startswith("rw"):
		            memory.seek(start)
		            data = memory.read(end - start)
		            found = found or key in data or key[::-1] in data
		print(found)
	END
}

@test "stream: taken over, what serves a client opens, connects, runs, traces and mounts nothing" {
	serve
	taken_over "$WORKER"
	# and it serves still
	printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' >&8
	read -r line <&8
	[[ $line == "HTTP/1.1 4"* ]]
	exec 8>&-
}

@test "stream: taken over, what has the key of TLS opens, connects, runs, traces and mounts nothing" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test \
		-keyout "$BATS_TEST_TMPDIR/key.pem" -out "$BATS_TEST_TMPDIR/cert.pem" 2>/dev/null
	serve --stream-tls-cert "$BATS_TEST_TMPDIR/cert.pem" --stream-tls-key "$BATS_TEST_TMPDIR/key.pem"
	wait_for 10 worker_confined ocid-dispatch-tls
	taken_over "$WORKER"
	# where a leak of memory would show the key
	key=$(openssl ec -in "$BATS_TEST_TMPDIR/key.pem" -text -noout 2>/dev/null |
		sed -n '/^priv:/,/^pub:/p' | grep '^ ' | tr -d ' :\n')
	[ "$(in_memory "$WORKER" "$key")" = True ]
	worker_confined ocid-dispatch-stream
	[ "$(in_memory "$WORKER" "$key")" = False ]
	[ "$(in_memory "$SERVER" "$key")" = False ]
	exec 8>&-
}

@test "pod: taken over, the first process of its PID namespace is ended by any call but its own" {
	touch "$BATS_TEST_TMPDIR/pin"
	"$OCID_BIN/ocid-pause" "$BATS_TEST_TMPDIR/pin" "$BATS_TEST_TMPDIR/file"
	read -r pid _ <"$BATS_TEST_TMPDIR/file"
	wait_for 10 grep -q '^Seccomp:.*1' "/proc/$pid/status"
	tool 1 /usr/bin/python3 "$TESTS/inject.py" "$pid" open
	[[ $stderr == *"process $pid has ended: 0x9"* ]]
	wait_for 10 process_gone "$pid"
}
