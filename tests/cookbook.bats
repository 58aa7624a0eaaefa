# SPDX-License-Identifier: Apache-2.0
# Every recipe of ocid-cookbook(7), as it stands there, by itself.

load helpers
load typed

PAGE=$TESTS/../man/ocid-cookbook.7

setup_file() {
	file_setup
	machine_up
	# an older image of the same name, and a plugin of networks' leases of the file's own
	printf new >"$BATS_FILE_TMPDIR/new"
	tar -C "$BATS_FILE_TMPDIR" -cf "$BATS_FILE_TMPDIR/new.tar" new
	oci_image "$BATS_FILE_TMPDIR/old" 1 '{"config": {"Cmd": ["sh"]}}' "$BATS_FILE_TMPDIR/base.tar" \
		"$BATS_FILE_TMPDIR/new.tar"
	nsenter --net="/run/netns/$HOST" skopeo --insecure-policy copy -q --dest-tls-verify=false \
		"oci:$BATS_FILE_TMPDIR/old:1" docker://127.0.0.1:80/library/nginx:1
}

setup() { cd "$BATS_TEST_TMPDIR" || return; }

teardown() { ctr-store wipe >/dev/null; }

teardown_file() {
	machine_down
	file_teardown
}

# the script of a recipe, as a reader sees it; the directories of the file take the place of usual ones
recipe() { # TITLE
	awk -v section=".Ss $1" '
		$0 == section { inside = 1 }
		inside && /^\.Ed/ { exit }
		text { print }
		inside && /^\.Bd/ { text = 1 }' "$PAGE" |
		sed "s/\\\\e/\\\\/g; s/\\\\(aq/'/g; s|/run/ocid/|$OCID_RUNROOT/|g; s|/var/log/web|$BATS_TEST_TMPDIR/web|g"
}

follow() { # TITLE
	recipe "$1" >script
	[ -s script ]
	on_machine script
}

@test "cookbook: the page has no recipe that is not followed" {
	local title count=0

	while read -r title; do
		grep -qF "follow \"$title\"" "$BATS_TEST_FILENAME" || echo "$title"
		count=$((count + 1))
	done < <(sed -n 's/^\.Ss //p' "$PAGE") >missing
	cat missing
	# ctr-store/rootless.bats does what this one shows, as a real user
	[ "$(cat missing)" = "Work without root" ]
	[ "$(grep -c '^\.Ss' "$PAGE")" -ge 20 ]
}

@test "cookbook: look at many images at once" {
	follow "Look at many images at once"
	[ "$(grep -cP '^sha256:[0-9a-f]{64}\t.*\t[0-9]+$' <<<"$output")" -eq 2 ]
}

@test "cookbook: compare two images" {
	follow "Compare two images"
	[[ $output == *'"/config/Cmd/0"'* || $output == *'Cmd'* ]]
}

@test "cookbook: mirror a registry" {
	follow "Mirror a registry"
	[ "$(tail -n 1 <<<"$output")" = '["latest","1"]' ]
}

@test "cookbook: sign images, and take only signed ones" {
	follow "Sign images, and accept only signed ones"
	[ "$(tail -n 1 <<<"$output")" = "not signed: exit status 6" ]
	[ "$(ctr-store images | jq -r .names[])" = registry.example/team/nginx:signed ]
}

@test "cookbook: build an image from nothing" {
	follow "Build an image from scratch"
	[ -z "$(ctr-store images)" ]
	nsenter --net="/run/netns/$HOST" skopeo inspect --tls-verify=false --config docker://127.0.0.1:80/team/tiny:1 |
		jq -e '.config.Entrypoint == ["/bin/sh", "-c"]'
}

@test "cookbook: mount an image" {
	follow "Mount an image"
	[[ $output == *"in use: exit status 5"* ]]
}

@test "cookbook: run a command in an image" {
	follow "Run a command in an image"
	[ "$(tail -n 1 <<<"$output")" = 3 ]
	grep -qx 0 <<<"$output"
}

@test "cookbook: run a server with a port of the host" {
	follow "Run a server with a published port"
	grep -qx hello <<<"$output"
}

@test "cookbook: work in a running container" {
	follow "Work in a running container"
	grep -q '^exec: ' <<<"$output"
	[[ $output == *$'user\n/tmp\nb\n'* ]]
	grep -qx 'attach: 1' <<<"$output"
	grep -qx '{"code":0,"signal":null}' <<<"$output"
}

@test "cookbook: keep logs small" {
	follow "Keep logs small"
	[[ $output == *$'\nlog\nlog.1\n'* ]]
}

@test "cookbook: limit memory and processors" {
	follow "Limit memory and processors"
	[[ $output == *'"pids":'* ]]
}

@test "cookbook: find out why a container does not start" {
	follow "Find out why a container does not start"
	[[ $output == *"exit status"* ]]
	[[ $stderr == *nosuch* ]]
	grep -qx 'it is not there' <<<"$output"
	grep -qx 'now it runs' <<<"$output"
}

@test "cookbook: make a network by hand" {
	follow "Make a network by hand"
	grep -qx hello <<<"$output"
}

@test "cookbook: connect a container to two networks" {
	follow "Connect a container to two networks"
	[[ $output == *'["front","eth0","10.94.0.'* ]]
	[[ $output == *'["back","eth1","10.91.0.'* ]]
}

@test "cookbook: give a container users of its own" {
	# what a container's root may not search, no mount can be made on; /var/lib is as this
	chmod a+x "$BATS_RUN_TMPDIR"
	follow "Run a container in a user namespace"
	[[ $output == *100000* ]]
}

@test "cookbook: take files out, and put files in" {
	follow "Change, export and import files"
	grep -qx www/index.html <<<"$output"
	tar -tf flat.tar | grep -qx manifest.json
}

@test "cookbook: make a pod as Kubernetes would" {
	follow "Make a pod as Kubernetes would"
	grep -qx web <<<"$output"
	grep -qx hello <<<"$output"
	[[ $stderr == *"oci-gen generate"* ]]
}

@test "cookbook: serve crictl and a kubelet" {
	follow "Serve crictl and a kubelet"
	[ ! -e "$OCID_RUNROOT/ocid.sock" ]
}

@test "cookbook: clean up" {
	follow "Clean up"
	[ -z "$(ctr-store images)" ]
}

@test "cookbook: back up a machine, and restore it" {
	follow "Back up a machine, and restore it"
	grep -qx kept <<<"$output"
}
