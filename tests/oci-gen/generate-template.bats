# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # for inner shells
load ../helpers
load common

setup_file() {
	file_setup
}

# A configuration as no other source would make it.
template() {
	cat >"$BATS_TEST_TMPDIR/template.json" <<-'END'
		{"ociVersion": "1.1.0", "hostname": "box",
		 "root": {"path": "/srv/root", "readonly": true},
		 "process": {"cwd": "/srv", "args": ["server", "--loud"], "env": ["PATH=/bin", "A=1"],
		  "user": {"uid": 7, "gid": 8},
		  "capabilities": {"bounding": ["CAP_KILL"], "effective": [], "permitted": ["CAP_KILL"],
		                   "inheritable": ["CAP_KILL"], "ambient": []},
		  "rlimits": [{"type": "RLIMIT_CORE", "soft": 18446744073709551615, "hard": 18446744073709551615}]},
		 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
		 "linux": {"namespaces": [{"type": "mount"}, {"type": "uts"}], "x-unknown": {"kept": [1]},
		  "seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}}}
	END
}

# patch JSON
patch() {
	printf '%s' "$1" >"$BATS_TEST_TMPDIR/patch.json"
}

@test "generate: a template that nothing speaks against comes out as it went in" {
	template
	tool oci-gen generate --no-document --template "$BATS_TEST_TMPDIR/template.json"
	diff <(jq -S 'del(.process.rlimits)' "$BATS_TEST_TMPDIR/template.json") \
		<(jq -S 'del(.process.rlimits)' <<<"$output")
	[[ $output == *'"soft":9223372036854775807'* ]]
	jq 'del(.process | .rlimits, .user)' "$BATS_TEST_TMPDIR/template.json" >"$BATS_TEST_TMPDIR/no-user.json"
	tool oci-gen generate --no-document --template "$BATS_TEST_TMPDIR/no-user.json"
	is .process.user null
	# what it wrote itself, too
	tool oci-gen generate --no-document --tty -o "$BATS_TEST_TMPDIR/own.json" a b
	tool oci-gen generate --no-document --template "$BATS_TEST_TMPDIR/own.json"
	diff <(jq -S . "$BATS_TEST_TMPDIR/own.json") <(jq -S . <<<"$output")
}

@test "generate: a number above 2^63-1 is kept as unlimited in a resource limit, and refused elsewhere" {
	local file=$BATS_TEST_TMPDIR/big.json expected pointer json

	patch '{"process": {"rlimits": [{"type": "RLIMIT_CORE", "soft": 18446744073709551615, "hard": 9223372036854775808}]}}'
	generate --patch "$BATS_TEST_TMPDIR/patch.json"
	[ "$(grep -o 9223372036854775807 <<<"$output" | wc -l)" -eq 2 ] # jq has no integers
	while read -r expected pointer json; do
		printf '%s' "$json" >"$file"
		tool "$expected" oci-gen generate --no-document --patch "$file"
		[ "$expected" -eq 0 ] || [[ $stderr == *"big.json: $pointer has a number above 2^63-1"* ]]
	done <<-'END'
		10 /linux/resources/memory/limit {"linux": {"resources": {"memory": {"limit": 9223372036854775808}}}}
		10 /linux/seccomp/syscalls/0 {"linux": {"seccomp": {"syscalls": [{"names": ["a"], "args": [{"index": 0, "value": 18446744073709551615, "op": "SCMP_CMP_EQ"}]}]}}}
		10 /x/0 {"process": {"rlimits": [{"type": "RLIMIT_CORE", "soft": 9223372036854775808, "hard": 9223372036854775808}]}, "x": [18446744073709551614]}
		0 - {"x": 9223372036854775807, "process": {"rlimits": [{"type": "RLIMIT_CORE", "soft": 1, "hard": 9223372036854775808}]}, "annotations": {"a": "9223372036854775808"}}
	END
	template
	sed -i 's/"kept": \[1\]/"kept": [18446744073709551615]/' "$BATS_TEST_TMPDIR/template.json"
	tool 10 oci-gen generate --no-document --template "$BATS_TEST_TMPDIR/template.json"
	error_is unsupported /linux/x-unknown/kept/0
	echo '{"x": 18446744073709551616}' >"$file"
	tool 7 oci-gen generate --no-document --patch "$file"
}

@test "generate: options change just what they name in a template" {
	template
	tool oci-gen generate --no-document --template "$BATS_TEST_TMPDIR/template.json" \
		--env A=2 --env B=3 --process-uid 9 --process-cap-add-effective KILL \
		--linux-seccomp-errno reboot --mounts-add '{"destination":"/tmp","type":"tmpfs"}' x
	is '[.process.args, .process.env]' '[["x"],["PATH=/bin","A=2","B=3"]]'
	is .process.user '{"gid":8,"uid":9}'
	is .process.capabilities '{"bounding":["CAP_KILL"],"effective":["CAP_KILL"],"inheritable":["CAP_KILL"],"permitted":["CAP_KILL"]}'
	is .linux.seccomp '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":"SCMP_ACT_ERRNO","names":["reboot"]}]}'
	is '[.mounts[].destination]' '["/proc","/tmp"]'
	is '[.hostname, .root.path, .process.cwd, .linux["x-unknown"].kept[0]]' '["box","/srv/root","/srv",1]'
	jq 'del(.process.rlimits) | .mounts = [{destination: "//sys/", options: ["ro"]}, {destination: "/sysroot", options: ["bind", "ro"]}] | .mounts[] += {type: "x", source: "/usr"}' \
		"$BATS_TEST_TMPDIR/template.json" >"$BATS_TEST_TMPDIR/mounts.json"
	tool oci-gen generate --no-document --template "$BATS_TEST_TMPDIR/mounts.json" --privileged
	is '[.linux.seccomp, .mounts[].options]' '[null,[],["bind","ro"]]'
}

@test "generate: what is mounted in a template is not hidden by what is added, and else in its order" {
	local dir=$BATS_TEST_TMPDIR

	template
	jq 'del(.process.rlimits) | .mounts = [{destination: "/data/sub", type: "tmpfs"}, {destination: "/a", type: "tmpfs"}, {destination: "/dev/cdi/sub", type: "tmpfs"}]' \
		"$dir/template.json" >"$dir/mounts.json"
	tool oci-gen generate --no-document --template "$dir/mounts.json"
	is '[.mounts[].destination]' '["/data/sub","/a","/dev/cdi/sub"]'
	echo '{"os": "linux", "config": {"Volumes": {"/data": {}}}}' >"$dir/image.json"
	tool oci-gen generate --no-document --template "$dir/mounts.json" --image "$dir/image.json" --image-volumes tmpfs
	is '[.mounts[].destination]' '["/a","/data","/data/sub","/dev/cdi/sub"]'
	mkdir "$dir/cdi"
	echo '{"cdiVersion": "0.6.0", "kind": "v.com/c", "devices": [{"name": "d", "containerEdits": {"mounts": [{"hostPath": "/tmp", "containerPath": "/dev/cdi"}]}}]}' >"$dir/cdi/v.json"
	tool oci-gen generate --no-document --template "$dir/mounts.json" --cdi-dir "$dir/cdi" --cdi-device v.com/c=d
	is '[.mounts[].destination]' '["/a","/data/sub","/dev/cdi","/dev/cdi/sub"]'
}

# One member that every source sets: the later one wins.
@test "generate: template, image, document, options, operands, patches, in this order" {
	local dir=$BATS_TEST_TMPDIR bundle=$BATS_TEST_TMPDIR/bundle found
	local all=(--template "$dir/template.json")

	mkdir "$bundle"
	template
	jq -n --arg bundle "$bundle" '{rootfs: {id: "0123456789abcdef", path: "/from/document", bundle: $bundle, layers: []}}' >"$dir/document.json"
	jq '.image = {config: {os: "linux", config: {Cmd: ["image"], Env: ["A=image"], WorkingDir: "/image"}}}' \
		"$dir/document.json" >"$dir/with-image.json"
	patch '{"hostname": "patch", "process": {"args": ["patch"], "env": null}, "linux": {"x-unknown": null, "sysctl": {"kernel.domainname": "d"}}}'

	look() { # DOCUMENT OPTION…: the members that several of them set
		local document=$1

		shift
		tool oci-gen generate --document "$document" "${all[@]}" "$@"
		found=$(jq -c '.config | [.hostname, .root.path, .process.cwd, .process.args[0], (.process.env // [null] | last)]' <<<"$output")
	}
	look "$dir/document.json"
	[ "$found" = '["0123456789ab","/from/document","/srv","server","A=1"]' ]
	look "$dir/with-image.json"
	[ "$found" = '["0123456789ab","/from/document","/image","image","A=image"]' ]
	look "$dir/with-image.json" --hostname option --args option --env A=option
	[ "$found" = '["option","/from/document","/image","option","A=option"]' ]
	look "$dir/with-image.json" --hostname option operand
	[ "$found" = '["option","/from/document","/image","operand","A=image"]' ]
	look "$dir/with-image.json" --hostname option --patch "$dir/patch.json" operand
	[ "$found" = '["patch","/from/document","/image","patch",null]' ]
	is '[.config.linux["x-unknown"], .config.linux.sysctl]' '[null,{"kernel.domainname":"d"}]'
	diff <(jq -S .config <<<"$output") <(jq -S . "$bundle/config.json")
}

@test "generate: patches merge as RFC 7396 says, one after the other, also from standard input" {
	local dir=$BATS_TEST_TMPDIR

	patch '{"annotations": {"a": "b", "c": "d"}, "mounts": []}'
	echo '{"annotations": {"a": "z", "c": null}}' >"$dir/second.json"
	generate --patch "$dir/patch.json" --patch "$dir/second.json"
	is '[.annotations, .mounts]' '[{"a":"z"},[]]'
	tool sh -c 'echo "{\"annotations\": {\"e\": \"f\"}}" | oci-gen generate --patch -'
	is .annotations '{"e":"f"}'
	# the examples of its appendix that are objects on both sides
	while IFS='|' read -r original with result; do
		jq -c '{ociVersion: "1.0.2", root: {path: "/"}, process: {cwd: "/", args: ["a"], user: {uid: 0, gid: 0}}, "x": .}' <<<"$original" >"$dir/t.json"
		jq -c '{"x": .}' <<<"$with" >"$dir/p.json"
		tool oci-gen generate --no-document --template "$dir/t.json" --patch "$dir/p.json"
		is .x "$result"
	done <<-'END'
		{"a":"b"}|{"a":"c"}|{"a":"c"}
		{"a":"b"}|{"b":"c"}|{"a":"b","b":"c"}
		{"a":"b"}|{"a":null}|{}
		{"a":"b","b":"c"}|{"a":null}|{"b":"c"}
		{"a":["b"]}|{"a":"c"}|{"a":"c"}
		{"a":"c"}|{"a":["b"]}|{"a":["b"]}
		{"a":{"b":"c"}}|{"a":{"b":"d","c":null}}|{"a":{"b":"d"}}
		{"a":[{"b":"c"}]}|{"a":[1]}|{"a":[1]}
		["a","b"]|["c","d"]|["c","d"]
		{"a":"b"}|["c"]|["c"]
		{"e":null}|{"a":1}|{"a":1,"e":null}
		[1,2]|{"a":"b","c":null}|{"a":"b"}
		{}|{"a":{"bb":{"ccc":null}}}|{"a":{"bb":{}}}
	END
}

@test "generate: a mistake that the last check finds is the input's, unless the command line has made it" {
	local dir=$BATS_TEST_TMPDIR from

	template
	sed 's:"/srv":"relative":' "$dir/template.json" >"$dir/wrong.json"
	echo '{"process": {"cwd": "relative"}}' >"$dir/patch.json"
	for from in "--template $dir/wrong.json" "--template $dir/template.json --patch $dir/patch.json" "--patch $dir/patch.json"; do
		# shellcheck disable=SC2086 # an option and its value
		tool 7 oci-gen generate --no-document $from
		error_is integrity 'wrong at /process/cwd'
		# shellcheck disable=SC2086
		tool 7 oci-gen generate --no-document $from --hostname box server
		error_is integrity 'wrong at /process/cwd'
	done
	tool 2 oci-gen generate --no-document --template "$dir/template.json" --cwd relative
	tool 2 oci-gen generate --no-document --template "$dir/template.json" --linux-sysctl net.ipv4.ip_forward=1 --linux-namespace-remove network
	error_is usage 'wrong at /linux/sysctl'
	tool 7 oci-gen explain --no-document --template "$dir/wrong.json" /process/cwd
	tool 2 oci-gen generate --no-document --os windows
}

@test "generate: a template or patch that is none gives one error and no file" {
	local dir=$BATS_TEST_TMPDIR out=$BATS_TEST_TMPDIR/out.json

	while IFS='|' read -r kind code text; do
		printf '%s' "$text" >"$dir/bad.json"
		tool "$code" oci-gen generate --no-document -o "$out" "--$kind" "$dir/bad.json" --privileged \
			--linux-seccomp-errno reboot --linux-blkio-weight-device 8:0:10
		[ ! -e "$out" ]
	done <<-'END'
		template|7|[]
		template|7|{
		template|7|{"process": 1}
		template|7|{"process": {"env": [1]}}
		template|7|{"mounts": ["x"]}
		template|7|{"mounts": [{"destination": 1}]}
		template|7|{"linux": {"seccomp": "x"}}
		template|7|{"linux": {"resources": {"blockIO": {"weightDevice": [7]}}}}
		template|2|{}
		template|7|{"process": {"args": ["a"]}}
		patch|7|[]
		patch|7|null
		patch|7|{"a": 1, "a": 2}
		patch|7|{"process": null, "mounts": [{}]}
		patch|7|{"process": {"args": []}}
		patch|7|{"linux": {"namespaces": "x"}}
	END
	tool 3 oci-gen generate --no-document --template "$dir/none"
	error_is not-found
	tool 2 sh -c 'echo "{}" | oci-gen generate --template - --patch -'
	error_is usage "standard input"
	tool 2 sh -c 'echo "{}" | oci-gen generate --document - --patch -'
	error_is usage "standard input"
}

@test "generate: -o makes a bundle of a directory, whole or not at all" {
	local dir=$BATS_TEST_TMPDIR/dir

	mkdir -p "$dir/there"
	tool oci-gen generate --no-document -o "$dir/there"
	fits_schema <"$dir/there/config.json"
	tool oci-gen generate --no-document -o "$dir/new/"
	fits_schema <"$dir/new/config.json"
	tool 2 oci-gen generate --no-document -o "$dir/failed/" --process-uid x
	tool 3 oci-gen generate --no-document -o "$dir/none/deeper/"
	error_is not-found
	[ "$(ls -A "$dir")" = "$(printf 'new\nthere')" ]
	[ "$(ls -A "$dir/new")" = config.json ]
	: >"$dir/file"
	tool 4 oci-gen generate --no-document -o "$dir/file/"
}

@test "generate: a relative root is one of the bundle that is written, also to look up users and volumes" {
	local dir=$BATS_TEST_TMPDIR out

	mkdir -p "$dir/rootfs/etc" "$dir/bundle/rootfs/etc" "$dir/bundle/rootfs/data"
	echo 'app:x:1000:1000::/:' >"$dir/rootfs/etc/passwd"
	echo 'app:x:2000:2000::/:' >"$dir/bundle/rootfs/etc/passwd"
	echo '{"os": "linux", "config": {"User": "app", "Volumes": {"/data": {}}}}' >"$dir/image.json"
	cd "$dir" || return
	for out in bundle bundle/ bundle/config.json "$dir/bundle/other"; do
		tool oci-gen generate --image image.json --image-volumes bind -o "$out" x
		[ ! -d "$out" ] || out=$out/config.json
		[ "$(jq -c '[.process.user.uid, .root.path, (.mounts[] | select(.destination == "/data") | .source)]' "$out")" = \
			"[2000,\"rootfs\",\"$dir/bundle/rootfs/data\"]" ]
	done
	for out in config.json /dev/null; do
		tool oci-gen generate --image image.json -o "$out" x
	done
	[ "$(jq .process.user.uid config.json)" = 1000 ]
	tool oci-gen generate --image image.json x
	is .process.user.uid 1000
	tool 3 oci-gen generate --image image.json -o new/ x
	error_is not-found 'rootfs new//rootfs'
	jq 'del(.root, .process.user)' config.json >no-root.json
	tool 7 oci-gen generate --no-document --template no-root.json
	error_is integrity 'wrong at /root:'
	tool 2 oci-gen generate --no-document --template no-root.json --user app
	error_is usage 'no rootfs'
}

@test "generate: what runc and crun start from is a template" {
	local runtime dir

	for runtime in runc crun; do
		dir=$BATS_TEST_TMPDIR/$runtime
		mkdir "$dir"
		(cd "$dir" && "$runtime" spec)
		tool sh -c 'echo "{\"process\": {\"rlimits\": null}}" | oci-gen generate --template "$1" --patch - \
			--hostname box --process-cap-drop-ambient ALL' sh "$dir/config.json"
		is '[.hostname, .process.rlimits, .process.args]' '["box",null,["sh"]]'
		diff <(jq -S 'del(.hostname, .process.rlimits, .process.capabilities)' "$dir/config.json") \
			<(jq -S 'del(.hostname, .process.rlimits, .process.capabilities)' <<<"$output")
	done
}
