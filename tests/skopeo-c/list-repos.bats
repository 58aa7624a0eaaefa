# SPDX-License-Identifier: Apache-2.0

load ../helpers
load common

setup_file() {
	file_setup
	registry_start
	liar_start
	busybox_tar "$BATS_FILE_TMPDIR/base.tar"
	oci_image "$BATS_FILE_TMPDIR/oci" v1 '{}' "$BATS_FILE_TMPDIR/base.tar"
}

teardown_file() {
	liar_stop
	file_teardown
}

list() {
	local expected=0

	if [[ $1 =~ ^[0-9]+$ ]]; then
		expected=$1
		shift
	fi
	tool "$expected" skopeo-c list-repos --tls-verify=false "$@"
}

@test "list-repos: an empty registry, then all of its repositories, over several pages" {
	list "$REGISTRY"
	jq -e --arg r "$REGISTRY" '. == {Registry: $r, Repositories: []}' <<<"$output"
	skopeo copy -q --dest-tls-verify=false "oci:$BATS_FILE_TMPDIR/oci:v1" "docker://$REGISTRY/r/1:v1"
	# the registry answers 100 at a time; a repository is a directory to it
	for ((i = 2; i <= 250; i++)); do
		cp -al "$BATS_FILE_TMPDIR/registry/docker/registry/v2/repositories/r/"{1,$i}
	done
	list "docker://$REGISTRY/"
	[ "$(jq '.Repositories | length' <<<"$output")" -eq 250 ]
	[ "$(jq -r '.Repositories[]' <<<"$output" | sort -u)" = "$(printf 'r/%s\n' {1..250} | sort)" ]
}

@test "list-repos: --format" {
	list --format '{{.Registry}} {{json .Repositories}}' "docker://$LIAR"
	[ "$output" = "$LIAR [\"a/b\",\"c\",\"d\"]" ]
	list 2 --format '{{len .Repositories}}' "docker://$LIAR"
}

@test "list-repos: registries that do not tell, or lie" {
	list 10 --registry-token none "docker://$LIAR"
	error_is unsupported "$LIAR does not list its repositories"
	list 7 --registry-token html "docker://$LIAR"
	error_is integrity "the repositories of $LIAR"
	list 7 --registry-token numbers "docker://$LIAR"
	error_is integrity "not a list of repositories"
	list 7 --registry-token circle "docker://$LIAR"
	error_is integrity "circle"
	list 8 docker://127.0.0.1:1
	error_is temporary
}

@test "list-repos: of a registry, not of anything else" {
	for operand in "docker://$REGISTRY/r" "docker://$REGISTRY/r/1:v1" docker:// docker://nohost oci:x nohost; do
		list 2 "$operand"
		error_is usage "is not [docker://]HOST[:PORT]"
	done
}
