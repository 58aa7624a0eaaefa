# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # of jq

load ../helpers
load common

# a real registry that asks for a name and a password, as $LOCKED
locked_registry_start() {
	local dir=$BATS_FILE_TMPDIR/locked port

	mkdir "$dir"
	port=$(free_port)
	/usr/bin/perl -e 'print "alice:" . crypt("secret", "\$2b\$05\$abcdefghijklmnopqrstuu") . "\n"' >"$dir/htpasswd"
	cat >"$dir/config.yml" <<-END
		version: 0.1
		log: {level: error, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $dir/data}}
		auth: {htpasswd: {realm: test, path: $dir/htpasswd}}
		http: {addr: "127.0.0.1:$port"}
	END
	docker-registry serve "$dir/config.yml" >"$dir/log" 2>&1 3>&- &
	echo $! >"$dir/pid"
	export LOCKED=127.0.0.1:$port
	wait_for 10 curl -s "http://$LOCKED/v2/"
}

setup_file() {
	file_setup
	liar_start
	locked_registry_start
}

teardown_file() {
	kill "$(cat "$BATS_FILE_TMPDIR/locked/pid")"
	liar_stop
	file_teardown
}

setup() {
	export HOME=$BATS_TEST_TMPDIR/home XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run
	unset XDG_CONFIG_HOME DOCKER_CONFIG REGISTRY_AUTH_FILE CONTAINERS_REGISTRIES_CONF
	AUTH=$XDG_RUNTIME_DIR/containers/auth.json
	mkdir -p "$HOME" "$BATS_TEST_TMPDIR/bin"
}

login() {
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	tool "$expected" skopeo-c login --tls-verify=false "$@"
}

# a credential helper that keeps what it is given in files named after the server
helper() {
	cat >"$BATS_TEST_TMPDIR/bin/docker-credential-test" <<-'END'
		#!/bin/sh
		dir=$(dirname "$0")/../kept
		mkdir -p "$dir"
		input=$(cat)
		case $1 in
		store) printf %s "$input" >"$dir/$(printf %s "$input" | jq -r .ServerURL | tr / _)" ;;
		get) cat "$dir/$(printf %s "$input" | tr / _)" 2>/dev/null || { echo 'credentials not found'; exit 1; } ;;
		erase) rm "$dir/$(printf %s "$input" | tr / _)" ;;
		esac
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/docker-credential-test"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

@test "login: keeps a password that the registry takes, and it is used" {
	login -u alice --password-stdin "$LOCKED" <<<secret
	jq -e --arg r "$LOCKED" --arg f "$AUTH" '. == {registry: $r, user: "alice", file: $f}' <<<"$output"
	[ "$(stat -c %a "$AUTH")" = 600 ]
	[ "$(ls -A "$XDG_RUNTIME_DIR/containers")" = auth.json ]
	jq -e --arg r "$LOCKED" --arg a "$(printf alice:secret | base64)" '. == {auths: {($r): {auth: $a}}}' "$AUTH"
	tool skopeo-c login --get-login "$LOCKED"
	[ "$output" = alice ]
	busybox_tar "$BATS_TEST_TMPDIR/b.tar"
	tool skopeo-c copy --tls-verify=false "tarball:$BATS_TEST_TMPDIR/b.tar" "docker://$LOCKED/x:v1"
	# skopeo reads it, and we read skopeo's
	skopeo inspect --tls-verify=false "docker://$LOCKED/x:v1" >/dev/null
	rm "$AUTH"
	tool 6 skopeo-c inspect --tls-verify=false "docker://$LOCKED/x:v1"
	skopeo login --tls-verify=false -u alice --password-stdin "$LOCKED" <<<secret
	tool skopeo-c inspect --tls-verify=false "docker://$LOCKED/x:v1"
	tool skopeo-c logout "$LOCKED"
	run ! skopeo inspect --tls-verify=false "docker://$LOCKED/x:v1"
	# by a URL, as people copy it
	login -u alice --password-stdin "https://$LOCKED/v2/" <<<secret
	jq -e --arg r "$LOCKED" '.auths | keys == [$r]' "$AUTH"
	tool skopeo-c logout "http://$LOCKED"
}

@test "login: a wrong password is exit 6, keeps nothing and is not shown" {
	login 6 -u alice -p wr0ng "$LOCKED"
	error_is denied "$LOCKED refuses access with these credentials"
	[[ $stderr != *wr0ng* ]]
	[ ! -e "$AUTH" ]
	login 6 -u alice -p wr0ng --log-level debug "$LIAR"
	[[ $stderr != *wr0ng* ]]
	login 8 -u a -p b "127.0.0.1:$(free_port)"
	[ ! -e "$AUTH" ]
}

@test "login: at a registry with tokens" {
	login -u alice -p secret "$LIAR"
	tool skopeo-c inspect -n --tls-verify=false "docker://$LIAR/token/x:v1"
}

