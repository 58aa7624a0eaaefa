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

# every place where credentials are looked for is the test's own
setup() {
	export HOME=$BATS_TEST_TMPDIR/home XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run
	mkdir -p "$HOME/.docker" "$HOME/.config/containers" "$XDG_RUNTIME_DIR/containers"
	unset XDG_CONFIG_HOME DOCKER_CONFIG REGISTRY_AUTH_FILE
	: >"$LIAR_LOG"
}

inspect() {
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	tool "$expected" skopeo-c inspect -n --tls-verify=false "$@"
}

# auth_file FILE KEY USER:PASSWORD
auth_file() {
	mkdir -p "$(dirname "$1")"
	jq -n --arg key "$2" --arg auth "$(printf %s "$3" | base64 -w0)" '{auths: {($key): {auth: $auth}}}' >"$1"
}

@test "credentials: without them a registry that wants some is exit 6" {
	inspect 6 "docker://$LIAR/basic/x:v1"
	error_is denied "refuses access"
	[[ $stderr == *"--creds"* ]]
	inspect 6 "docker://$LIAR/token/x:v1"
	error_is denied
	inspect 6 "docker://$LIAR/strange/x:v1"
	error_is denied "not supported"
	inspect 6 "docker://$LIAR/locked/x:v1" --creds a:b
	error_is denied "with these credentials"
	[ "$(grep -c manifests "$LIAR_LOG")" -le 5 ]
}

@test "credentials: a file that is odd is taken or refused as by skopeo" {
	local file=$HOME/auth.json json

	registry_start
	busybox_tar "$BATS_TEST_TMPDIR/base.tar"
	cd "$BATS_TEST_TMPDIR" || return
	oci_image src v1 '{}' base.tar >/dev/null
	skopeo --insecure-policy copy -q --dest-tls-verify=false oci:src:v1 "docker://$REGISTRY/x:v1"
	# no credentials
	for json in '{"auths":null,"credHelpers":null}' '{"auths":{"R":null}}' '{"auths":{"R":{"auth":null}}}' \
		'{"auths":{"R":{"auth":"c2VjcmV0"}}}'; do
		echo "${json//R/$REGISTRY}" | tee "$file"
		skopeo inspect --tls-verify=false --authfile "$file" "docker://$REGISTRY/x:v1" >skopeo
		inspect --authfile "$file" "docker://$REGISTRY/x:v1"
	done
	[[ $stderr == *"the entry for $REGISTRY has no colon"* && $stderr != *secret* && $stderr != *c2VjcmV0* ]]
	# not their JSON
	for json in '[]' '"x"' '{"auths":[]}' '{"auths":{"R":"x"}}' '{"auths":{"R":{"auth":5}}}' \
		'{"auths":{"R":{"auth":"!"}}}' '{"auths":{"other":{"auth":5}}}' '{"credHelpers":[]}' '{"credHelpers":{"R":1}}'; do
		echo "${json//R/$REGISTRY}" | tee "$file"
		run ! skopeo inspect --tls-verify=false --authfile "$file" "docker://$REGISTRY/x:v1"
		inspect 7 --authfile "$file" "docker://$REGISTRY/x:v1"
	done
}

@test "credentials: --creds for Basic and for tokens, and no password in any message" {
	inspect --creds alice:secret "docker://$LIAR/basic/x:v1"
	inspect --creds alice:secret "docker://$LIAR/token/x:v1"
	inspect 6 --creds alice:wr0ng "docker://$LIAR/basic/x:v1"
	inspect 6 --creds alice:wr0ng --log-level debug "docker://$LIAR/token/x:v1"
	error_is denied "with these credentials"
	[[ $stderr != *wr0ng* ]]
	[[ $stderr != *"$(printf alice:wr0ng | base64)"* ]]
}

