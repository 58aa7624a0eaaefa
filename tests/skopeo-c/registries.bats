# SPDX-License-Identifier: Apache-2.0

load ../helpers
load common

setup_file() {
	file_setup
	liar_start
}

teardown_file() {
	liar_stop
	file_teardown
}

# every place where credentials and configuration are looked for is the test's own
setup() {
	export HOME=$BATS_TEST_TMPDIR/home XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run
	export CONTAINERS_REGISTRIES_CONF=$BATS_TEST_TMPDIR/registries.conf
	mkdir -p "$HOME/.config/containers" "$XDG_RUNTIME_DIR"
	unset XDG_CONFIG_HOME DOCKER_CONFIG REGISTRY_AUTH_FILE
	: >"$LIAR_LOG"
}

asked() {
	grep -c "^${1#*:} .*$2" "$LIAR_LOG"
}

@test "registries: insecure allows plain http, for a source and a destination" {
	: >"$CONTAINERS_REGISTRIES_CONF"
	tool 8 skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	error_is temporary "does not speak TLS"
	error_is temporary "(--tls-verify=false, or insecure in registries.conf, allows plain http)"
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$LIAR" "$LIAR_ELSEWHERE" >"$CONTAINERS_REGISTRIES_CONF"
	tool skopeo-c inspect "docker://$LIAR/good/x:v1"
	tool skopeo-c list-tags "docker://$LIAR/good/x"
	tool skopeo-c copy "docker://$LIAR/good/x:v1" "docker://$LIAR_ELSEWHERE/takes/insecure:v1"
}

@test "registries: --tls-verify insists, also where a registry or a mirror is called insecure, and for a side more than for both" {
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n[[registry]]\nprefix = "example.com"\nlocation = "%s"\n[[registry.mirror]]\nlocation = "%s"\ninsecure = true\n' \
		"$LIAR" "$LIAR_ELSEWHERE" "$LIAR" >"$CONTAINERS_REGISTRIES_CONF"
	tool 8 skopeo-c inspect -n --tls-verify --creds alice:secret "docker://$LIAR/basic/x:v1"
	error_is temporary "does not speak TLS"
	tool 8 skopeo-c inspect -n --tls-verify=true "docker://example.com/good/x:v1"
	tool 8 skopeo-c copy --tls-verify=false --src-tls-verify "docker://$LIAR/good/x:v1" "dir:$BATS_TEST_TMPDIR/d"
	printf '%s:\n  tls-verify: true\n  images: {good/x: [v1]}\n' "$LIAR" >"$BATS_TEST_TMPDIR/list.yaml"
	tool 8 skopeo-c sync -s yaml -d dir "$BATS_TEST_TMPDIR/list.yaml" "$BATS_TEST_TMPDIR/d"
	run ! grep -q "GET" "$LIAR_LOG"
	tool skopeo-c inspect -n "docker://example.com/good/x:v1"
}

@test "registries: a blocked registry is asked for nothing" {
	cat >"$CONTAINERS_REGISTRIES_CONF" <<-END
		[[registry]]
		location = "$LIAR"
		insecure = true
		[[registry]]
		location = "$LIAR/good"
		blocked = true
	END
	tool 6 skopeo-c inspect "docker://$LIAR/good/x:v1"
	error_is denied "blocked by $CONTAINERS_REGISTRIES_CONF:4"
	tool 6 skopeo-c list-tags "docker://$LIAR/good/x"
	tool 6 skopeo-c copy "docker://$LIAR/good/x:v1" "oci:$BATS_TEST_TMPDIR/o:x"
	[ ! -e "$BATS_TEST_TMPDIR/o" ]
	[ ! -s "$LIAR_LOG" ]
	tool 6 skopeo-c copy "docker://$LIAR/other/x:v1" "docker://$LIAR/good/x:v1"
	run ! grep -q good "$LIAR_LOG"
}

