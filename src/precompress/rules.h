/*
 * What `zcserve precompress` decides from figures and names alone: which sidecar counts as right,
 * which file is compressed, and what is worth it. Nothing here looks at the disk.
 */
#ifndef ZCSERVE_PRECOMPRESS_RULES_H
#define ZCSERVE_PRECOMPRESS_RULES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/identity.h"
#include "zcserve/representation.h"

/* What the command line asks for. */
struct precompress_wishes {
    bool check;                  /* write nothing, and report what is wrong                    */
    bool dry_run;                /* write nothing, and report what would be done               */
    bool prune;                  /* remove sidecars that are wrong and not worth making again, */
                                 /* and those that are not worth it                            */
    bool verbose;                /* a line for each sidecar that is written or removed         */
    const char *types;           /* media types to compress; see types_have()                  */
    uint64_t size_min, size_max; /* of originals that are compressed, in bytes                 */
    int level[CODING_COUNT];     /* as the libraries count them                                */
};

/* ---- time ------------------------------------------------------------------------------------ */

enum standing {
    STANDING_ABSENT,
    STANDING_CURRENT,    /* it has the time of its original: its content is not read to find out */
    STANDING_OTHER_TIME, /* only its content shows whether it belongs to the original            */
    STANDING_OBSTRUCTED, /* something else than a file has its name, such as a directory         */
};

/*
 * Returns the standing of a sidecar. `usable`: the server would send it, as file_find() says. The
 * server also sends a sidecar that is newer than its original. Here that is not enough: when an
 * older release is restored with its times, the sidecars of the newer one are wrong.
 */
enum standing standing_of(const struct identity *sidecar, const struct identity *original,
                          bool usable);

/* ---- size ------------------------------------------------------------------------------------ */

/*
 * Returns the largest size of a sidecar, in bytes, that is worth it for an original of this size:
 * it saves at least 5 % and at least 64 bytes. 0: none is.
 */
uint64_t worth_size_max(uint64_t original_size);

/* Returns whether originals of this size are compressed. */
bool size_is_chosen(const struct precompress_wishes *wishes, uint64_t original_size);

/* ---- what to do ------------------------------------------------------------------------------ */

enum todo {
    TODO_NOTHING,      /* the sidecar is current                                       */
    TODO_NOT_WORTH_IT, /* there is none, and the original is too small for one         */
    TODO_WORK          /* its content, or a try to compress, shows what has to be done */
};

/* Returns what to do for a sidecar, as far as sizes and times tell. */
enum todo todo_of(const struct precompress_wishes *wishes, enum standing standing,
                  uint64_t original_size, uint64_t sidecar_size);

/*
 * Returns how long it takes to compress so many bytes, in a unit of its own: about that of deflate
 * for a byte. It orders the work and measures the progress.
 */
uint64_t work_cost(enum coding coding, uint64_t original_size);

/* Returns how much memory it takes at most, in bytes. */
uint64_t work_memory(uint64_t original_size);

/* ---- names and types ------------------------------------------------------------------------- */

/*
 * Returns whether a list for --types is well-formed: "type/subtype", the same with "*" in place of
 * the subtype or of both, or "default", separated by commas.
 */
bool types_are_valid(const char *list);

/*
 * Returns whether the list has the media type, whatever its parameters. "default" has the types
 * for which media_type_is_compressible() holds. Case is ignored (RFC 9110 §8.3.1).
 */
bool types_have(const char *list, struct text media_type);

/* Returns whether a file of this name is a sidecar itself, of any coding. */
bool name_is_sidecar(const char *name);

/* Returns whether a sidecar of this file has a name that is not too long for a directory entry. */
bool name_has_room(const char *path, enum coding coding);

/* Returns the length of the directory in a path, without its last slash; 0 when there is none. */
size_t name_directory_length(const char *path);

/* Returns the last component of a path. */
const char *name_base(const char *path);

/*
 * Writes the name of a temporary file. The server does not serve it, because it begins with a dot.
 * `process` and `number` make it different from all others.
 */
void name_temporary(char name[NAME_MAX + 1], uint64_t process, uint64_t number);
bool name_is_temporary(const char *name);

/*
 * Reads "br=11,zst=19,gz=12", or a part of that, into `level`. Returns false, with `level`
 * unchanged, when `list` is anything else or a level is not one of its library's.
 */
bool levels_read(const char *list, int level[CODING_COUNT]);

#endif
