/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctr-store-unpack: one layer of an image from a descriptor into a directory. ctr-store starts one
 * for each layer; it is confined before it reads the first byte (confine.h), so that a bug in a
 * decompressor or in a tar reader cannot touch anything but that directory.
 *
 *   ctr-store-unpack layer --blob-fd N --dir-fd M --diff-id D [--blob-digest D] [--lower-fd K]
 *                    [--blob-size BYTES] [--max-entries N] [--max-size BYTES] [--user-namespace]
 *                    [--one-user]
 *   ctr-store-unpack layer --blob-fd N --dir-fd M --image-fd I [--diff-id D] …
 *   ctr-store-unpack layer --blob-fd N --dir-fd M --check
 *
 * in:   N        the layer as it is stored, compressed or not (the bytes say which: gzip, zstd,
 *                bzip2, xz, plain tar); a file at offset 0, or a pipe. Read to its end; with
 *                --blob-size a file to which others still write, until it has that many bytes
 *                and however long that takes: the caller kills a worker that waits in vain.
 *       M        an empty directory; becomes the layer. Nothing else can be reached.
 *       I        an empty file; becomes an EROFS image of the layer, and nothing is written to M.
 *                Overlayfs' own marks are in it as in a directory: 0:0, trusted.overlay.*.
 *       K        a directory that shows all layers beneath this one merged, as an overlay mount
 *                of them does (for one layer: its directory). It is only read.
 *       stdin    used only when K was not given and "needs" was printed; see below
 * out:  stdout, JSON Lines:
 *       {"needs":"lower"}                       at most once, see below
 *       {"entries":n,"leans":bool,"root":bool,"size":bytes}    the last line, only on success
 *                entries: of the archive; size: bytes of file content; root: the archive says
 *                what owner, mode, xattrs and times the topmost directory has
 *       with --check, which writes nothing to M, an empty directory:
 *       {"compression":"none"|"gzip"|"zstd"|"bzip2"|"xz","diffId":digest,"entries":n}
 * Exit status and the line on stderr are those of every tool (lib/error.h, OCID_ERRORS=json).
 * After a failure the caller deletes the directory; after success it must still sync it.
 *
 * A layer leans on those beneath it when it has a hard link to a file that is not in it, a parent
 * directory that it never declares (owner, mode, xattrs and times then come from beneath; 0755,
 * root, time 0 where there is none), or an opaque root. Its tree is then true only on top of the
 * same lower layers, and "leans" is true. Without --lower-fd the worker asks when everything else
 * is done: it prints {"needs":"lower"} and waits on stdin, which must be a connected unix socket,
 * for one message of one byte that carries the descriptor described as K above (SCM_RIGHTS), or
 * none when this is the lowest layer. A layer that does not lean never asks.
 *
 * The worker is killed when the thread that started it ends.
 */
#include "ctr-store/worker/layer.h"

static const struct cli_command commands[] = {
	{ .name = "layer",
	  .operands_max = 0,
	  .summary = "unpack one layer into a directory",
	  .options = layer_options,
	  .settings_size = sizeof(struct layer_settings),
	  .defaults = &layer_defaults,
	  .run = layer_run },
	{ 0 },
};

#ifdef __SANITIZE_ADDRESS__
/* LeakSanitizer reads /proc at exit, which is out of reach by then. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return 1;
}
#endif

int main(int argc, char **argv)
{
	return cli_main("ctr-store-unpack", "unpacks image layers, confined", commands, argc, argv);
}
