/*
 * The inside of the table of media types: how it is filled, and what it may contain.
 */
#ifndef ZCSERVE_TYPE_TABLE_H
#define ZCSERVE_TYPE_TABLE_H

#include "zcserve/media_type.h"

/*
 * Returns whether it is a media type of RFC 9110 §8.3.1, with or without parameters, and short
 * enough for a charset. Then it can be written into a field as it is.
 */
bool media_type_is_valid(struct text media_type);

/* Returns the type without its parameters. */
struct text media_type_bare(struct text media_type);

/* Returns whether a charset is added: it is a text type, and has no charset parameter itself. */
bool media_type_takes_charset(struct text media_type);

/* Returns whether it is a token (RFC 9110 §5.6.2), as the name of a charset must be. */
bool media_type_is_token(struct text text);

#define MEDIA_CHARSET_MAX 24 /* bytes of a charset's name */
#define MEDIA_TYPE_WITHOUT_CHARSET_MAX (MEDIA_TYPE_MAX - 10 - MEDIA_CHARSET_MAX)
#define MEDIA_TYPES_MAX 4096  /* types in a table, and suffixes in a table */
#define MEDIA_SUFFIX_MAX 63   /* bytes of a suffix                         */
#define MEDIA_FILE_MAX 262144 /* bytes of a file that is read              */

/* Returns an empty table with the charset utf-8; NULL when there is no memory. */
struct media_types *media_types_new(void);

/*
 * Adds a media type. Returns its number for media_types_add_suffix(), or -EINVAL (not a media
 * type), -ENOSPC (the table is full) or -ENOMEM.
 */
int media_types_add_type(struct media_types *types, struct text media_type);

/*
 * Adds a suffix, in any case of letters, or changes its type. A suffix may contain dots ("tar.gz")
 * and may begin with one. Returns 0, -EINVAL (not a suffix), -ENOSPC (the table is full) or
 * -ENOMEM.
 */
int media_types_add_suffix(struct media_types *types, struct text suffix, int type);

/*
 * Reads nginx's format ("types { text/html html htm; }") or Apache's (a line for each type) from
 * memory. A byte order mark at the start is skipped. In both formats a word may be in quotes. If a
 * suffix is given twice, the last type counts. Returns false, with a line "`file`:LINE: what" in
 * `problem`, after a mistake.
 */
bool media_types_parse(struct media_types *types, const char *file, struct text text, char *problem,
                       size_t size);

#endif