@test "registries: mirrors serve also what is blocked, as for skopeo" {
	local gone expected peer=(skopeo --registries-conf "$CONTAINERS_REGISTRIES_CONF" inspect -n)

	gone=127.0.0.1:$(free_port)
	cat >"$CONTAINERS_REGISTRIES_CONF" <<-END
		[[registry]]
		location = "$LIAR_ELSEWHERE"
		insecure = true
		blocked = true
		[[registry.mirror]]
		location = "$LIAR"
		insecure = true
	END
	tool skopeo-c inspect -n "docker://$LIAR_ELSEWHERE/good/x:v1"
	tool skopeo-c copy "docker://$LIAR_ELSEWHERE/good/x:v1" "oci:$BATS_TEST_TMPDIR/o:x"
	# the tags that can be had are those of the mirror; what only the registry can take is refused
	tool skopeo-c list-tags "docker://$LIAR_ELSEWHERE/good/x"
	[ "$(jq -r .Repository <<<"$output")" = "$LIAR_ELSEWHERE/good/x" ]
	expected=$(jq .Tags <<<"$output")
	tool skopeo-c inspect "docker://$LIAR_ELSEWHERE/good/x:v1"
	[ "$(jq .RepoTags <<<"$output")" = "$expected" ]
	tool 6 skopeo-c copy "docker://$LIAR/good/x:v1" "docker://$LIAR_ELSEWHERE/takes/x:v1"
	# where the mirror does not, nobody does
	sed -i "s,\"$LIAR\",\"$gone\"," "$CONTAINERS_REGISTRIES_CONF"
	run ! "${peer[@]}" "docker://$LIAR_ELSEWHERE/good/x:v1"
	[[ $output == *"Mirrors also failed: [$gone/good/x:v1: "*"registry $LIAR_ELSEWHERE is blocked"* ]]
	tool 6 skopeo-c inspect -n "docker://$LIAR_ELSEWHERE/good/x:v1"
	error_is denied "$LIAR_ELSEWHERE/good/x:v1 is blocked by $CONTAINERS_REGISTRIES_CONF:1"
	tool 6 skopeo-c list-tags "docker://$LIAR_ELSEWHERE/good/x"
	error_is denied "$LIAR_ELSEWHERE/good/x is blocked by $CONTAINERS_REGISTRIES_CONF:1"
	run ! asked "$LIAR_ELSEWHERE" .
}

@test "registries: an image of a mirror is told of while the registry itself is away" {
	local gone

	gone=127.0.0.1:$(free_port)
	cat >"$CONTAINERS_REGISTRIES_CONF" <<-END
		[[registry]]
		location = "$gone"
		insecure = true
		[[registry.mirror]]
		location = "$LIAR"
		insecure = true
	END
	tool skopeo-c inspect "docker://$gone/good/x:v1"
	[ "$(jq -c .RepoTags <<<"$output")" = "[]" ]
	[[ $stderr == *"warning: cannot reach $gone"* ]]
	tool 8 skopeo-c list-tags "docker://$gone/good/x"
	error_is temporary "cannot reach $gone"
}

@test "registries: a key counts in any case, as for skopeo" {
	printf '[[Registry]]\nLocation = "%s"\nINSECURE = true\nBlocked = true\n' "$LIAR" >"$CONTAINERS_REGISTRIES_CONF"
	run ! skopeo --registries-conf "$CONTAINERS_REGISTRIES_CONF" inspect -n "docker://$LIAR/good/x:v1"
	[[ $output == *"is blocked"* ]]
	tool 6 skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	error_is denied "blocked by $CONTAINERS_REGISTRIES_CONF:1"
	[ ! -s "$LIAR_LOG" ]
	sed -i '/Blocked/d' "$CONTAINERS_REGISTRIES_CONF"
	tool skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	[[ $stderr != *"unknown key"* ]]
}

@test "registries: what is blocked is not read through another name either, as for skopeo" {
	local peer=(skopeo --registries-conf "$CONTAINERS_REGISTRIES_CONF" inspect -n)

	cat >"$CONTAINERS_REGISTRIES_CONF" <<-END
		[[registry]]
		location = "$LIAR"
		insecure = true
		blocked = true
		[[registry]]
		prefix = "moved.example.com"
		location = "$LIAR/good"
		insecure = true
		[[registry]]
		location = "$LIAR_ELSEWHERE"
		insecure = true
		[[registry.mirror]]
		location = "$LIAR"
		insecure = true
	END
	run ! "${peer[@]}" docker://moved.example.com/x:v1
	[[ $output == *"is blocked"* ]]
	tool 6 skopeo-c inspect -n docker://moved.example.com/x:v1
	error_is denied "$LIAR/good/x:v1 is blocked by $CONTAINERS_REGISTRIES_CONF:1"
	# a mirror is left out
	run ! "${peer[@]}" "docker://$LIAR_ELSEWHERE/good/x:v1"
	[[ $output == *"Mirrors also failed: [$LIAR/good/x:v1: registry $LIAR is blocked"* ]]
	tool skopeo-c inspect -n "docker://$LIAR_ELSEWHERE/good/x:v1"
	[[ $stderr == *"mirror $LIAR: $LIAR/good/x:v1 is blocked by $CONTAINERS_REGISTRIES_CONF:1"* ]]
	run ! asked "$LIAR" .
	# of one place only one thing can be said
	sed -i "s,$LIAR/good,$LIAR," "$CONTAINERS_REGISTRIES_CONF"
	run ! "${peer[@]}" docker://moved.example.com/x:v1
	[[ $output == *"conflicting 'blocked'"* ]]
	tool 7 skopeo-c inspect -n docker://moved.example.com/x:v1
	error_is integrity ":5: the same prefix or location as above"
}