@test "credentials: --creds without a password is one that is empty" {
	inspect 6 --creds alice "docker://$LIAR/basic/x:v1"
	error_is denied "with these credentials"
	grep -q "$(printf alice: | base64)" "$LIAR_LOG"
	for none in "" ":secret"; do
		inspect 2 --creds "$none" "docker://$LIAR/basic/x:v1"
		error_is usage "USER:PASSWORD"
	done
	inspect 2 --creds alice:secret --username alice --password other "docker://$LIAR/basic/x:v1"
	error_is usage "credentials are given twice"
}

@test "credentials: a token server that has moved is followed, by the password only where it is the same one" {
	inspect --creds alice:secret "docker://$LIAR/token-moved/x:v1"
	: >"$LIAR_LOG"
	inspect 6 --creds alice:secret "docker://$LIAR/token-away/x:v1"
	error_is denied
	grep -q "^${LIAR_ELSEWHERE#*:} GET /auth?.* -$" "$LIAR_LOG"
	[ "$(grep -c "^${LIAR_ELSEWHERE#*:} .*Basic" "$LIAR_LOG")" -eq 0 ]
	: >"$LIAR_LOG"
	inspect 1 --creds alice:secret --retry-times 0 "docker://$LIAR/token-circle/x:v1"
	error_is failed "the token server of $LIAR redirects in a circle"
	[ "$(grep -c "auth-circle" "$LIAR_LOG")" -le 12 ]
}

@test "credentials: a token server that cannot be asked is named, and why" {
	inspect 9 "docker://$LIAR/token-endless/x:v1"
	error_is limit "the token server of $LIAR: an answer is larger than"
	inspect 8 --retry-times 0 "docker://$LIAR/token-elsewhere/plain:v1"
	error_is temporary "the token server of $LIAR does not speak TLS"
	inspect 8 --retry-times 0 "docker://$LIAR/token-elsewhere/gone:v1"
	error_is temporary "cannot reach the token server of $LIAR"
}

@test "credentials: a token that expires in the middle is renewed" {
	tool skopeo-c copy --src-creds alice:secret --tls-verify=false "docker://$LIAR/token/one:v1" "dir:$BATS_TEST_TMPDIR/d"
	for ((n = 0; n < 5; n++)); do
		inspect --creds alice:secret "docker://$LIAR/token/x:v1"
	done
}

@test "credentials: a token server answers with a token by either name, and with nothing else" {
	local answer

	for answer in '{"token": "told"}' '{"access_token": "told"}' '{"token": "", "access_token": "told"}' \
		'{"token": null, "access_token": "told"}' '{"token": "told", "access_token": "other"}' \
		'{"token": "told", "expires_in": -5, "issued_at": "2999-01-01T00:00:00Z"}' \
		'{"token": "told", "expires_in": 9007199254740993, "issued_at": "yesterday"}' \
		'{"token": "told", "expires_in": "60", "issued_at": 5}'; do
		inspect --creds "answer:$answer" "docker://$LIAR/token/x:v1"
	done
	for answer in '{}' '[]' 'told' '' '"told"' '{"token": "", "access_token": ""}' '{"token": ["told"]}' \
		'{"token": "told\r\nX-More: 1"}' '{"token": "told\n"}' '{"token": "told told"}' '{"token": "told\u0000"}' \
		'{"token": "t\u00f6ld"}' '{"token": "told", "access_token": "other"'; do
		inspect 7 --creds "answer:$answer" "docker://$LIAR/token/x:v1"
		error_is integrity "answered without a token"
	done
}

@test "credentials: --authfile, also from a descriptor" {
	auth_file "$BATS_TEST_TMPDIR/auth.json" "$LIAR" alice:secret
	inspect --authfile "$BATS_TEST_TMPDIR/auth.json" "docker://$LIAR/basic/x:v1"
	inspect --authfile /dev/fd/7 "docker://$LIAR/basic/x:v1" 7< <(cat "$BATS_TEST_TMPDIR/auth.json")
	# as for skopeo, which copies public images all the same
	inspect 6 --authfile "$BATS_TEST_TMPDIR/none.json" "docker://$LIAR/basic/x:v1"
	error_is denied "refuses access"
	[[ $stderr == *"warning: $BATS_TEST_TMPDIR/none.json: No such file"* ]]
}

@test "credentials: an identity token is exchanged" {
	jq -n --arg key "$LIAR" '{auths: {($key): {identitytoken: "idtoken"}}}' >"$BATS_TEST_TMPDIR/auth.json"
	inspect --authfile "$BATS_TEST_TMPDIR/auth.json" "docker://$LIAR/token/x:v1"
}

@test "credentials: each of the usual files, in their order" {
	inspect 6 "docker://$LIAR/basic/x:v1"
	auth_file "$HOME/.docker/config.json" "$LIAR" alice:secret
	inspect "docker://$LIAR/basic/x:v1"
	auth_file "$HOME/.config/containers/auth.json" "$LIAR" alice:wrong
	inspect 6 "docker://$LIAR/basic/x:v1"
	auth_file "$XDG_RUNTIME_DIR/containers/auth.json" "$LIAR" alice:secret
	inspect "docker://$LIAR/basic/x:v1"
	auth_file "$BATS_TEST_TMPDIR/named.json" "$LIAR" alice:wrong
	REGISTRY_AUTH_FILE=$BATS_TEST_TMPDIR/named.json inspect 6 "docker://$LIAR/basic/x:v1"
	# as with skopeo, one that is named is the only one
	auth_file "$BATS_TEST_TMPDIR/other.json" example.com alice:wrong
	inspect 6 --authfile "$BATS_TEST_TMPDIR/other.json" "docker://$LIAR/basic/x:v1"
	REGISTRY_AUTH_FILE=$BATS_TEST_TMPDIR/other.json inspect 6 "docker://$LIAR/basic/x:v1"
	# unless it is to be the first
	tool skopeo-c copy --src-tls-verify=false --src-first-authfile "$BATS_TEST_TMPDIR/other.json" "docker://$LIAR/basic/x:v1" "dir:$BATS_TEST_TMPDIR/d"
	tool 6 skopeo-c copy --src-tls-verify=false --src-first-authfile "$BATS_TEST_TMPDIR/named.json" "docker://$LIAR/basic/x:v1" "dir:$BATS_TEST_TMPDIR/d"
	inspect 6 --no-creds "docker://$LIAR/basic/x:v1"
	inspect 2 --no-creds --creds alice:secret "docker://$LIAR/basic/x:v1"
	inspect 2 --no-creds --registry-token t "docker://$LIAR/basic/x:v1"
}

@test "credentials: DOCKER_CONFIG, XDG_CONFIG_HOME and .dockercfg" {
	auth_file "$BATS_TEST_TMPDIR/docker/config.json" "$LIAR" alice:secret
	DOCKER_CONFIG=$BATS_TEST_TMPDIR/docker inspect "docker://$LIAR/basic/x:v1"
	auth_file "$BATS_TEST_TMPDIR/xdg/containers/auth.json" "$LIAR" alice:secret
	XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/xdg inspect "docker://$LIAR/basic/x:v1"
	auth_file "$BATS_TEST_TMPDIR/cfg.json" "https://$LIAR/v1/" alice:secret
	jq .auths "$BATS_TEST_TMPDIR/cfg.json" >"$HOME/.dockercfg"
	inspect "docker://$LIAR/basic/x:v1"
}

@test "credentials: the longest key that matches counts" {
	jq -n --arg r "$LIAR" --arg good "$(printf alice:secret | base64)" --arg bad "$(printf alice:no | base64)" \
		'{auths: {($r): {auth: $bad}, ($r + "/basic"): {auth: $bad}, ($r + "/basic/x"): {auth: $good},
		  ($r + "/basic/xy"): {auth: $bad}, ($r + "/ba"): {auth: $bad}}}' >"$BATS_TEST_TMPDIR/auth.json"
	inspect --authfile "$BATS_TEST_TMPDIR/auth.json" "docker://$LIAR/basic/x:v1"
	inspect 6 --authfile "$BATS_TEST_TMPDIR/auth.json" "docker://$LIAR/basic/z:v1"
	inspect 6 --authfile "$BATS_TEST_TMPDIR/auth.json" "docker://$LIAR/basic/xy:v1"
	inspect 6 --authfile "$BATS_TEST_TMPDIR/auth.json" "docker://$LIAR/basic/xz:v1"
}

