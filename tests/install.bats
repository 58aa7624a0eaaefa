# SPDX-License-Identifier: Apache-2.0
# What `make install` puts somewhere works from there.

load helpers

# make TARGET with the objects of this build, which other tests run: what it changes is a copy
make_copy() { # ARGUMENT…
	if [ ! -d "$BATS_TEST_TMPDIR/build" ]; then
		mkdir "$BATS_TEST_TMPDIR/build"
		find "$OCID_BIN" -maxdepth 1 -type f -exec cp -pt "$BATS_TEST_TMPDIR/build" {} +
		cp -a "$OCID_BIN"/{obj,gen,completions} "$BATS_TEST_TMPDIR/build"
	fi
	make -s -C "$TESTS/.." BUILD="$BATS_TEST_TMPDIR/build" "$@"
}

# an image is unpacked by the worker of the ctr-store in that directory
finds_worker() { # DIRECTORY
	# shellcheck disable=SC2034 # is exported
	local OCID_ROOT=$BATS_TEST_TMPDIR/store # where nothing is unpacked

	busybox_tar "$BATS_TEST_TMPDIR/layer.tar"
	oci_image "$BATS_TEST_TMPDIR/layout" test:1 '{}' "$BATS_TEST_TMPDIR/layer.tar"
	PATH=$1:/usr/bin:/bin tool "$1/skopeo-c" copy --quiet "oci:$BATS_TEST_TMPDIR/layout:test:1" store:test:1
	PATH=$1:/usr/bin:/bin tool "$1/ctr-store" unpack test:1
}

@test "install: below any prefix the tools find their workers, and the man pages are there" {
	make_copy DESTDIR="$BATS_TEST_TMPDIR" PREFIX=/usr install
	local bin=$BATS_TEST_TMPDIR/usr/bin

	[ "$(find "$bin" -type f | wc -l)" -eq 6 ]
	finds_worker "$bin"
	for page in ocid.7 ctr-store.1 ocid-dispatch.8 ocid.json.5; do
		[ -f "$BATS_TEST_TMPDIR/usr/share/man/man${page##*.}/$page" ]
	done
	jq -e '."$schema"' "$BATS_TEST_TMPDIR/usr/share/ocid/document.schema.json"
	grep -qx "ExecStart=/usr/bin/ocid-dispatch serve" "$BATS_TEST_TMPDIR/usr/lib/systemd/system/ocid-dispatch.service"
	# the example, where only the default runtime is installed
	mkdir "$BATS_TEST_TMPDIR/runc"
	ln -s /bin/true "$BATS_TEST_TMPDIR/runc/runc"
	tool env PATH="$BATS_TEST_TMPDIR/runc" "$bin/ocid-dispatch" check \
		--config "$BATS_TEST_TMPDIR/usr/share/doc/ocid/examples/ocid.json"
}

@test "install: after make for another place the tools look for their workers in the new one" {
	local at=$BATS_TEST_TMPDIR/opt

	make_copy all
	make_copy PREFIX="$at" LIBEXECDIR="$at/elsewhere" install
	finds_worker "$at/bin"
}

@test "install: GNU's names of directories are taken" {
	local root=$BATS_TEST_TMPDIR/root

	make_copy DESTDIR="$root" prefix=/p bindir=/b libexecdir=/l mandir=/m install
	[ -x "$root/b/ctr-store" ]
	[ -x "$root/l/ocid/ctr-store-unpack" ]
	[ -f "$root/m/man7/ocid.7" ]
	grep -qx "ExecStart=/b/ocid-dispatch serve" "$root/p/lib/systemd/system/ocid-dispatch.service"
}

@test "install: what is installed can be read by all, whatever the umask" {
	make_copy all
	(umask 077 && make_copy DESTDIR="$BATS_TEST_TMPDIR/root" install)
	[ -z "$(find "$BATS_TEST_TMPDIR/root" -mindepth 1 ! -perm -444)" ]
	[ -z "$(find "$BATS_TEST_TMPDIR/root" -mindepth 1 -type d ! -perm -555)" ]
}

@test "install: uninstall leaves nothing of ours, and what is another's" {
	make_copy DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr install
	touch "$BATS_TEST_TMPDIR/root/usr/share/doc/other"
	make_copy DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr uninstall
	[ "$(find "$BATS_TEST_TMPDIR/root" -type f -o -path '*ocid*')" = "$BATS_TEST_TMPDIR/root/usr/share/doc/other" ]
}

