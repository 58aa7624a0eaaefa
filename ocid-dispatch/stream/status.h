/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a command ended, as Kubernetes' clients are told on the error channel: a metav1.Status in
 * JSON from v4 of the protocol on, before that text for a failure and nothing for success. The
 * caller frees the text.
 */
#pragma once

char *status_of_exit(unsigned version, int status);
char *status_of_failure(unsigned version, const char *message);
