/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

struct error;

/* A hint of a tool may name an option of its command line, which no client of the CRI can give: say
 * what does the same on a node instead. */
void hints_adapt(struct error *err);
