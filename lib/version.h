/* SPDX-License-Identifier: Apache-2.0 */
/* The version of the whole toolbox. */
#pragma once

#define OCID_VERSION "0.1.0"

/* The specifications that the tools speak. */
#define OCI_RUNTIME_SPEC_VERSION "1.0.2"
