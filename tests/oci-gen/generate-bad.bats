# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
# Bad input: one clear line, exit status 2 or 7, and no file.
load ../helpers
load common

setup_file() {
	file_setup
	make_rootfs
}

setup() {
	BAD=$BATS_TEST_TMPDIR/bad.json
	OUT=$BATS_TEST_TMPDIR/out.json
}

# refused STATUS TEXT ARG…: one line that says TEXT, and no file.
refused() {
	local expected=$1 text=$2

	shift 2
	tool "$expected" oci-gen generate -o "$OUT" "$@"
	[ -z "$output" ]
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	[[ $stderr == "oci-gen: generate: "*"$text"* ]]
	[ ! -e "$OUT" ]
}

@test "generate: bad input: options that conflict" {
	refused 2 'both by --args and as operands' --no-document --args a b
	refused 2 '--args' --no-document --args a --entrypoint b
	refused 2 'exclude each other' --no-document --document x
	refused 2 'only one thing can be read' --template - --patch - </dev/null
	refused 2 'needs a uts namespace' --no-document --hostname x --linux-namespace-remove uts
	refused 2 'needs a network namespace' --no-document --linux-namespace-remove network --linux-sysctl net.a=b
	refused 2 'less than the memory limit' --no-document --linux-mem-limit 2m --linux-mem-swap 1m
	refused 2 'not in the permitted set' --no-document --process-cap-add-effective SYS_ADMIN
	refused 2 'gidMappings' --no-document --linux-uidmappings 0:0:1
}

@test "generate: bad input: options that are malformed" {
	refused 2 "not SRC:DST" --no-document --bind /a
	refused 2 'not a number' --no-document --linux-pids-limit many
	refused 2 'not a capability' --no-document --process-cap-add NONSENSE
	refused 2 'valid JSON' --no-document --mounts-add '{'
	refused 2 'unknown' --no-document --nonsense
}

@test "generate: bad input: a user that nobody knows" {
	refused 2 'no user "nobody-here"' --no-document --rootfs "$ROOTFS" --user nobody-here
	refused 2 'no group "nobody-here"' --no-document --rootfs "$ROOTFS" --user 0:nobody-here
	refused 2 'too large for an id' --no-document --rootfs "$ROOTFS" --user 4294967296
	echo '{"config": {"Cmd": ["x"], "User": "nobody-here"}}' >"$BAD"
	refused 7 'no user "nobody-here"' --rootfs "$ROOTFS" --image "$BAD"
}

@test "generate: bad input: links of the root that are absolute or lead out of it" {
	local root=$BATS_TEST_TMPDIR/root

	mkdir -p "$root/etc" "$BATS_TEST_TMPDIR/host"
	echo 'evil:x:0:0::/:' >"$BATS_TEST_TMPDIR/host/passwd"
	ln -s "$BATS_TEST_TMPDIR/host/passwd" "$root/etc/passwd"
	refused 2 'no user "evil"' --no-document --rootfs "$root" --user evil
	ln -sfn "../../../../../../../..$BATS_TEST_TMPDIR/host/passwd" "$root/etc/passwd"
	refused 2 'no user "evil"' --no-document --rootfs "$root" --user evil
	rm -r "${root:?}/etc"
	ln -s "$BATS_TEST_TMPDIR/host" "$root/etc"
	refused 2 'no user "evil"' --no-document --rootfs "$root" --user evil
	rm "$root/etc"
	mkdir "$root/etc"
	ln -s /proc/self/fd/0 "$root/etc/passwd"
	refused 2 'no user "evil"' --no-document --rootfs "$root" --user evil <"$BATS_TEST_TMPDIR/host/passwd"
	ln -sfn /dev/tty "$root/etc/passwd"
	mkdir "$root/dev"
	mknod "$root/dev/tty" c 5 0
	refused 7 'not a regular file' --no-document --rootfs "$root" --user evil
	ln -sfn passwd "$root/etc/passwd"
	refused 7 'passwd' --no-document --rootfs "$root" --user evil
}

@test "generate: bad input: a hundred thousand variables" {
	/usr/bin/python3 -c '
import json
print(json.dumps({"config": {"Cmd": ["x"], "Env": ["V%d=x" % i for i in range(100000)]}}))' >"$BAD"
	refused 7 '/process/env: has more than 65536 entries' --image "$BAD"
	seq -f 'V%.0f=x' 100000 >"$BATS_TEST_TMPDIR/env"
	refused 2 '/process/env: has more than 65536 entries' --no-document --env-file "$BATS_TEST_TMPDIR/env"
	# more than a program can be given
	seq -f 'V%.0f=x' 200000 >"$BATS_TEST_TMPDIR/env"
	refused 2 'larger than 1048576 bytes' --no-document --env-file "$BATS_TEST_TMPDIR/env"
}

@test "generate: bad input: more than the kernel starts a program with" {
	head -c 131072 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/long"
	{ printf 'LONG=' && cat "$BATS_TEST_TMPDIR/long"; } >"$BATS_TEST_TMPDIR/env"
	refused 2 'longer than the kernel takes' --no-document --env-file "$BATS_TEST_TMPDIR/env"
	/usr/bin/python3 -c '
import json
print(json.dumps({"config": {"Cmd": ["x"], "Env": ["VARIABLE_%d=with some words for its value" % i for i in range(50000)]}}))' >"$BAD"
	refused 7 'the kernel lets a program have 2097152' --image "$BAD"
	tool oci-gen generate --image "$BAD" --process-rlimits-add stack:unlimited -o "$OUT"
}

@test "generate: bad input: NULs" {
	printf '{"config": {"Cmd": ["a\\u0000b"]}}' >"$BAD"
	refused 7 bad.json --image "$BAD"
	printf '{"config": {"Cmd": ["a\0b"]}}' >"$BAD"
	refused 7 bad.json --image "$BAD"
	printf 'A=1\0B=2\n' >"$BAD"
	refused 7 'NUL' --no-document --env-file "$BAD"
	printf '{"process": {"cwd": "/\\u0000"}}' >"$BAD"
	refused 7 bad.json --no-document --patch "$BAD"
	refused 7 bad.json --no-document --template "$BAD"
}

@test "generate: bad input: invalid UTF-8" {
	refused 2 'not UTF-8' --no-document --hostname $'\xff'
	refused 2 'not UTF-8' --no-document $'\xff'
	printf '{"config": {"Cmd": ["\xff"]}}' >"$BAD"
	refused 7 bad.json --image "$BAD"
	printf '{"hostname": "\xc0\x80"}' >"$BAD"
	refused 7 bad.json --no-document --patch "$BAD"
	printf 'A=\xff\n' >"$BAD"
	refused 2 'not UTF-8' --no-document --env-file "$BAD"
}

@test "generate: bad input: deep JSON, and what is none" {
	/usr/bin/python3 -c 'print("[" * 100000 + "]" * 100000)' >"$BAD"
	for option in --image --template --patch --document; do
		refused 7 bad.json $option "$BAD"
	done
	printf '{"config": {"Labels": %s}}' "$(/usr/bin/python3 -c 'print("{\"a\":" * 70 + "1" + "}" * 70)')" >"$BAD"
	refused 7 bad.json --image "$BAD"
	: >"$BAD"
	refused 7 bad.json --image "$BAD"
	printf '{"a": 1, "a": 2}' >"$BAD"
	refused 7 bad.json --patch "$BAD" --no-document
}
