/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trusted process of a streaming connection. It gives the client's socket to a worker that is
 * confined (ocid-dispatch/stream_control.h), and does what that asks for: takes a token, runs
 * ocid-shim(1) for a command, connects to ports in a pod's network. It ends with either.
 */
#pragma once

struct stream_settings;

/* Serve the client of that socket until it is gone. Returns the exit status of the process. */
int stream_session(const struct stream_settings *settings, int client_fd);