@test "install: what is built for another machine is not run; NATIVE tells the completions" {
	local root=$BATS_TEST_TMPDIR/root

	# shellcheck disable=SC2016 # for sh
	printf '#!/bin/sh\n[ "$1" != -dumpmachine ] || exec echo other-linux-gnu\nexec %s "$@"\n' "${CC:-cc}" >"$BATS_TEST_TMPDIR/other-cc"
	chmod +x "$BATS_TEST_TMPDIR/other-cc"
	make_copy all
	for tool in skopeo-c ctr-store oci-gen ctr-net ocid-shim ocid-dispatch; do
		echo 'of another machine' >"$BATS_TEST_TMPDIR/build/$tool"
	done
	rm -rf "$BATS_TEST_TMPDIR/build/completions"
	make_copy CC="$BATS_TEST_TMPDIR/other-cc" DESTDIR="$root" PREFIX=/usr install
	[ -z "$(find "$root/usr/share/bash-completion" "$root/usr/share/zsh" -type f)" ]
	make_copy CC="$BATS_TEST_TMPDIR/other-cc" NATIVE="$OCID_BIN" DESTDIR="$root" PREFIX=/usr install
	grep -q _ctr_net "$root/usr/share/bash-completion/completions/ctr-net"
	grep -qx '#compdef ctr-net' "$root/usr/share/zsh/site-functions/_ctr-net"
	[ "$(find "$root/usr/share/bash-completion" "$root/usr/share/zsh" -type f | wc -l)" -eq 12 ]
}

# dpkg's call of a script of the package, where systemd is the init: what it has done about the service
maintainer_script() { # SCRIPT ARGUMENT…
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m sh -ec '
		mount -t tmpfs tmpfs /run
		mkdir -p /run/systemd/system /run/bin
		for command in systemctl deb-systemd-invoke deb-systemd-helper; do
			printf "#!/bin/sh\necho \${0##*/} \"\$@\" >>/run/calls\nexit 1\n" >"/run/bin/$command"
			chmod +x "/run/bin/$command"
		done
		script=$1 PATH=/run/bin:$PATH
		shift
		"$script" "$@"
		[ ! -e /run/calls ] || cat /run/calls' _ "$TESTS/debian/$1" "${@:2}"
}

@test "install: the Debian package's service stops when it is removed, and is restarted when it is replaced" {
	[ "$(maintainer_script postinst configure '')" = "deb-systemd-helper update-state ocid-dispatch.service
systemctl --system daemon-reload" ]
	[ "$(maintainer_script prerm upgrade 0.2.0)" = "" ]
	[ "$(maintainer_script postinst configure 0.1.0 | tail -n 1)" = "deb-systemd-invoke try-restart ocid-dispatch.service" ]
	[ "$(maintainer_script prerm remove)" = "deb-systemd-invoke stop ocid-dispatch.service" ]
	[ "$(maintainer_script postrm remove)" = "systemctl --system daemon-reload" ]
	[ "$(maintainer_script postrm upgrade 0.2.0)" = "" ]
	[ "$(maintainer_script postrm purge)" = "deb-systemd-helper purge ocid-dispatch.service" ]
}

@test "install: building needs no package that only tests need" {
	missing() { # TARGET: what `make TARGET` misses where nothing is installed
		run -2 --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin:$PATH" make -s -C "$TESTS/.." "$1"
	}

	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/dpkg-query"
	printf '#!/bin/sh\necho 1000\n' >"$BATS_TEST_TMPDIR/bin/id"
	chmod +x "$BATS_TEST_TMPDIR"/bin/*
	missing deps
	[[ $stderr == *'sudo make deps'*libcurl4-openssl-dev* && $stderr != *docker-registry* ]]
	missing deb
	[[ $stderr == *'sudo make deps'* ]]
	missing test-deps
	[[ $stderr == *'sudo make test-deps'*libcurl4-openssl-dev*docker-registry* ]]
	missing check
	[[ $stderr == *'sudo make test-deps'* ]]
}

@test "install: flags of the user's win, also over what we would harden with" {
	commands() { # FILE ARGUMENT…
		env -u SANITIZE make -s -n -B -C "$TESTS/.." BUILD="$BATS_TEST_TMPDIR/none" V=1 "${@:2}" "$BATS_TEST_TMPDIR/none/$1"
	}
	local resident

	[ "$(commands obj/lib/base64.o | grep -o '[^ ]*FORTIFY[^ ]*')" = -D_FORTIFY_SOURCE=2 ]
	[ "$(commands obj/lib/base64.o CPPFLAGS=-D_FORTIFY_SOURCE=3 | grep -o '[^ ]*FORTIFY[^ ]*')" = -D_FORTIFY_SOURCE=3 ]
	[ "$(commands obj/lib/base64.o CFLAGS='-O2 -Wp,-D_FORTIFY_SOURCE=3' | grep -o '[^ ]*FORTIFY[^ ]*')" = -Wp,-D_FORTIFY_SOURCE=3 ]
	for resident in ocid-pause ocid-shim-monitor; do
		commands "$resident" CFLAGS=-Os CPPFLAGS=-DX LDFLAGS=-Wl,-s | grep -- '-static.* -Os -DX -Wl,-s '
		! commands "$resident" CFLAGS='-O2 -fsanitize=address' | grep fsanitize || return
	done
}