@test "credentials: credential helpers" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/docker-credential-test" <<-'END'
		#!/bin/sh
		read -r host
		echo "{\"ServerURL\":\"$host\",\"Username\":\"alice\",\"Secret\":\"secret\"}"
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/docker-credential-test"
	jq -n --arg r "$LIAR" '{credHelpers: {($r): "test"}}' >"$BATS_TEST_TMPDIR/auth.json"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH inspect --authfile "$BATS_TEST_TMPDIR/auth.json" "docker://$LIAR/basic/x:v1"
	inspect 1 --authfile "$BATS_TEST_TMPDIR/auth.json" "docker://$LIAR/basic/x:v1"
	error_is failed docker-credential-test
}

@test "credentials: files that are broken are named, what is in them is not shown" {
	echo '{"auths": hunter2' >"$BATS_TEST_TMPDIR/auth.json"
	inspect 7 --authfile "$BATS_TEST_TMPDIR/auth.json" "docker://$LIAR/basic/x:v1"
	error_is integrity auth.json
	[[ $stderr != *hunter2* ]]
	jq -n --arg r "$LIAR" '{auths: {($r): {auth: "hunter2!"}}}' >"$BATS_TEST_TMPDIR/auth.json"
	inspect 7 --authfile "$BATS_TEST_TMPDIR/auth.json" "docker://$LIAR/basic/x:v1"
	error_is integrity
	[[ $stderr != *hunter2* ]]
}

