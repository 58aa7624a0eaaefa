#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # the shell that expands is the container's

load common

@test "run: a container runs, detached, and the document says how" {
	bundle one 'echo hello; exec sleep 100'
	shim run --bundle "$BUNDLE" one
	jq -e --arg bundle "$BUNDLE" '.process | .id == "one" and .status == "running" and .pid > 1
		and .bundle == $bundle and .logPath == $bundle + "/log"
		and (.runtime | endswith("/runc")) and .created < .started' <<<"$output"
	pid=$(jq .process.pid <<<"$output")
	[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "sleep 100 " ]
	shim rm --force one
	wait_for 5 process_gone "$pid"
	nothing_left
}

@test "run: a document comes in, keeps its fields and is saved with the bundle" {
	bundle two 'exit 0'
	document=$(jq -nc --arg bundle "$BUNDLE" '{other: [1, {"a": null}],
		rootfs: {id: "two", path: "/", bundle: $bundle, layers: []}}')
	run --separate-stderr ocid-shim run <<<"$document"
	[ "$status" -eq 0 ]
	jq -e '.other == [1, {"a": null}] and .process.id == "two"' <<<"$output"
	[ "$(jq -S . <<<"$output")" = "$(jq -S . "$BUNDLE/document.json")" ]
	shim wait two
	shim rm two
}

@test "run: a document without rootfs, or none at all, is refused" {
	tool 2 bash -c 'echo "{}" | ocid-shim run'
	error_is usage "ctr-store create"
	tool 7 bash -c 'echo "[]" | ocid-shim run'
	error_is integrity "not a JSON object"
	tool 1 bash -c 'ocid-shim run </dev/null'
	error_is failed "no container document"
	tool 2 bash -c 'echo "{\"rootfs\":{\"id\":\"../x\",\"bundle\":\"/tmp\"}}" | ocid-shim run'
	error_is usage 'is not an id'
	nothing_left
}

@test "run: the log goes where the CRI says" {
	bundle three 'echo to the log'
	logs=$BATS_TEST_TMPDIR/pods/ns_pod_uid
	jq -nc --arg bundle "$BUNDLE" --arg logs "$logs" '{
		rootfs: {id: "three", path: "/", bundle: $bundle, layers: []},
		cri: {pod: {logDirectory: $logs}, container: {logPath: "app/0.log"}}}' >"$BUNDLE/in"
	tool bash -c "ocid-shim run <'$BUNDLE/in'"
	[ "$(jq -r .process.logPath <<<"$output")" = "$logs/app/0.log" ]
	shim wait three
	grep -q 'stdout F to the log$' "$logs/app/0.log"
	shim rm three
	[ -e "$logs/app/0.log" ]
	[ ! -e "$BUNDLE/log" ]
}

@test "run: a CRI log path that leads outside is refused" {
	bundle four 'exit 0'
	for path in ../x.log app/../../x.log /etc/x.log app//x.log; do
		jq -nc --arg bundle "$BUNDLE" --arg path "$path" '{
			rootfs: {id: "four", path: "/", bundle: $bundle, layers: []},
			cri: {pod: {logDirectory: "/tmp"}, container: {logPath: $path}}}' >"$BUNDLE/in"
		tool 2 bash -c "ocid-shim run <'$BUNDLE/in'"
		error_is usage "leads outside"
	done
	nothing_left
}

@test "run --wait: the container's exit code is ours, 0 to 255" {
	for code in 0 1 2 3 42 124 125 127 128 137 200 254 255; do
		bundle "code$code" "exit $code"
		shim "$code" run --wait --bundle "$BUNDLE" "code$code"
		[ -z "$stderr" ]
		shim rm "code$code"
	done
	nothing_left
}

