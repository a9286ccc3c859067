/*
 * What a name beneath the root is on disk right now: the file and its sidecars, looked at but
 * not read.
 */
#ifndef ZCSERVE_STORE_FILE_H
#define ZCSERVE_STORE_FILE_H

#include "beneath.h"
#include "identity.h"
#include "zcserve/lookup.h"
#include "zcserve/store.h"

#include <limits.h>

/* Names longer than this are answered as not found, so that a sidecar's still fits PATH_MAX. */
#define FILE_NAME_MAX (PATH_MAX - 16)

/* Where to look, and how. */
struct place {
    struct beneath beneath;
    const struct store_options *options;
};

struct file {
    const char *name;       /* beneath the root, with a NUL; an index is named in full     */
    struct text media_type; /* of all its codings                                          */
    enum coding own_coding; /* what the file itself is (".svgz"): then it has no sidecars   */
    struct identity identity[CODING_COUNT]; /* [0] the file, the others its sidecars       */
    bool usable[CODING_COUNT];
    bool varies;    /* a coding exists, or could: the answer depends on Accept-Encoding     */
    bool indirect;  /* a symbolic link, a second hard link or a mount is involved: a watch  */
                    /* on the directory does not tell of every change                       */
    bool fallback;  /* an index that is not the first: depends on what is absent too        */
    bool uncertain; /* a sidecar could not be looked at now: not to be remembered          */
};

/*
 * What the caller of the store is told when the system says `error` (an errno) of a path. COLD for
 * EINPROGRESS, which beneath_open gives when nothing may wait.
 */
enum resolution_kind file_failure(int error);

/* Whether `error` may be over in a moment though nothing changes on disk. */
bool file_failure_passes(int error);

/*
 * False when the path is not found without looking: too long, or hidden. Hidden is what has a
 * component that begins with "."; a leading ".well-known" (RFC 8615) does not count.
 */
bool file_may_exist(const struct place *place, struct text path);

/*
 * Finds what `path` (as in struct lookup, one that may exist) is. FOUND fills *file, whose name is written into
 * `name`; any other kind is the answer, and of *file only `indirect` is set.
 * `mount`: of the directory watched for the path, 0 when none is.
 */
enum resolution_kind file_find(const struct place *place, struct text path, uint64_t mount,
                               char name[PATH_MAX], struct file *file);

/*
 * The best of the usable codings; CODING_COUNT when none is accepted. A file with a coding of its own is
 * sent to everyone as it is.
 */
enum coding file_choose(const struct file *file, const struct accepted *accepted);

/*
 * 0 while the names of the file and of all sidecars that are looked for lead to what they led to, or to
 * nothing, by the same rules as when they were opened; -ESTALE when not; -EINPROGRESS when it cannot be
 * told at once. Without a free descriptor too. In compare.c.
 */
int file_compare(const struct place *place, const struct file *file);

/* True when no part changed so recently that another change could go unseen by identity. */
bool file_is_settled(const struct file *file, const struct now *now);

/*
 * How long until more can be said of a part than now: that it is settled, or its date. 0 when all has
 * been said. By the wall clock.
 */
uint64_t file_ripens_in_ns(const struct file *file, const struct now *now);

/* Opens the bytes of one coding for reading. -ESTALE when that is no longer the file found. */
int file_open(const struct place *place, const struct file *file, enum coding coding);

/* The same, whatever the name leads to by now: for who reads it and compares then. */
int file_open_unseen(const struct place *place, const struct file *file, enum coding coding);

/*
 * The same for the file itself, whatever it is by now, and its identity in `file` corrected.
 * -ENOENT when it is no regular file.
 */
int file_open_as_it_is(const struct place *place, struct file *file);

/* The name of the sidecar of `name`, and `name` itself for identity. */
void file_sidecar_name(const char *name, enum coding coding, char sidecar[PATH_MAX]);

#endif
