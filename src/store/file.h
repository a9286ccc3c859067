/*
 * What a name beneath the root is on disk now: the file and its sidecars. They are looked at, but
 * not read.
 */
#ifndef ZCSERVE_STORE_FILE_H
#define ZCSERVE_STORE_FILE_H

#include "beneath.h"
#include "identity.h"
#include "zcserve/lookup.h"
#include "zcserve/store.h"

#include <limits.h>

/* Longer names are not found, so that the name of a sidecar still fits PATH_MAX. */
#define FILE_NAME_MAX (PATH_MAX - 16)

/* Where to look for files, and how. */
struct place {
    struct beneath beneath;
    const struct tree_options *options;
};

struct file {
    const char *name;       /* beneath the root, with a NUL; with the name of the index */
    struct text media_type; /* of all its codings                                       */
    enum coding own_coding; /* coding of the file itself (".svgz"): then no sidecars    */
    struct identity identity[CODING_COUNT]; /* [0] the file, the others its sidecars */
    bool usable[CODING_COUNT];
    uint8_t makeable; /* codings that may be made of it, a bit each; see compressible.h */
    bool varies;      /* a coding exists or could exist: the result depends on Accept-Encoding */
    bool indirect;    /* a symbolic link, a second hard link or a mount is involved: a watch   */
                      /* on the directory does not report every change                         */
    bool bare;        /* no file: a directory without an index                               */
    bool fallback;    /* an index that is not the first: it depends on names that are absent   */
    bool uncertain;   /* a sidecar could not be looked at now: do not remember the file        */
};

/*
 * Returns the result of a lookup when a system call failed with `error` (an errno). COLD for
 * EINPROGRESS, which beneath_open() returns when it may not wait, and CROWDED for EUSERS.
 */
enum resolution_kind file_failure(int error);

/* Returns whether `error` may soon be over although nothing changes on disk. */
bool file_failure_passes(int error);

/*
 * Returns false when the path is too long or hidden, and so not found without looking. A path is
 * hidden when a component begins with ".", but a leading ".well-known" (RFC 8615) is not hidden.
 */
bool file_may_exist(const struct place *place, struct text path);

/*
 * Finds the file of `path` (as in struct lookup), for which file_may_exist() is true. For FOUND,
 * sets *file and writes its name to `name`. Any other kind is the result; then only `indirect` and
 * `bare` of *file are valid.
 * `mount` is that of the directory watched for the path, or 0 when none is.
 */
enum resolution_kind file_find(const struct place *place, struct text path, uint64_t mount,
                               char name[PATH_MAX], struct file *file);

/*
 * Returns the best of the usable codings, or CODING_COUNT when none is accepted. A file with a
 * coding of its own is sent to all clients as it is.
 */
enum coding file_choose(const struct file *file, const struct accepted *accepted);

/*
 * Compares the names of the file and of all its possible sidecars with the disk, by the rules for
 * opening them. Returns 0 while they lead to the same files or still to nothing, -ESTALE when not,
 * and -EINPROGRESS when the comparison would have to wait. Works without a free descriptor, too. In
 * compare.c.
 */
int file_compare(const struct place *place, const struct file *file);

/* Returns whether the last change of each part is old enough, so that a later one would be seen. */
bool file_is_settled(const struct file *file, const struct now *now);

/*
 * Returns how long it takes until a part is settled or gets a date, in ns of the wall clock; 0 when
 * nothing more is to be expected.
 */
uint64_t file_ripens_in_ns(const struct file *file, const struct now *now);

/* Opens one coding for reading. Returns a descriptor, or -errno: -ESTALE for another file. */
int file_open(const struct place *place, const struct file *file, enum coding coding);

/* As file_open(), but opens any file that has the name now. The caller compares after that. */
int file_open_unseen(const struct place *place, const struct file *file, enum coding coding);

/*
 * Opens the file itself, whatever it is now, and corrects its identity in `file`. Returns a
 * descriptor, or -errno: -ENOENT when it is no regular file.
 */
int file_open_as_it_is(const struct place *place, struct file *file);

/* Writes the name of the sidecar of `name`; for identity `name` itself. */
void file_sidecar_name(const char *name, enum coding coding, char sidecar[PATH_MAX]);

#endif