@test "run --wait: a command that cannot run is 127, 126 or 125" {
	bundle bad 'exit 0' '.process.args = ["nonesuch"]'
	shim 127 run --wait --bundle "$BUNDLE" bad
	[[ $stderr == "ocid-shim: run: runc: "*nonesuch* ]]
	bundle bad 'exit 0' '.process.args = ["/none/such"]'
	shim 127 run --wait --bundle "$BUNDLE" bad
	bundle bad 'exit 0' '.process.args = ["/etc/passwd"]'
	shim 126 run --wait --bundle "$BUNDLE" bad
	bundle bad 'exit 0' '.root.path = "/none/such"'
	shim 125 run --wait --bundle "$BUNDLE" bad
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	nothing_left
}

@test "run: what the runtime refuses is one line, and nothing is left" {
	bundle bad 'exit 0' '.process.args = ["nonesuch"]'
	shim 1 run --bundle "$BUNDLE" bad
	error_is failed 'executable file not found in $PATH'
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	[ ! -e "$BUNDLE/log" ]
	shim 1 run --errors json --bundle "$BUNDLE" bad
	jq -e '.tool == "ocid-shim" and .verb == "run" and .code == "failed"' <<<"$stderr"
	nothing_left
}

@test "run: an id that is taken is exit 4, and the container stays as it is" {
	bundle same 'exec sleep 100'
	shim run --bundle "$BUNDLE" same
	shim 4 run --bundle "$BUNDLE" same
	error_is exists '"same" exists'
	is_status same running
	shim rm --force same
}

@test "run: ids that are no names are refused" {
	bundle ids 'exit 0'
	for id in a/b ../a . .. /a -- "" "$(printf 'a%.0s' {1..129})" $'a\nb' 'ä'; do
		run --separate-stderr ocid-shim run --bundle "$BUNDLE" -- "$id"
		[ "$status" -eq 2 ]
	done
	long=$(printf 'a%.0s' {1..128})
	shim run --bundle "$BUNDLE" "$long"
	shim wait "$long"
	shim rm "$long"
	nothing_left
}

@test "run: a bundle that is not there, has no config, or a broken one" {
	shim 3 run --bundle /none/such x
	error_is not-found /none/such
	mkdir "$BATS_TEST_TMPDIR/empty"
	shim 3 run --bundle "$BATS_TEST_TMPDIR/empty" x
	error_is not-found "oci-gen generate"
	for text in '' '{' '[]' '{"process": 1}' '{"process": {"terminal": "yes"}}'; do
		echo "$text" >"$BATS_TEST_TMPDIR/empty/config.json"
		shim 7 run --bundle "$BATS_TEST_TMPDIR/empty" x
		error_is integrity config.json
	done
	nothing_left
}

@test "run: an id needs --bundle, and --bundle an id" {
	shim 2 run x
	error_is usage "--bundle"
	shim 2 run --bundle /tmp
	error_is usage "id"
	shim 2 run --bundle /tmp a b
	error_is usage
	shim 2 run --nonesuch
	error_is usage "unknown option"
}

@test "run: --pid-file and --log-path are honoured, relative ones too" {
	bundle files 'echo here; exec sleep 100'
	cd "$BATS_TEST_TMPDIR"
	shim run --bundle files --pid-file my.pid --log-path logs/my.log files
	[ "$(jq .process.pid <<<"$output")" = "$(cat my.pid)" ]
	wait_for 5 grep -q here logs/my.log
	shim rm --force files
	grep -q here logs/my.log
	nothing_left
}

@test "run: a log that cannot be written leaves no container" {
	bundle nolog 'exit 0'
	mkdir "$BUNDLE/log"
	shim 1 run --bundle "$BUNDLE" nolog
	rmdir "$BUNDLE/log"
	mkfifo "$BUNDLE/log"
	run ocid-shim run --bundle "$BUNDLE" nolog
	[ "$status" -ne 0 ]
	rm "$BUNDLE/log"
	ln -s /etc/passwd "$BUNDLE/log"
	shim 7 run --bundle "$BUNDLE" nolog
	shim 3 run --bundle "$BUNDLE" --runtime nonesuch nolog
	error_is not-found "--runtime"
	nothing_left
}

