# SPDX-License-Identifier: Apache-2.0
# AppArmor, where the kernel has it: `make check-vm T=tests/ocid-dispatch/apparmor.bats`.
# shellcheck disable=SC2016 # commands are for the containers' shells, filters for jq

load ../helpers
load helpers
load pods

PROFILES=/sys/kernel/security/apparmor/profiles

setup_file() {
	file_setup
	apparmor_is_on || return 0
	pods_setup
	export LOADED=ocid-test-$RANDOM
	apparmor_parser --replace <<-END
		profile $LOADED flags=(attach_disconnected) {
		  file,
		  deny /tmp/** w,
		}
	END
	oci-gen apparmor | apparmor_parser --replace
	pod one '.config.linux.securityContext.privileged = true' # that containers may be
	export POD
}

teardown_file() {
	if apparmor_is_on; then
		pods_teardown
		echo "profile $LOADED {}" | apparmor_parser --remove
	fi
	file_teardown
}

setup() {
	apparmor_is_on || skip "this kernel has no AppArmor"
}

teardown() {
	local id

	for id in $(ocid-dispatch call ListContainers </dev/null | jq -r '.containers[]?.id'); do
		ocid-dispatch call RemoveContainer <<<"{\"containerId\": \"$id\"}"
	done
}

apparmor_is_on() {
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]
}

# CONTEXT COMMAND: what a container with that in its security context says
said_with() {
	container "c$RANDOM" "$2" ".config.linux.securityContext = {$1}" >&2
	start >&2
	result
}

@test "apparmor: a container is confined by default, as its processes are that come later" {
	[ "$(said_with '' 'cat /proc/self/attr/current')" = 'ocid-default (enforce)' ]
	[ "$(said_with 'apparmor: {}' 'cat /proc/self/attr/current')" = 'ocid-default (enforce)' ]
	[ "$(said_with 'apparmorProfile: "runtime/default"' 'cat /proc/self/attr/current')" = 'ocid-default (enforce)' ]
	container sleeper 'sleep 600'
	start
	[ "$(field ExecSync "{\"containerId\": \"$CTR\", \"cmd\": [\"cat\", \"/proc/self/attr/current\"]}" '.stdout | @base64d')" = 'ocid-default (enforce)' ]
	call StopContainer "{\"containerId\": \"$CTR\", \"timeout\": 0}"
}

@test "apparmor: the default profile forbids what capabilities would allow, and nothing that is usual" {
	local all='capabilities: {addCapabilities: ["ALL"]}' mount='mount -t tmpfs none /tmp 2>/dev/null && echo mounted || echo refused'

	[ "$(said_with "$all" "$mount")" = refused ]
	[ "$(said_with "$all, apparmor: {profileType: \"Unconfined\"}" "$mount")" = mounted ]
	[ "$(said_with '' 'touch /etc/x /tmp/y && chmod 600 /etc/x && ip link | grep -c lo:; sleep 60 & kill $! && echo killed')" = "$(printf '1\nkilled')" ]
}

@test "apparmor: privileged and unconfined containers are unconfined" {
	[ "$(said_with 'privileged: true' 'cat /proc/self/attr/current')" = unconfined ]
	[ "$(said_with 'apparmor: {profileType: "Unconfined"}' 'cat /proc/self/attr/current')" = unconfined ]
	[ "$(said_with 'apparmorProfile: "unconfined"' 'cat /proc/self/attr/current')" = unconfined ]
}

@test "apparmor: a profile of the host, by either field" {
	local context

	for context in "apparmor: {profileType: \"Localhost\", localhostRef: \"$LOADED\"}" "apparmorProfile: \"localhost/$LOADED\"" \
		"privileged: true, apparmorProfile: \"localhost/$LOADED\""; do
		[ "$(said_with "$context" 'cat /proc/self/attr/current; echo x 2>/dev/null >/tmp/file || echo refused; echo y >/etc/file && cat /etc/file')" = \
			"$(printf '%s (enforce)\nrefused\ny' "$LOADED")" ]
	done
}

@test "apparmor: a profile that is not loaded is one error that says so" {
	call 3 CreateContainer "$(container_request missing true '.config.linux.securityContext = {apparmor: {profileType: "Localhost", localhostRef: "ocid-none"}}')"
	error_is not-found 'no AppArmor profile "ocid-none" is loaded'
	call 3 CreateContainer "$(container_request missing true '.config.linux.securityContext = {apparmorProfile: "localhost/ocid-none"}')"
	[ "$(field ListContainers '{}' '.containers // [] | length')" = 0 ]
}

@test "apparmor: the server has the default profile loaded when it starts, unless it is" {
	echo 'profile ocid-default {}' | apparmor_parser --remove
	call Status '{"verbose": true}'
	jq -e '.info.config | fromjson | .apparmorEnabled and (.apparmorDefaultLoaded | not)' <<<"$output"
	call 10 CreateContainer "$(container_request asked true '.config.linux.securityContext = {apparmor: {}}')"
	error_is unsupported 'no default AppArmor profile is loaded'
	[ "$(said_with '' 'cat /proc/self/attr/current')" = unconfined ] # nobody asked
	cri_setup
	unset OCID_LIBEXEC
	server_start
	grep -x 'ocid-default (enforce)' "$PROFILES"
	call Status '{"verbose": true}'
	jq -e '.info.config | fromjson | .apparmorDefaultLoaded' <<<"$output"
	server_stop
	echo 'profile ocid-default flags=(complain) { file, }' | apparmor_parser --replace
	server_start
	grep -x 'ocid-default (complain)' "$PROFILES"
	server_stop
	run ! grep AppArmor "$BATS_FILE_TMPDIR/server.log"
	oci-gen apparmor | apparmor_parser --replace
}