@test "login: asks on a terminal, without showing the password" {
	# shellcheck disable=SC2016 # python's
	tool /usr/bin/python3 -c 'import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
def until(text):
    global seen
    while text not in seen:
        seen += os.read(fd, 1000)
until(b"Username: ")
os.write(fd, b"alice\n")
until(b"Password: ")
os.write(fd, b"secret\n")
try:
    while True:
        seen += os.read(fd, 1000)
except OSError:
    pass
assert b"secret" not in seen, seen
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' skopeo-c login --tls-verify=false "$LOCKED"
	tool skopeo-c login --get-login "$LOCKED"
	login 2 "$LOCKED/elsewhere" --authfile "$BATS_TEST_TMPDIR/new.json" </dev/null
	error_is usage "terminal"
	[[ $stderr != *new.json* ]]
}

@test "login: where what is kept is valid nobody is asked" {
	login -u alice -p secret "$LOCKED"
	login "$LOCKED" </dev/null
	jq -e --arg r "$LOCKED" '. == {registry: $r, user: "alice"}' <<<"$output"
	login "$LOCKED/team" </dev/null
	jq -e --arg r "$LOCKED" --arg a "$(printf alice:old | base64)" '.auths[$r].auth = $a' "$AUTH" >"$BATS_TEST_TMPDIR/old.json"
	login 2 --authfile "$BATS_TEST_TMPDIR/old.json" "$LOCKED" </dev/null
	[[ $stderr == *"warning: $LOCKED no longer accepts the stored password of alice"* ]]
	error_is usage "terminal"
	# that it cannot be asked says nothing about what is kept
	port=$(free_port)
	jq -n --arg r "127.0.0.1:$port" '{auths: {($r): {auth: "YTpi"}}}' >"$BATS_TEST_TMPDIR/gone.json"
	login 8 --authfile "$BATS_TEST_TMPDIR/gone.json" "127.0.0.1:$port" </dev/null
}

@test "login: a path of a registry, what else is in the file, and links stay" {
	mkdir -p "$BATS_TEST_TMPDIR/dots"
	echo '{"auths": {"other.example": {"auth": "YTpi"}}, "HttpHeaders": {"a": "b"}}' >"$BATS_TEST_TMPDIR/dots/auth.json"
	ln -s dots/auth.json "$BATS_TEST_TMPDIR/link.json"
	login --authfile "$BATS_TEST_TMPDIR/link.json" -u alice -p secret "$LOCKED/team"
	jq -e --arg r "$LOCKED/team" '.HttpHeaders.a == "b" and (.auths | keys | sort) == ([$r, "other.example"] | sort)' \
		"$BATS_TEST_TMPDIR/dots/auth.json"
	[ -L "$BATS_TEST_TMPDIR/link.json" ]
	tool skopeo-c logout --authfile "$BATS_TEST_TMPDIR/link.json" "$LOCKED/team"
	tool 3 skopeo-c logout --authfile "$BATS_TEST_TMPDIR/link.json" "$LOCKED/team"
	error_is not-found
	REGISTRY_AUTH_FILE=$BATS_TEST_TMPDIR/link.json tool skopeo-c logout --all
	jq -e '.auths == {} and .HttpHeaders.a == "b"' "$BATS_TEST_TMPDIR/dots/auth.json"
}

@test "login: several at once lose nothing" {
	local n

	for n in 1 2 3 4 5 6 7 8; do
		timeout 60 skopeo-c login --tls-verify=false -u alice -p secret "$LOCKED/p$n" >/dev/null 2>&1 3>&- &
	done
	wait
	jq -e '.auths | length == 8' "$AUTH"
	[ "$(ls -A "$XDG_RUNTIME_DIR/containers")" = auth.json ]
}

@test "login: credential helpers keep, give and forget" {
	helper
	mkdir -p "$XDG_RUNTIME_DIR/containers"
	for config in '{credHelpers: {($r): "test"}}' '{credsStore: "test"}'; do
		jq -n --arg r "$LOCKED" "$config" >"$AUTH"
		cp "$AUTH" "$BATS_TEST_TMPDIR/before"
		login -u alice -p secret "$LOCKED"
		cmp "$AUTH" "$BATS_TEST_TMPDIR/before"
		jq -e '.Secret == "secret"' "$BATS_TEST_TMPDIR/kept/$LOCKED"
		tool skopeo-c login --get-login "$LOCKED"
		[ "$output" = alice ]
		tool skopeo-c logout "$LOCKED"
		[ ! -e "$BATS_TEST_TMPDIR/kept/$LOCKED" ]
		tool 3 skopeo-c logout "$LOCKED"
		tool 3 skopeo-c login --get-login "$LOCKED"
		login -u alice -p secret "$LOCKED"
		[ "$config" = '{credsStore: "test"}' ] || tool skopeo-c logout --all
	done
	# a store that is not installed is no reason not to read what is public
	echo '{"credsStore": "nowhere"}' >"$AUTH"
	tool skopeo-c inspect -n --tls-verify=false "docker://$LIAR/good/x:v1"
	[[ $stderr == *docker-credential-nowhere* ]]
	login 1 -u alice -p secret "$LOCKED"
	error_is failed docker-credential-nowhere
}