@test "registries: of two prefixes with * before them the longer one counts, and a whole name more than both" {
	cat >"$CONTAINERS_REGISTRIES_CONF" <<-END
		[[registry]]
		prefix = "*.example.com"
		location = "$LIAR"
		insecure = true
		[[registry]]
		prefix = "*.dark.example.com"
		blocked = true
		[[registry]]
		location = "one.example.com"
		blocked = true
	END
	tool skopeo-c inspect -n "docker://two.example.com/good/x:v1"
	: >"$LIAR_LOG"
	tool 6 skopeo-c inspect -n "docker://a.dark.example.com/good/x:v1"
	error_is denied "blocked by $CONTAINERS_REGISTRIES_CONF:5"
	tool 6 skopeo-c inspect -n "docker://one.example.com/good/x:v1"
	error_is denied "blocked by $CONTAINERS_REGISTRIES_CONF:8"
	[ ! -s "$LIAR_LOG" ]
}

@test "registries: location moves a name, which the image keeps" {
	cat >"$CONTAINERS_REGISTRIES_CONF" <<-END
		[[registry]]
		prefix = "*.example.com"
		location = "$LIAR/good"
		insecure = true
	END
	tool skopeo-c inspect docker://a.b.example.com/team/x:v1
	jq -e '.Name == "a.b.example.com/team/x" and .RepoTags == ["v1"]' <<<"$output"
	grep -q "/v2/good/team/x/manifests/v1" "$LIAR_LOG"
	tool skopeo-c list-tags docker://a.example.com/x
	tool skopeo-c copy docker://a.example.com/x:v1 store:
	jq -e '.image.name == "a.example.com/x:v1"' <<<"$output"
}

@test "registries: mirrors are asked in order, the registry last" {
	local gone

	gone=$(free_port)
	cat >"$CONTAINERS_REGISTRIES_CONF" <<-END
		[[registry]]
		prefix = "example.com"
		location = "$LIAR/good"
		insecure = true
		[[registry.mirror]]
		location = "127.0.0.1:$gone"
		insecure = true
		[[registry.mirror]]
		location = "$LIAR_ELSEWHERE/takes/none"
		insecure = true
		[[registry.mirror]]
		location = "$LIAR_ELSEWHERE/good"
		insecure = true
	END
	tool skopeo-c copy docker://example.com/x:v1 "dir:$BATS_TEST_TMPDIR/d"
	[[ $stderr == *"mirror 127.0.0.1:$gone: cannot reach"* ]]
	# all of it is from the mirror that had it
	run ! asked "$LIAR" .
	[ "$(asked "$LIAR_ELSEWHERE" "GET /v2/good/x/blobs")" -ge 2 ]
	# tags are those of the registry
	tool skopeo-c inspect docker://example.com/x:v1
	[ "$(asked "$LIAR" "tags/list")" -ge 1 ]
	sed -i "s,$LIAR_ELSEWHERE/good,$LIAR_ELSEWHERE/takes/none," "$CONTAINERS_REGISTRIES_CONF"
	: >"$LIAR_LOG"
	tool skopeo-c copy docker://example.com/x:v1 "dir:$BATS_TEST_TMPDIR/d"
	[ "$(asked "$LIAR" "GET /v2/good/x/manifests")" -ge 1 ]
	# what the registry itself says is the error
	sed -i "s,$LIAR/good,$LIAR/takes/none," "$CONTAINERS_REGISTRIES_CONF"
	tool 3 skopeo-c copy docker://example.com/x:v1 "dir:$BATS_TEST_TMPDIR/e"
	error_is not-found "no image example.com/x:v1"
}

