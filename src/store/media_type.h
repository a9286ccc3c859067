/*
 * Media types, as the store itself needs them beyond zcserve/store.h.
 */
#ifndef ZCSERVE_STORE_MEDIA_TYPE_H
#define ZCSERVE_STORE_MEDIA_TYPE_H

#include "zcserve/representation.h"
#include "zcserve/store.h"

/* Whether content of this type is worth a compressed sidecar. */
bool media_type_is_compressible(struct text media_type);

/* Printable, with one slash inside, and short enough to get a charset. */
bool media_type_is_valid(struct text media_type);

#define MEDIA_TYPES_MAX 4096  /* suffixes in a table                  */
#define MEDIA_SUFFIX_MAX 31   /* letters of a suffix                  */
#define MEDIA_FILE_MAX 262144 /* bytes of a file that is read        */

/* An empty table; NULL when memory is short. */
struct media_types *media_types_new(void);

/* Adds or replaces a suffix, in any case. 0, -EINVAL (cannot be in a field), -ENOSPC, -ENOMEM. */
int media_types_add(struct media_types *types, struct text suffix, struct text media_type);

/*
 * Reads nginx's ("types { text/html html htm; }") or Apache's format (a line for each type) from
 * memory. False, and in `problem` a line "`file`:LINE: what", when it cannot.
 */
bool media_types_parse(struct media_types *types, const char *file, struct text text, char *problem,
                       size_t size);

#endif