@test "run: a document that nobody can read leaves no container" {
	bundle full 'exec sleep 100'
	tool 9 bash -c "ocid-shim run --bundle '$BUNDLE' full >/dev/full"
	error_is limit
	nothing_left
}

@test "run: every exit code there is, and each is recorded, though nobody waits at the time" {
	bundle every 'exit CODE'
	config=$(<"$BUNDLE/config.json")
	for i in {0..255}; do
		echo "${config/exit CODE/exit $i}" >"$BUNDLE/config.json"
		ocid-shim run --bundle "$BUNDLE" "c$i" >/dev/null
	done
	ocid-shim wait c{0..255} | jq -es 'length == 256 and ([.[].code] == [range(256)]) and all(.signal == null)'
	ocid-shim rm c{0..255}
	nothing_left
}

@test "run: what a service manager gave the caller does not reach the container" {
	bundle env 'ls /proc/self/fd | wc -l; echo "[$LISTEN_FDS$NOTIFY_SOCKET]"'
	LISTEN_FDS=3 LISTEN_PID=1 NOTIFY_SOCKET=/run/none ocid-shim run --bundle "$BUNDLE" env >/dev/null
	shim wait env
	shim logs env
	# stdin, stdout, stderr and the directory that ls reads
	[ "$output" = $'4\n[]' ]
	shim rm env
}

@test "run: with a terminal, the terminal's output is logged" {
	bundle tty 'tty; echo to stderr >&2; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && exit 9' \
		'.process.terminal = true | .mounts += [{destination: "/dev/pts", type: "devpts",
			source: "devpts", options: ["newinstance", "ptmxmode=0666", "mode=0620"]}]'
	shim 9 run --wait --bundle "$BUNDLE" tty
	[ "$(tr -d '\r' <"$BUNDLE/log" | cut -d ' ' -f 2-)" = \
		$'stdout F /dev/pts/0\nstdout F to stderr' ]
	shim rm tty
	nothing_left
}

@test "run: --help says what the options are" {
	shim run --help
	for option in --bundle --runtime --log-path --pid-file --systemd-cgroup --no-pivot --wait; do
		[[ $output == *"$option"* ]]
	done
}

@test "run: what ends at once is known in full: its exit code, its output, that memory was short" {
	for code in 0 42 255; do
		quick "end$code" "exit $code"
		[ "$(jq .code <<<"$output")" -eq "$code" ]
	done
	quick signal 'kill -KILL $$'
	# the first process of a PID namespace cannot kill itself
	[ "$(jq .code <<<"$output")" -eq 0 ]

	quick words 'i=0; while [ $i -lt 3000 ]; do echo "$i and some more text to fill a pipe with"; i=$((i + 1)); done; printf end >&2'
	shim logs words
	[ "$(wc -l <<<"$output")" -eq 3000 ]
	[ "$(tail -n 1 <<<"$output")" = '2999 and some more text to fill a pipe with' ]
	[ "$stderr" = end ]
	shim state words
	# its log begins after it was started
	[ "$(jq -r .started <<<"$output")" \< "$(head -n 1 "$BUNDLE/log")" ]

	# even before the runtime has ended
	runtime slow <<-'END'
		runc "$@"
		code=$?
		case " $* " in *" run "*) sleep 0.4 ;; esac
		exit "$code"
	END
	bundle hungry 'exec tail -c 200m /dev/zero' '.linux.resources = {memory: {limit: 32000000}}'
	shim run --runtime "$RUNTIME" --bundle "$BUNDLE" hungry
	shim wait hungry
	jq -e '.code == 137 and .signal == 9 and .oomKilled' <<<"$output"
	for id in end0 end42 end255 signal words hungry; do
		shim rm "$id"
	done
	nothing_left
}