@test "registries: a mirror for digests only is not asked for tags" {
	local digest

	printf '[[registry]]\nlocation = "%s"\ninsecure = true\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "%s"\ninsecure = true\n' \
		"$LIAR" "$LIAR_ELSEWHERE" >"$CONTAINERS_REGISTRIES_CONF"
	tool skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	digest=$(jq -r .Digest <<<"$output")
	run ! asked "$LIAR_ELSEWHERE" .
	tool skopeo-c inspect -n "docker://$LIAR/good/x@$digest"
	[ "$(asked "$LIAR_ELSEWHERE" "manifests/$digest")" -ge 1 ]
}

@test "registries: credentials of the registry do not go to mirrors or where it has moved" {
	local secret

	secret=$(printf alice:secret | base64)
	cat >"$CONTAINERS_REGISTRIES_CONF" <<-END
		[[registry]]
		location = "$LIAR"
		insecure = true
		[[registry.mirror]]
		location = "$LIAR_ELSEWHERE"
		insecure = true
	END
	tool skopeo-c inspect -n --creds alice:secret "docker://$LIAR/basic/x:v1"
	run ! grep -q "^${LIAR_ELSEWHERE#*:} .*$secret" "$LIAR_LOG"
	[ "$(asked "$LIAR" "$secret")" -ge 1 ]
	jq -n --arg r "$LIAR" --arg a "$secret" '{auths: {($r): {auth: $a}}}' >"$HOME/auth.json"
	: >"$LIAR_LOG"
	tool skopeo-c inspect -n --authfile "$HOME/auth.json" "docker://$LIAR/basic/x:v1"
	run ! grep -q "^${LIAR_ELSEWHERE#*:} .*$secret" "$LIAR_LOG"
	# a mirror has its own
	jq -n --arg r "$LIAR_ELSEWHERE" --arg a "$secret" '{auths: {($r): {auth: $a}}}' >"$HOME/auth.json"
	: >"$LIAR_LOG"
	tool skopeo-c inspect -n --authfile "$HOME/auth.json" "docker://$LIAR/basic/x:v1"
	run ! asked "$LIAR" .
	# also where it is at the same host
	printf '[[registry]]\nlocation = "%s/token"\ninsecure = true\n[[registry.mirror]]\nlocation = "%s/basic"\ninsecure = true\n' "$LIAR" "$LIAR" \
		>"$CONTAINERS_REGISTRIES_CONF"
	: >"$LIAR_LOG"
	tool skopeo-c inspect -n --tls-verify=false --creds alice:secret "docker://$LIAR/token/x:v1"
	[ "$(asked "$LIAR" /v2/basic/)" -ge 1 ]
	run ! grep -q "/v2/basic/.*$secret" "$LIAR_LOG"
	# --creds are for the host that was named
	printf '[[registry]]\nprefix = "example.com"\nlocation = "%s"\ninsecure = true\n' "$LIAR" >"$CONTAINERS_REGISTRIES_CONF"
	: >"$LIAR_LOG"
	tool 6 skopeo-c inspect -n --creds alice:secret docker://example.com/basic/x:v1
	run ! grep -q "$secret" "$LIAR_LOG"
}

@test "registries: --tls-verify=false is for the registry, not for its mirrors" {
	printf '[[registry]]\nlocation = "%s"\n[[registry.mirror]]\nlocation = "%s"\n' \
		"$LIAR" "$LIAR_ELSEWHERE" >"$CONTAINERS_REGISTRIES_CONF"
	tool skopeo-c inspect -n --tls-verify=false "docker://$LIAR/good/x:v1"
	[[ $stderr == *"mirror $LIAR_ELSEWHERE"*"TLS"* ]]
	run ! asked "$LIAR_ELSEWHERE" GET
}

@test "registries: the user's own file, and drop-ins by name, later ones winning" {
	unset CONTAINERS_REGISTRIES_CONF
	local own=$HOME/.config/containers

	mkdir "$own/registries.conf.d"
	printf '[[registry]]\nlocation = "%s"\nblocked = true\n' "$LIAR" >"$own/registries.conf.d/10-block.conf"
	tool 6 skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	error_is denied "registries.conf.d/10-block.conf:1"
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$LIAR" >"$own/registries.conf.d/20-allow.conf"
	echo 'not toml' >"$own/registries.conf.d/30-other.txt"
	tool skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	printf '[[registry]]\nlocation = "%s"\nblocked = true\n' "$LIAR" >"$own/registries.conf"
	tool skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	rm "$own/registries.conf.d/20-allow.conf"
	tool 6 skopeo-c inspect -n "docker://$LIAR/good/x:v1"
}

