# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# For the tests of oci-gen, after helpers.bash.

# A root file system of busybox, once a file: $ROOTFS.
make_rootfs() {
	export ROOTFS=$BATS_FILE_TMPDIR/rootfs

	busybox_tar "$BATS_FILE_TMPDIR/rootfs.tar"
	mkdir "$ROOTFS"
	tar -C "$ROOTFS" -xf "$BATS_FILE_TMPDIR/rootfs.tar"
}

# generate ARG…: $output is the configuration, which fits the schema.
generate() {
	tool oci-gen generate --no-document "$@"
	fits_schema <<<"$output"
}

# Standard input is JSON, and fits the schema of what oci-gen writes: all that a file of tests made
# is looked at together at its end, since the validator takes long to start.
fits_schema() {
	jq -ce '{test: env.BATS_TEST_DESCRIPTION, config: .}' >>"$BATS_FILE_TMPDIR/configs"
}

check_schemas() {
	[ ! -e "$BATS_FILE_TMPDIR/configs" ] || /usr/bin/python3 -c '
import json, sys, jsonschema
with open(sys.argv[1]) as file:
    check = jsonschema.Draft7Validator(json.load(file))
failed = False
for line in sys.stdin:
    made = json.loads(line)
    for error in check.iter_errors(made["config"]):
        failed = True
        print(made["test"], list(error.absolute_path), error.message, sep=": ")
sys.exit(failed)
' "$TESTS/oci-gen/config.schema.json" <"$BATS_FILE_TMPDIR/configs"
}

teardown_file() {
	local status=0

	check_schemas || status=$?
	file_teardown
	return "$status"
}

# is FILTER EXPECTED: what jq makes of the last output, as compact JSON.
is() {
	local found

	found=$(jq -cS "$1" <<<"$output")
	if [ "$found" != "$2" ]; then
		echo "$1 is $found, not $2"
		return 1
	fi
}

# with_apparmor STATUS PROFILES ARG…: as `tool`, where the kernel looks as one that has these loaded.
with_apparmor() {
	# shellcheck disable=SC2016 # for the inner shell
	tool "$1" unshare --mount --propagation private sh -ec '
		mount -t tmpfs none /sys/module
		mkdir -p /sys/module/apparmor/parameters
		echo Y >/sys/module/apparmor/parameters/enabled
		mount -t tmpfs none /sys/kernel
		mkdir -p /sys/kernel/security/apparmor
		for profile in $1; do echo "$profile (enforce)"; done >/sys/kernel/security/apparmor/profiles
		shift
		exec "$@"' sh "${@:2}"
}

# changes POINTER… -- ARG…: with the options, the configuration differs from the default one in
# these members only (as jq paths, joined with "/").
changes() {
	local expected=()

	while [ "$1" != -- ]; do
		expected+=("$1")
		shift
	done
	shift
	generate
	jq -S . <<<"$output" >"$BATS_TEST_TMPDIR/default.json"
	generate "$@"
	diff <(printf '%s\n' "${expected[@]}" | sort) <(jq -rn --argjson new "$output" '
		input as $old
		| [$old, $new | paths(scalars)] | unique[] as $p
		| select(($old | try getpath($p) catch null) != ($new | try getpath($p) catch null))
		| $p | map(if type == "number" then "*" else . end) | join("/")
		' "$BATS_TEST_TMPDIR/default.json" | sort -u)
}

# The same for each line of standard input: POINTER… | ARG…. One schema check for all.
changes_all() {
	local row rows=$BATS_TEST_TMPDIR/rows made=$BATS_TEST_TMPDIR/made

	cat >"$rows"
	oci-gen generate --no-document >"$made"
	while IFS= read -r row; do
		# shellcheck disable=SC2086 # options and values, without spaces of their own
		oci-gen generate --no-document ${row#*|} >>"$made" || {
			echo "exit status $?: $row"
			return 1
		}
	done <"$rows"
	/usr/bin/python3 "$TESTS/oci-gen/changes.py" "$TESTS/oci-gen/config.schema.json" "$rows" <"$made"
}

# run_container RUNTIME ID ARG…: run what generate makes of the arguments. $output is what the
# container printed.
run_container() {
	local runtime=$1 id=$2
	local bundle=$BATS_TEST_TMPDIR/bundle.$2

	shift 2
	mkdir -p "$bundle"
	tool oci-gen generate --no-document -o "$bundle/config.json" "$@"
	run_bundle "$runtime" "$id" "$bundle"
}

# run_bundle RUNTIME ID BUNDLE
run_bundle() {
	# shellcheck disable=SC2016 # for the inner shell
	case $1 in
	runc) tool runc --root "$BATS_FILE_TMPDIR/runc" run --bundle "$3" "$2" ;;
	# crun 1.8 refuses a hybrid hierarchy, so it gets a view without the unified part
	crun) tool unshare --mount sh -c '
		if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
		exec crun --root "$1" run --bundle "$2" "$3"' sh "$BATS_FILE_TMPDIR/crun" "$3" "$2" ;;
	esac
}

# Remove the control group that containers with an id lie in, once it is empty.
remove_cgroup_parents() {
	find /sys/fs/cgroup -depth -type d -name ocid -exec rmdir {} + 2>/dev/null || true
}
