/*
 * Compression on the fly: which codings may be made of a file, which of those that are made is
 * lent, and which is to be made. A sidecar wins over all of them: then nothing is made for that
 * client.
 */
#ifndef ZCSERVE_STORE_COMPRESSIBLE_H
#define ZCSERVE_STORE_COMPRESSIBLE_H

#include "entry.h"

/* Sets `makeable` and `varies` of a file that has no coding of its own, by its type and size. */
void compressible_judge(const struct compress_options *options, struct file *file);

/* Returns whether this coding may be made: the file's type and size fit, and no sidecar has it. */
bool compressible_may_make(const struct entry *entry, enum coding coding);

/*
 * Returns what the client gets: `chosen` (of file_choose()), or a coding that was made, when the
 * client accepts it at least as much as the original. When it likes several of them the same, the
 * shortest.
 */
enum coding compressible_choose(const struct entry *entry, const struct accepted *accepted,
                                enum coding chosen);

/*
 * Returns the coding that should be made for this client; CODING_COUNT when none should be. That is
 * the first one in the order of the options among those it likes best. None is made while the times
 * of the file are too young to prove that its bytes are those of its times.
 */
enum coding compressible_wanted(const struct compress_options *options, const struct entry *entry,
                                const struct accepted *accepted);

#endif
