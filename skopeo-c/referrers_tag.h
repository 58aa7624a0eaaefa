/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tags of what belongs to an image: the index of its referrers, where the registry has no API
 * for them (distribution-spec, "Referrers Tag Schema"), and what cosign makes, .sig, .att, .sbom.
 */
#pragma once

/* "sha256-HEX" and `suffix`, without which it is the tag of that index; the caller frees it. HEX
 * are 64 digits, also of a digest that has more. */
char *referrers_tag(const char *digest, const char *suffix);

/* referrers_tag(digest, "") of the digest that such a tag is about, whatever its suffix, which
 * begins with a dot; the caller frees it. NULL where it is no such tag. */
char *referrers_tag_subject(const char *tag);