@test "credentials: a redirect does not take them to another host" {
	tool skopeo-c copy --src-creds alice:secret --tls-verify=false "docker://$LIAR/away/x:v1" "dir:$BATS_TEST_TMPDIR/d"
	# the other host was asked, and without them
	grep -q "^${LIAR_ELSEWHERE#*:} GET .* -\$" "$LIAR_LOG"
	run ! grep "^${LIAR_ELSEWHERE#*:} .*Basic" "$LIAR_LOG"
	grep -q "^${LIAR#*:} GET .*Basic" "$LIAR_LOG"
	# nor does the other one get them that asks for them
	tool 6 skopeo-c copy --src-creds alice:secret --tls-verify=false "docker://$LIAR/leads/lures:v1" "dir:$BATS_TEST_TMPDIR/e"
	grep -q "^${LIAR_ELSEWHERE#*:} GET /v2/lures/.* -\$" "$LIAR_LOG"
	run ! grep "^${LIAR_ELSEWHERE#*:} .*Basic" "$LIAR_LOG"
}

@test "credentials: in an address to which a registry leads are refused" {
	tool 1 skopeo-c copy --tls-verify=false "docker://$LIAR/leads/named:v1" "dir:$BATS_TEST_TMPDIR/d"
	error_is failed "redirects to where we cannot follow"
	inspect 7 --creds alice:secret "docker://$LIAR/token-elsewhere/named:v1"
	error_is integrity "names a token server that is no URL"
	run ! grep "^${LIAR_ELSEWHERE#*:}" "$LIAR_LOG"
}

@test "credentials: each side has its own" {
	tool skopeo-c copy --src-creds alice:secret --dest-creds bob:other --tls-verify=false \
		"docker://$LIAR/basic/x:v1" "docker://$LIAR_ELSEWHERE/takes/creds:v1"
	run ! grep "^${LIAR#*:} .*$(printf bob:other | base64)" "$LIAR_LOG"
	run ! grep "^${LIAR_ELSEWHERE#*:} .*$(printf alice:secret | base64)" "$LIAR_LOG"
}