@test "registries: links that lead nowhere, and directories, are no drop-ins" {
	unset CONTAINERS_REGISTRIES_CONF
	local own=$HOME/.config/containers/registries.conf.d

	mkdir -p "$own/20-directory.conf"
	ln -s nowhere "$own/10-gone.conf"
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$LIAR" >"$own/30.conf"
	tool skopeo-c inspect -n "docker://$LIAR/good/x:v1"
}

# Run with other files of the machine and the distribution: directories here that take the place of
# /etc/containers and /usr/share/containers.
elsewhere() {
	mkdir -p etc share
	timeout 60 unshare --mount sh -c 'mount -t tmpfs none /usr/share && mkdir /usr/share/containers &&
		mount --bind share /usr/share/containers && mkdir -p /etc/containers &&
		mount --bind etc /etc/containers && exec "$@"' sh "$@"
}

@test "registries: files of the distribution and the machine, the user's drop-in in place of one" {
	unset CONTAINERS_REGISTRIES_CONF
	cd "$BATS_TEST_TMPDIR" || return
	block() { printf '[[registry]]\nlocation = "%s"\nblocked = true\n' "$LIAR"; }
	allow() { printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$LIAR"; }
	look() { elsewhere skopeo-c inspect -n "docker://$LIAR/good/x:v1"; }
	mkdir -p share/registries.conf.d etc/registries.rootful.conf.d "$HOME/.config/containers/registries.conf.d"
	block >share/registries.conf
	run -6 look
	[[ $output == *"blocked by /usr/share/containers/registries.conf:1"* ]]
	allow >etc/registries.conf
	look
	block >share/registries.conf.d/10.conf
	run -6 look
	allow >etc/registries.rootful.conf.d/10.conf
	look
	block >"$HOME/.config/containers/registries.conf.d/10.conf"
	run -6 look
	allow >last
	CONTAINERS_REGISTRIES_CONF_OVERRIDE=last look
	run -2 env CONTAINERS_REGISTRIES_CONF_OVERRIDE=none skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	# named, it is the only one
	CONTAINERS_REGISTRIES_CONF=last look
}

@test "registries: a file that is wrong is named with its line" {
	printf '# first\n[[registry]]\nlocation = "%s\n' "$LIAR" >"$CONTAINERS_REGISTRIES_CONF"
	tool 7 skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	error_is integrity "$CONTAINERS_REGISTRIES_CONF:3: "
	printf '[registries.search]\nregistries = ["a.b"]\n' >"$CONTAINERS_REGISTRIES_CONF"
	tool 10 skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	error_is unsupported "version 1"
	printf '[[registry]]\nlocation = "%s"\nblokced = true\ninsecure = true\n' "$LIAR" >"$CONTAINERS_REGISTRIES_CONF"
	tool skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	[[ $stderr == *":3: unknown key \"blokced\""* ]]
	CONTAINERS_REGISTRIES_CONF=$HOME/none tool 2 skopeo-c inspect -n "docker://$LIAR/good/x:v1"
	error_is usage none
}

# short TOML: the configuration, with plain http for the registry; the machine's counts for nothing
short() {
	unset CONTAINERS_REGISTRIES_CONF
	printf '%s\n[[registry]]\nlocation = "%s"\ninsecure = true\n' "$1" "$LIAR" >"$HOME/.config/containers/registries.conf"
}

@test "registries: a name without a transport is one of a registry, or an alias" {
	short "[aliases]
		\"mine/x\" = \"$LIAR/good/x\"
		\"nowhere\" = \"\""
	tool skopeo-c inspect -n "$LIAR/good/x:v1"
	jq -e --arg name "$LIAR/good/x" '.Name == $name' <<<"$output"
	digest=$(jq -r .Digest <<<"$output")
	for name in mine/x mine/x:v1 "mine/x@$digest" "mine/x:v1@$digest"; do
		tool skopeo-c inspect -n "$name"
		jq -e --arg name "$LIAR/good/x" --arg digest "$digest" '.Name == $name and .Digest == $digest' <<<"$output"
	done
	tool skopeo-c copy mine/x "dir:$BATS_TEST_TMPDIR/d"
	tool skopeo-c diff mine/x "dir:$BATS_TEST_TMPDIR/d"
	jq -e .same <<<"$output"
	for name in nowhere other x/y/z; do
		tool 2 skopeo-c inspect "$name"
		error_is usage "no alias or registry to search"
	done
	# docker:// is what it says, and a destination has a transport
	tool 2 skopeo-c copy mine/x other
	error_is usage "does not begin with a transport"
	tool 2 skopeo-c inspect "$BATS_TEST_TMPDIR/d"
	error_is usage "does not begin with a transport"
}

# both FILE REFERENCE: skopeo and we read the image with that registries.conf
both() {
	skopeo --registries-conf "$1" inspect --no-tags "$2"
	CONTAINERS_REGISTRIES_CONF=$1 tool skopeo-c inspect -n "$2"
}

# neither FILE REFERENCE: both call the file wrong, and so do we with exit status 7
neither() {
	run ! skopeo --registries-conf "$1" inspect "$2"
	[[ $output == *"loading registries configuration"* ]]
	CONTAINERS_REGISTRIES_CONF=$1 tool 7 skopeo-c inspect -n "$2"
}

@test "registries: what is odd in a value is taken or refused as by skopeo" {
	local line mine=docker://moved.example.com/x:v1

	cd "$BATS_TEST_TMPDIR" || return
	registry_start
	busybox_tar base.tar
	oci_image src v1 '{}' base.tar >/dev/null
	skopeo --insecure-policy copy -q --dest-tls-verify=false oci:src:v1 "docker://$REGISTRY/good/x:v1"
	printf '[[registry]]\nprefix = "moved.example.com/"\nlocation = "%s/good//"\ninsecure = true\n' "$REGISTRY" >slash.conf
	both slash.conf "$mine"
	printf 'short-name-mode = ""\n[[registry]]\nprefix = ""\nlocation = "%s/"\ninsecure = true\n[[registry.mirror]]\nlocation = "%s/none"\ninsecure = true\npull-from-mirror = ""\n' \
		"$REGISTRY" "$REGISTRY" >empty.conf
	both empty.conf "docker://$REGISTRY/good/x:v1"
	for line in 'unqualified-search-registries = ["http://x"]' $'[aliases]\nfoo = "bar"' \
		$'[aliases]\n"foo:v" = "a.example/bar"' $'[[registry]]\nprefix = "a.example"'; do
		printf '%s\n' "$line" >wrong.conf
		neither wrong.conf "$mine"
	done
}

@test "registries: of the aliases for a name the last file's counts" {
	unset CONTAINERS_REGISTRIES_CONF
	mkdir -p "$HOME/.config/containers/registries.conf.d"
	printf '[aliases]\n"a" = "127.0.0.1:1/old"\n"b" = "%s/good/b"\n[[registry]]\nlocation = "%s"\ninsecure = true\n' "$LIAR" "$LIAR" \
		>"$HOME/.config/containers/registries.conf"
	printf '[aliases]\n"a" = "%s/good/new"\n' "$LIAR" >"$HOME/.config/containers/registries.conf.d/000-shortnames.conf"
	tool skopeo-c inspect -n --format '{{.Name}}' a
	[ "$output" = "$LIAR/good/new" ]
	tool skopeo-c inspect -n --format '{{.Name}}' b
	[ "$output" = "$LIAR/good/b" ]
}

@test "registries: short names are looked for in the registries to search, in order" {
	short "unqualified-search-registries = [\"127.0.0.1:1\", \"$LIAR\", \"127.0.0.1:2\"]"
	tool skopeo-c inspect -n --retry-times 0 --format '{{.Name}}' good/x:v1
	[ "$output" = "$LIAR/good/x" ]
	tool skopeo-c list-tags --retry-times 0 good/x
	jq -e --arg r "$LIAR/good/x" '. == {Repository: $r, Tags: ["v1"]}' <<<"$output"
	tool 2 skopeo-c list-tags good/x:v1
	error_is usage "not a repository"
	short "short-name-mode = \"enforcing\"
		unqualified-search-registries = [\"127.0.0.1:1\", \"$LIAR\"]"
	: >"$LIAR_LOG"
	tool 2 skopeo-c inspect -n good/x:v1
	error_is usage "\"good/x:v1\" may be 127.0.0.1:1/good/x:v1, $LIAR/good/x:v1: short-name-mode is enforcing"
	[ ! -s "$LIAR_LOG" ]
	short "short-name-mode = \"enforcing\"
		unqualified-search-registries = [\"$LIAR\"]"
	tool skopeo-c inspect -n good/x:v1
	short 'short-name-mode = "perhaps"'
	tool 7 skopeo-c inspect -n good/x:v1
	error_is integrity "none of enforcing, permissive, disabled"
}