@test "login: a helper that fails is not one that has nothing, and none keeps what is for a path" {
	helper
	mkdir -p "$XDG_RUNTIME_DIR/containers"
	jq -n --arg r "$LOCKED" '{credHelpers: {($r): "test"}}' >"$AUTH"
	login 10 -u alice -p secret "$LOCKED/team"
	error_is unsupported "not for $LOCKED/team"
	login -u alice -p secret "$LOCKED"
	printf '#!/bin/sh\necho "the keyring is locked" >&2\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/docker-credential-test"
	for command in "login --get-login $LOCKED" "logout $LOCKED" "logout --all" \
		"inspect -n --tls-verify=false docker://$LOCKED/x:v1"; do
		# shellcheck disable=SC2086 # words
		tool 1 skopeo-c $command
		error_is failed "the keyring is locked"
	done
	# one for all registries is no reason not to read what is public
	echo '{"credsStore": "test"}' >"$AUTH"
	tool skopeo-c inspect -n --tls-verify=false "docker://$LIAR/good/x:v1"
	[[ $stderr == *"the keyring is locked"* ]]
}

@test "login: credential-helpers of registries.conf, before the files or alone" {
	helper
	export CONTAINERS_REGISTRIES_CONF=$BATS_TEST_TMPDIR/registries.conf
	echo 'credential-helpers = ["test"]' >"$CONTAINERS_REGISTRIES_CONF"
	login -u alice --password-stdin "$LOCKED" <<<secret
	jq -e --arg r "$LOCKED" '. == {registry: $r, user: "alice", helper: "test"}' <<<"$output"
	[ ! -e "$AUTH" ]
	tool skopeo-c login --get-login "$LOCKED"
	[ "$output" = alice ]
	# the helper's own is hidden where only the files count
	echo 'credential-helpers = ["containers-auth.json"]' >"$CONTAINERS_REGISTRIES_CONF"
	tool 3 skopeo-c login --get-login "$LOCKED"
	echo 'credential-helpers = ["containers-auth.json", "test"]' >"$CONTAINERS_REGISTRIES_CONF"
	tool skopeo-c login --get-login "$LOCKED"
	echo 'credential-helpers = ["test"]' >"$CONTAINERS_REGISTRIES_CONF"
	tool 10 skopeo-c logout --all
	tool skopeo-c logout "$LOCKED"
	tool 3 skopeo-c logout "$LOCKED"
	# a file that is named counts alone for what is kept
	login -u alice --password-stdin --authfile "$BATS_TEST_TMPDIR/auth.json" "$LOCKED" <<<secret
	jq -e '.auths | length == 1' "$BATS_TEST_TMPDIR/auth.json"
	echo 'credential-helpers = [1]' >"$CONTAINERS_REGISTRIES_CONF"
	tool 7 skopeo-c login --get-login "$LOCKED"
}

@test "login: registries.conf says whether a registry is insecure or blocked" {
	export CONTAINERS_REGISTRIES_CONF=$BATS_TEST_TMPDIR/registries.conf
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$LOCKED" >"$CONTAINERS_REGISTRIES_CONF"
	tool skopeo-c login -u alice -p secret "$LOCKED"
	echo 'blocked = true' >>"$CONTAINERS_REGISTRIES_CONF"
	tool 6 skopeo-c login -u alice -p secret "$LOCKED"
	error_is denied blocked
}

@test "login: operands and options that are wrong" {
	login 2 -u a -p b "ftp://$LOCKED"
	login 2 -u a -p b "https://"
	login 2 -u a -p b "$LOCKED/x:v1"
	login 2 -u a -p b nohost
	login 2 -u a:b -p c "$LOCKED"
	login 2 -u a -p "" "$LOCKED"
	login 2 -u a -p b --password-stdin "$LOCKED"
	login 2 --password-stdin "$LOCKED" <<<x
	tool 2 skopeo-c logout
	tool 2 skopeo-c logout --all "$LOCKED"
	echo 'hunter2' >"$BATS_TEST_TMPDIR/bad.json"
	login 7 -u alice -p secret --authfile "$BATS_TEST_TMPDIR/bad.json" "$LOCKED"
	error_is integrity bad.json
	[[ $stderr != *hunter2* ]]
}

@test "logout: makes no file, and one that is named must be there" {
	cd "$BATS_TEST_TMPDIR"
	for operand in --all "$LOCKED"; do
		tool 2 skopeo-c logout --authfile "none/auth.json" "$operand"
		error_is usage "none/auth.json: No such file"
		tool 2 skopeo-c logout --compat-auth-file "none/auth.json" "$operand"
	done
	export REGISTRY_AUTH_FILE=none/auth.json
	tool skopeo-c logout --all
	tool 3 skopeo-c logout "$LOCKED"
	error_is not-found "none/auth.json has no credentials for $LOCKED"
	[ ! -e none ]
}
