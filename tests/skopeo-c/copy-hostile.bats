# SPDX-License-Identifier: Apache-2.0
# Registries that lie, disks that are full, and ends that come too early.

load ../helpers
load common

setup_file() {
	file_setup
	liar_start
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	oci_image "$BATS_FILE_TMPDIR/oci" v1 '{}' "$BATS_FILE_TMPDIR/base.tar"
}

teardown_file() {
	liar_stop
	file_teardown
}

# a store of every test's own, since a blob that is there is not fetched again
setup() {
	export OCID_ROOT=$BATS_TEST_TMPDIR/root
}

copy() {
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	tool "$expected" skopeo-c copy --tls-verify=false "$@"
}

# the store holds no image of that name, nothing unfinished, and every blob is what it says
store_is_sound() {
	local blob

	[ -z "$(ls -A "$OCID_ROOT/tmp" 2>/dev/null)" ]
	for blob in "$OCID_ROOT"/images/blobs/sha256/*; do
		[ -e "$blob" ] || continue
		[ "$(sha256sum <"$blob" | cut -d ' ' -f 1)" = "$(basename "$blob")" ]
	done
}

# nothing_comes_of LIE MESSAGE [OPTION…]: the image is exit 7 wherever it is copied to, and nothing of it is left
nothing_comes_of() {
	local to lie=$1 message=$2

	shift 2
	for to in "store:hostile" "dir:$BATS_TEST_TMPDIR/d" "oci:$BATS_TEST_TMPDIR/o:x" "docker://$LIAR/takes/$lie:v1"; do
		copy 7 --retry-times 0 "$@" "docker://$LIAR/$lie/x:v1" "$to"
		error_is integrity "$message"
		[ -z "$output" ]
	done
	[ ! -e "$BATS_TEST_TMPDIR/d" ]
	[ "$(jq '.manifests | length' "$BATS_TEST_TMPDIR/o/index.json")" -eq 0 ]
	nothing_unfinished "$BATS_TEST_TMPDIR/o"
	store_is_sound
	# the upload was never completed
	copy 3 "docker://$LIAR/takes/$lie:v1" "dir:$BATS_TEST_TMPDIR/d"
}

@test "copy: a blob that is another, short, or long is exit 7, and nothing of it is left" {
	for lie in wrong-blob short-blob long-blob endless-blob small-blob; do
		nothing_comes_of "$lie" "blob sha256:"
	done
	copy "docker://$LIAR/good/x:v1" store:hostile
}

@test "copy: a local blob that is damaged is not uploaded" {
	cp -r "$BATS_FILE_TMPDIR/oci" "$BATS_TEST_TMPDIR/damaged"
	layer=$(jq -r '.layers[0].digest' <(skopeo-c inspect --raw "oci:$BATS_TEST_TMPDIR/damaged:v1"))
	printf X | dd of="$BATS_TEST_TMPDIR/damaged/blobs/sha256/${layer#sha256:}" bs=1 seek=5000 conv=notrunc status=none
	for to in "docker://$LIAR/takes/damaged:v1" "dir:$BATS_TEST_TMPDIR/d" store:damaged; do
		copy 7 --retry-times 0 "oci:$BATS_TEST_TMPDIR/damaged:v1" "$to"
		error_is integrity "$layer"
	done
	truncate -s -1 "$BATS_TEST_TMPDIR/damaged/blobs/sha256/${layer#sha256:}"
	copy 7 "oci:$BATS_TEST_TMPDIR/damaged:v1" "docker://$LIAR/takes/damaged:v1"
	rm "$BATS_TEST_TMPDIR/damaged/blobs/sha256/${layer#sha256:}"
	copy 3 "oci:$BATS_TEST_TMPDIR/damaged:v1" "docker://$LIAR/takes/damaged:v1"
	error_is not-found "is missing"
}

@test "copy: a blob that is cut off is fetched again, and not for ever" {
	copy --retry-times 1 "docker://$LIAR/flaky-blob/x:v1" store:flaky
	: >"$LIAR_LOG"
	copy 8 --retry-times 1 "docker://$LIAR/cut-blob/x:v1" "oci:$BATS_TEST_TMPDIR/o"
	error_is temporary "connection broke"
	[ "$(grep -c "cut-blob.*blobs" "$LIAR_LOG")" -eq 3 ]
	nothing_unfinished "$BATS_TEST_TMPDIR/o"
}

@test "copy: an upload is repeated when the registry is busy, and refused when it is refused" {
	copy --retry-times 2 "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$LIAR/takes-once-more/x:v1"
	copy 9 "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$LIAR/takes-not/x:v1"
	error_is limit "413"
	copy 8 --retry-times 0 "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$LIAR/broken/x:v1"
	error_is temporary
	copy 6 "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$LIAR/forbidden/x:v1"
	error_is denied
}

@test "copy: manifests that are no good leave no destination" {
	for lie in big-manifest html half-manifest traversal confused nested; do
		run skopeo-c copy --tls-verify=false "docker://$LIAR/$lie/x:v1" "dir:$BATS_TEST_TMPDIR/d"
		[ "$status" -eq 7 ] || [ "$status" -eq 9 ]
		run skopeo-c copy --tls-verify=false "docker://$LIAR/$lie/x:v1" "oci:$BATS_TEST_TMPDIR/o"
		[ ! -e "$BATS_TEST_TMPDIR/d" ]
		[ ! -e "$BATS_TEST_TMPDIR/o" ]
	done
	tool 7 skopeo-c copy --all --tls-verify=false "docker://$LIAR/nested/y:v1" "dir:$BATS_TEST_TMPDIR/d"
	error_is integrity "nested deeper"
}

@test "copy: nothing is left of an image whose config is no good, though its layers were on their way" {
	local lie

	for lie in wrong-config text-config; do
		nothing_comes_of "$lie" "" --events 1
	done
	copy "docker://$LIAR/good/x:v1" store:hostile
}

@test "copy: a full disk is exit 9, and the store works on" {
	mkdir "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=900k none "$BATS_TEST_TMPDIR/small"
	for to in "oci:$BATS_TEST_TMPDIR/small/o" "dir:$BATS_TEST_TMPDIR/small/d" store:full; do
		run --separate-stderr env OCID_ROOT="$BATS_TEST_TMPDIR/small/root" skopeo-c copy --tls-verify=false "docker://$LIAR/good/x:v1" "$to"
		error_is limit "No space left" || { umount "$BATS_TEST_TMPDIR/small"; return 1; }
	done
	left=$(find "$BATS_TEST_TMPDIR/small" -name '.new*' -o -path '*/root/tmp/*')
	mount -o remount,size=8m "$BATS_TEST_TMPDIR/small"
	run env OCID_ROOT="$BATS_TEST_TMPDIR/small/root" skopeo-c copy --tls-verify=false "docker://$LIAR/good/x:v1" store:full
	umount "$BATS_TEST_TMPDIR/small"
	[ "$status" -eq 0 ]
	[ -z "$left" ]
}

@test "copy: a read-only root is exit 6, as a source it works" {
	mkdir "$OCID_ROOT"
	mount -t tmpfs none "$OCID_ROOT"
	copy "docker://$LIAR/good/x:v1" store:kept
	mount -o remount,ro "$OCID_ROOT"
	run --separate-stderr skopeo-c copy --tls-verify=false "docker://$LIAR/good/x:v1" store:more
	local to=$status error=$stderr
	run --separate-stderr skopeo-c copy store:kept "dir:$BATS_TEST_TMPDIR/d"
	umount "$OCID_ROOT"
	[ "$status" -eq 0 ]
	[ "$to" -eq 6 ]
	[[ $error == *"Read-only file system"* ]]
}

@test "copy: SIGTERM and SIGINT end it with 128 + n and leave nothing unfinished" {
	for signal in TERM INT; do
		for to in "store:interrupted" "dir:$BATS_TEST_TMPDIR/d" "oci:$BATS_TEST_TMPDIR/o" "docker://$LIAR/takes/interrupted:v1"; do
			# that of the copy before would say that this one has started
			rm -f "$BATS_TEST_TMPDIR/events"
			# bash starts background jobs with SIGINT ignored
			env --default-signal=INT skopeo-c copy --tls-verify=false --events 3 "docker://$LIAR/slower-blob/x:v1" "$to" \
				3>"$BATS_TEST_TMPDIR/events" >/dev/null 2>"$BATS_TEST_TMPDIR/stderr" &
			pid=$!
			wait_for 20 grep -q started "$BATS_TEST_TMPDIR/events"
			kill -s "$signal" "$pid"
			status=0
			wait "$pid" || status=$?
			[ "$status" -eq $((128 + $(kill -l "$signal"))) ]
			[ ! -s "$BATS_TEST_TMPDIR/stderr" ]
			[ ! -e "$BATS_TEST_TMPDIR/d" ]
		done
	done
	nothing_unfinished "$BATS_TEST_TMPDIR/o"
	store_is_sound
	tool 3 skopeo-c inspect store:interrupted
}

@test "sync: SIGTERM ends the copies that are under way, and nothing of them is left" {
	: >"$LIAR_LOG"
	mkdir "$BATS_TEST_TMPDIR/stick"
	skopeo-c sync --tls-verify=false --keep-going -s docker -d dir "$LIAR/slower-blob/x" "$BATS_TEST_TMPDIR/stick" \
		>/dev/null 2>"$BATS_TEST_TMPDIR/stderr" 3>&- &
	pid=$!
	wait_for 20 grep -q 'slower-blob/x/blobs' "$LIAR_LOG"
	kill "$pid"
	wait_for 20 process_gone "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	[ ! -s "$BATS_TEST_TMPDIR/stderr" ]
	[ ! -e "$BATS_TEST_TMPDIR/stick/x:v1/manifest.json" ]
	nothing_unfinished "$BATS_TEST_TMPDIR/stick"
}

@test "copy: what a killed copy has left is swept by the next, what a living one has is not" {
	mkdir -p "$BATS_TEST_TMPDIR/o"
	copy "oci:$BATS_FILE_TMPDIR/oci:v1" "oci:$BATS_TEST_TMPDIR/o"
	touch "$BATS_TEST_TMPDIR/o/.new.dead" "$BATS_TEST_TMPDIR/o/.new.alive"
	/usr/bin/python3 -c 'import fcntl, struct, sys, time
file = open(sys.argv[1], "r+")
fcntl.fcntl(file, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
print("locked", flush=True)
time.sleep(60)' "$BATS_TEST_TMPDIR/o/.new.alive" >"$BATS_TEST_TMPDIR/locked" 3>&- &
	wait_for 10 grep -q locked "$BATS_TEST_TMPDIR/locked"
	copy "oci:$BATS_FILE_TMPDIR/oci:v1" "oci:$BATS_TEST_TMPDIR/o"
	kill $!
	[ ! -e "$BATS_TEST_TMPDIR/o/.new.dead" ]
	[ -e "$BATS_TEST_TMPDIR/o/.new.alive" ]
}

@test "copy: what another copy is writing stays, also where files have a name from their beginning" {
	cd "$BATS_TEST_TMPDIR"
	tar --mtime=@0 -cf a.tar -C "$TESTS" helpers.bash
	tar --mtime=@0 -cf b.tar -C "$TESTS" oci-image.py
	oci_image a v1 '{}' a.tar
	oci_image b v1 '{}' b.tar
	oci_image o v1 '{}'
	cp -a o trial
	# which openat() in the layout makes the first file
	local traced=(env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" timeout -k 5 "${TOOL_TIMEOUT:-60}" strace -f -e "trace=openat,renameat")
	"${traced[@]}" -o calls -P "$PWD/trial" skopeo-c copy oci:a:v1 oci:trial:a >/dev/null
	number=$(grep 'openat(' calls | grep -n -m 1 O_TMPFILE | cut -d : -f 1)
	"${traced[@]}" -o calls -P "$PWD/o" -e "inject=openat:error=EOPNOTSUPP:when=$number" \
		-e inject=renameat:delay_enter=2s:when=1 skopeo-c copy oci:a:v1 oci:o:a >/dev/null 3>&- &
	first=$!
	wait_for 10 compgen -G 'o/.new.*'
	tool skopeo-c copy oci:b:v1 oci:o:b
	wait "$first"
	[ -z "$(find o -name '.new.*')" ]
	tool skopeo-c inspect oci:o:a
}

# killed_copies DIRECTORY: most of the time is spent in waiting for the moment
killed_copies() {
	export OCID_ROOT=$1/root
	for ((n = 0; n < 3; n++)); do
		for to in "store:killed$n" "dir:$1/d$n" "oci:$1/o:x$n"; do
			skopeo-c copy --tls-verify=false "docker://$LIAR/slow-blob/x:v1" "$to" >/dev/null 2>&1 &
			pid=$!
			sleep "0.$((RANDOM % 60 + 10))"
			kill -9 "$pid" 2>/dev/null || true
			wait "$pid" 2>/dev/null || true
			copy "docker://$LIAR/good/x:v1" "$to"
			rm -rf "$OCID_ROOT/images"
		done
	done
	[ -z "$(find "$1" -name '.new.*' -not -path '*/root/tmp/*')" ]
}

@test "copy: kill -9 at any moment, and the same command succeeds" {
	local i pids=()

	for i in 1 2 3 4; do
		mkdir "$BATS_TEST_TMPDIR/$i"
		killed_copies "$BATS_TEST_TMPDIR/$i" 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
}
