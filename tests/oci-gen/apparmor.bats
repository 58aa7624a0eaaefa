# SPDX-License-Identifier: Apache-2.0

load ../helpers

@test "apparmor: prints the profile that generate takes as the default" {
	tool oci-gen apparmor
	[ "$(grep -c '^profile ocid-default ' <<<"$output")" -eq 1 ]
	[ "$(tail -n 1 <<<"$output")" = '}' ]
	[ "$(grep -c '^abi ' <<<"$output")" -eq "$(find /etc/apparmor.d/abi/3.0 2>/dev/null | wc -l)" ]
	[ "$(grep -c '^  deny network alg,$' <<<"$output")" -eq 1 ]
	tool 2 oci-gen apparmor more
	tool 9 bash -c 'oci-gen apparmor >/dev/full'
}
