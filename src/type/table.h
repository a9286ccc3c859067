/*
 * The table of media types, seen from inside: how it is filled, and what may stand in it.
 */
#ifndef ZCSERVE_TYPE_TABLE_H
#define ZCSERVE_TYPE_TABLE_H

#include "zcserve/media_type.h"

/*
 * A media type as RFC 9110 §8.3.1 has it, with or without parameters, and short enough to get a
 * charset. So it can stand in a field as it is.
 */
bool media_type_is_valid(struct text media_type);

/* The type without its parameters. */
struct text media_type_bare(struct text media_type);

/* Whether it is text of a kind that is sent with a charset, and names none itself. */
bool media_type_takes_charset(struct text media_type);

/* A token of RFC 9110 §5.6.2, as a charset's name is one. */
bool media_type_is_token(struct text text);

#define MEDIA_CHARSET_MAX 24 /* bytes of a charset's name */
#define MEDIA_TYPE_WITHOUT_CHARSET_MAX (MEDIA_TYPE_MAX - 10 - MEDIA_CHARSET_MAX)
#define MEDIA_TYPES_MAX 4096  /* types, and suffixes, in a table       */
#define MEDIA_SUFFIX_MAX 63   /* bytes of a suffix                    */
#define MEDIA_FILE_MAX 262144 /* bytes of a file that is read        */

/* An empty table, with the charset utf-8; NULL when memory is short. */
struct media_types *media_types_new(void);

/*
 * Adds a media type: its number for media_types_add_suffix(), or -EINVAL (it is none), -ENOSPC, -ENOMEM.
 */
int media_types_add_type(struct media_types *types, struct text media_type);

/*
 * Adds a suffix, in any case of letters, or gives it another type. A suffix may have dots inside
 * ("tar.gz") and may be written with one in front. 0, -EINVAL (no suffix), -ENOSPC, -ENOMEM.
 */
int media_types_add_suffix(struct media_types *types, struct text suffix, int type);

/*
 * Reads nginx's ("types { text/html html htm; }") or Apache's format (a line for each type) from
 * memory. A byte-order mark in front is passed over. In both formats a word may stand in quotes; of
 * a suffix that is given twice the last type counts. False, and in `problem` a line
 * "`file`:LINE: what", when it cannot.
 */
bool media_types_parse(struct media_types *types, const char *file, struct text text, char *problem,
                       size_t size);

#endif
