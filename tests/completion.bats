# SPDX-License-Identifier: Apache-2.0
# Completion of command lines, in the shells themselves.

load helpers

TOOLS="skopeo-c ctr-store oci-gen ctr-net ocid-shim ocid-dispatch"

setup_file() {
	file_setup
	mkdir "$BATS_FILE_TMPDIR/bash" "$BATS_FILE_TMPDIR/zsh"
	for tool in $TOOLS; do
		"$tool" --completion bash >"$BATS_FILE_TMPDIR/bash/$tool"
		"$tool" --completion zsh >"$BATS_FILE_TMPDIR/zsh/_$tool"
	done
}

# completes LINE BECOMES [LINE BECOMES]... : in both shells; "^" is where a tab is typed
completes() {
	local typed=() expected=() shell
	while (($#)); do
		typed+=("${1//^/$'\t'}") expected+=("$2")
		shift 2
	done
	for shell in bash zsh; do
		diff <(printf '%s\n' "${expected[@]}") \
			<("$TESTS/type-line.py" "$shell" "$BATS_FILE_TMPDIR" "${typed[@]}")
	done
}

# what bash offers for the last word
offers() {
	# shellcheck disable=SC2016 # for the inner shell
	bash -c '
		source "$0/$1"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		"_${1//-/_}" && printf "%s\n" "${COMPREPLY[@]}"' "$BATS_FILE_TMPDIR/bash" "$@"
}

@test "completion: verbs, also of two words" {
	completes 'ctr-store unm^' 'ctr-store unm' \
		'ctr-store umo^' 'ctr-store umount ' \
		'ctr-net n^cr^' 'ctr-net ns create '
	[ "$(offers ctr-net n)" = ns ]
	[ "$(offers ctr-net ns "" | xargs)" = "create list exec rm" ]
	[ -z "$(offers ctr-net nothing "")" ]
}

@test "completion: options before the verb, which are those of any" {
	completes 'ctr-store --ro^/tmp mounts^' 'ctr-store --root /tmp mounts ' \
		'ctr-net --root ns ns cr^' 'ctr-net --root ns ns create ' \
		'skopeo-c --qui^cop^--preserve^' 'skopeo-c --quiet copy --preserve-digests '
	for tool in $TOOLS; do
		offers "$tool" -- >"$BATS_TEST_TMPDIR/options"
		grep -qx -- --help "$BATS_TEST_TMPDIR/options"
		grep -qx -- --version "$BATS_TEST_TMPDIR/options"
		[ -z "$(sort "$BATS_TEST_TMPDIR/options" | uniq -d)" ]
	done
	# but those of the verb once it is there
	[ "$(offers skopeo-c inspect -- | grep -c preserve)" -eq 0 ]
}

@test "completion: values that are one of some words" {
	completes 'ctr-store --errors=j^' 'ctr-store --errors=json ' \
		'ctr-store images --log-level de^' 'ctr-store images --log-level debug ' \
		'oci-gen validate --platform=fr^' 'oci-gen validate --platform=freebsd ' \
		'oci-gen generate --process-io-priority id^' 'oci-gen generate --process-io-priority idle ' \
		'ctr-net init mac^' 'ctr-net init macvlan '
	[ "$(offers skopeo-c --errors "" | xargs)" = "text json" ]
	[ "$(offers skopeo-c copy --multi-arch "" | xargs)" = "system all index-only" ]
	[ "$(offers ctr-store create --backend "" | xargs)" = "erofs overlay copy" ]
	[ "$(offers ocid-shim run --log-driver "" | xargs)" = "file journald none" ]
	[ "$(offers ctr-net add --network "" | grep -x none)" = none ]
	completes 'ocid-shim run --runtime nsen^' 'ocid-shim run --runtime nsenter '
	[ -z "$(offers ctr-store create --size "")" ]
}

@test "completion: files and directories, also behind = and :" {
	mkdir -p "$BATS_TEST_TMPDIR/here"
	: >"$BATS_TEST_TMPDIR/here/one"
	local here=$BATS_TEST_TMPDIR/here
	completes "skopeo-c copy --digestfile=$here/o^" "skopeo-c copy --digestfile=$here/one " \
		"skopeo-c copy store: dir:$here/o^" "skopeo-c copy store: dir:$here/one " \
		"ctr-store --root ${here%re}^" "ctr-store --root $here/" \
		"ctr-store --root $here/o^" "ctr-store --root $here/o"
}

@test "completion: places of images, of which a path or a name follows at once" {
	: >"$BATS_TEST_TMPDIR/one"
	completes 'skopeo-c copy docker:^' 'skopeo-c copy docker://' \
		'skopeo-c copy docker-a^' 'skopeo-c copy docker-archive:' \
		"skopeo-c copy st^ oci-ar^$BATS_TEST_TMPDIR/o^" "skopeo-c copy store: oci-archive:$BATS_TEST_TMPDIR/one " \
		"skopeo-c copy tarball:a:$BATS_TEST_TMPDIR/o^" "skopeo-c copy tarball:a:$BATS_TEST_TMPDIR/one " \
		'skopeo-c delete do^' 'skopeo-c delete docker://' \
		"skopeo-c delete oc^$BATS_TEST_TMPDIR/o^" "skopeo-c delete oci:$BATS_TEST_TMPDIR/one " \
		'skopeo-c list-repos d^' 'skopeo-c list-repos docker://'
	local all="docker:// oci: dir: tarball: store: oci-archive: docker-archive: docker-daemon: containers-storage:"
	[ "$(offers skopeo-c copy "" | xargs)" = "$all" ]
	[ "$(offers skopeo-c inspect "" | xargs)" = "$all" ]
	[ "$(offers skopeo-c diff dir:a "" | xargs)" = "$all" ]
	# what can be written, and what has names in it
	[ "$(offers skopeo-c copy dir:a "" | xargs)" = \
		"docker:// oci: dir: store: oci-archive: docker-archive: docker-daemon:" ]
	[ "$(offers skopeo-c list-tags "" | xargs)" = \
		"docker:// oci: store: oci-archive: docker-archive: docker-daemon: containers-storage:" ]
	[ "$(offers skopeo-c prune "" | xargs)" = docker:// ]
	# names that nobody here knows
	cd "$BATS_TEST_TMPDIR" || return
	[ -z "$(offers skopeo-c copy docker://)" ]
	[ -z "$(offers skopeo-c copy containers-storage:)" ]
	[ -z "$(offers skopeo-c prune docker://)" ]
}

@test "completion: of a command to run, and after --, no options" {
	completes 'ocid-shim exec x -- ls --^' 'ocid-shim exec x -- ls --' \
		'ocid-shim exec x ls --ver^' 'ocid-shim exec x ls --ver' \
		'ocid-shim exec --ver^' 'ocid-shim exec --version ' \
		'ctr-net ns exec x nsen^/etc/hostn^' 'ctr-net ns exec x nsenter /etc/hostname ' \
		'skopeo-c copy -- --ver^' 'skopeo-c copy -- --ver'
}

@test "completion: names of containers, images, namespaces and RPCs that there are" {
	oci_image "$OCID_ROOT/images" docker.io/library/web:1 '{}'
	mkdir -p "$OCID_RUNROOT"
	# shellcheck disable=SC2016 # no shell shall see it
	oci_image "$OCID_ROOT/images" 'docker.io/library/x$(touch bad);:1' '{}'
	ctr-store create --from scratch --name mine >/dev/null
	ctr-net ns create podlike >/dev/null
	completes 'ctr-store mount mi^' 'ctr-store mount mine ' \
		'ctr-store rm docker.io/library/web:^' 'ctr-store rm docker.io/library/web:1 ' \
		'ctr-net ns rm pod^' 'ctr-net ns rm podlike ' \
		'ocid-dispatch call PullI^' 'ocid-dispatch call PullImage '
	completes 'ctr-store create --image=docker.io/library/w^' 'ctr-store create --image=docker.io/library/web:1 ' \
		'ctr-store mount --upper mi^' 'ctr-store mount --upper mine ' \
		'skopeo-c verify docker.io/l^' 'skopeo-c verify docker.io/library/web:1 ' \
		'skopeo-c verify store:docker.io/l^' 'skopeo-c verify store:docker.io/library/web:1 ' \
		'skopeo-c copy store:^dir:^' 'skopeo-c copy store:docker.io/library/web:1 dir:'
	[ "$(offers ctr-store create --from "" | xargs)" = "docker.io/library/web:1 scratch" ]
	# a name that is new
	[ -z "$(offers ctr-store create --name "")" ]
	[ -z "$(offers ctr-store tag web mi)" ]
	[ "$(offers ctr-store changes "")" = mine ]
	[ "$(offers ctr-store image "")" = docker.io/library/web:1 ]
	[ -z "$(offers ctr-store --root "$BATS_TEST_TMPDIR/none" image "")" ]
	[ ! -e "$BATS_TEST_TMPDIR/none" ]
	ctr-net ns rm podlike
	ctr-store rm mine
}

@test "completion: zsh shows what words mean, as --help does" {
	"$TESTS/type-line.py" zsh "$BATS_FILE_TMPDIR" $'skopeo-c inspect --\t' $'ctr-store \t'
	grep -qF -- '-- print a template: {{.Digest}}, {{json .Labels}}' "$BATS_FILE_TMPDIR/screen"
	grep -qF -- "-- write a container's changes as a layer (tar archive)" "$BATS_FILE_TMPDIR/screen"
}

@test "completion: the scripts are for bash and zsh only, and zsh can read its own" {
	for tool in $TOOLS; do
		zsh -n "$BATS_FILE_TMPDIR/zsh/_$tool"
		bash -n "$BATS_FILE_TMPDIR/bash/$tool"
	done
	tool 2 skopeo-c --completion fish
	error_is usage 'bash|zsh'
}
