# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # the shell inside expands
#
# What our tools make of CRIU is shown with a criu whose check succeeds, and a runtime that makes a
# new container of a checkpoint; whether processes go on is CRIU's matter.
#
#   criu_pretend DIRECTORY   both in DIRECTORY, criu first in PATH: $RUNTIME. Files there: `fail` has
#                            checkpoints fail, `slow` has them begin, with `began` to tell, and never end
#   criu_works               whether the real one can be used here

criu_works() {
	/usr/sbin/criu check 2>/dev/null
}

criu_pretend() {
	mkdir -p "$1/bin"
	printf '#!/bin/sh\n[ "$1" = check ]\n' >"$1/bin/criu"
	export PATH=$1/bin:$PATH RUNTIME=$1/runtime
	{
		printf '#!/bin/bash\nseen=%q\n' "$1"
		cat <<-'END'
			words=() verb= image= work= leave=
			while [ $# -gt 0 ]; do
				case $1 in
				checkpoint | restore) verb=$1 ;;
				--image-path) image=$2; shift ;;
				--work-path) work=$2; shift ;;
				--leave-running) leave=1 ;;
				--detach) [ -n "$verb" ] || words+=("$1") ;;
				*) words+=("$1") ;;
				esac
				shift
			done
			case $verb in
			checkpoint)
				echo "(00.012) Error (criu/tty.c:1): tty: Found slave peer index 1" >"$image/dump.log"
				[ -e "$seen/fail" ] && echo "criu failed: type NOTIFY errno 0" >&2 && exit 1
				echo saved >"$image/core-1.img"
				echo times >"$image/stats-dump"
				[ -e "$seen/slow" ] && echo $$ >"$seen/began" && exec sleep 100
				[ -n "$leave" ] || runc "${words[@]:0:6}" kill "${words[-1]}" KILL
				;;
			restore)
				if ! grep -qx saved "$image/core-1.img"; then
					echo "(00.012) Error (criu/image.c:1): No such image" >"$work/restore.log"
					exit 1
				fi
				runc "${words[@]:0:6}" create "${words[@]:6}" && runc "${words[@]:0:6}" start "${words[-1]}"
				;;
			*) exec runc "${words[@]}" ;;
			esac
		END
	} >"$RUNTIME"
	chmod +x "$1/bin/criu" "$RUNTIME"
}
