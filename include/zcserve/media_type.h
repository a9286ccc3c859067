/*
 * What type a file is of, by its name (RFC 9110 §8.3), and what is known of that type.
 */
#ifndef ZCSERVE_MEDIA_TYPE_H
#define ZCSERVE_MEDIA_TYPE_H

#include "zcserve/representation.h"

#include <stdbool.h>
#include <stddef.h>

struct media_types;

/*
 * Media types by file name suffix. `media_types_load` reads a file in nginx's or in Apache's
 * format; NULL and one line "FILE:LINE: what" in `problem` when it cannot. The embedded table
 * serves when there is none.
 */
struct media_types *media_types_load(const char *file, char *problem, size_t size);
struct media_types *media_types_embedded(void);
/*
 * The charset that is added to the types of text, "utf-8" at first; "" for none. False, with nothing
 * changed, when it is no name of a charset.
 */
bool media_types_set_charset(struct media_types *types, const char *charset);
void media_types_free(struct media_types *types);
/*
 * The value of Content-Type for a file name, charset included for text; never absent. Of several
 * suffixes that fit ("tar.gz", "gz") the longest counts.
 */
struct text media_type_find(const struct media_types *types, struct text name);

/* Whether content of this type is worth a compressed sidecar. */
bool media_type_is_compressible(struct text media_type);

/*
 * The content coding that a file of this name and type has by itself: gzip for an image/svg+xml whose
 * name ends in ".svgz", else identity. Such a file is sent with that Content-Encoding to everyone.
 */
enum coding media_type_own_coding(struct text name, struct text media_type);

#endif
