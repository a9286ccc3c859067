/*
 * The media type of a file, by its name (RFC 9110 §8.3), and the properties of a media type.
 */
#ifndef ZCSERVE_MEDIA_TYPE_H
#define ZCSERVE_MEDIA_TYPE_H

#include "zcserve/representation.h"

#include <stdbool.h>
#include <stddef.h>

struct media_types;

/*
 * A table of media types by file name suffix; media_types_free() frees it. media_types_load() reads
 * a file in nginx's or Apache's format; it returns NULL, with one line "FILE:LINE: what" in
 * `problem`, when it cannot. media_types_embedded() returns the table that is built in, or NULL
 * when there is no memory.
 */
struct media_types *media_types_load(const char *file, char *problem, size_t size);
struct media_types *media_types_embedded(void);
/*
 * Sets the charset that is added to text types: "utf-8" at first; "": none. Returns false, with
 * nothing changed, when `charset` is not the name of a charset.
 */
bool media_types_set_charset(struct media_types *types, const char *charset);
void media_types_free(struct media_types *types);
/*
 * Returns the value of Content-Type for a file name, for text with the charset; never absent. Of
 * several suffixes that fit ("tar.gz", "gz") the longest is used. The text lives as long as
 * `types`, and until its charset is set again.
 */
struct text media_type_find(const struct media_types *types, struct text name);

/* Returns whether a compressed sidecar makes sense for content of this type. */
bool media_type_is_compressible(struct text media_type);

/*
 * Returns whether `pattern` is this media type, without its parameters, or its family: "text/" and
 * a star. Case does not count.
 */
bool media_type_fits(struct text media_type, struct text pattern);

/*
 * Returns the content coding that the file itself has: gzip for an image/svg+xml whose name ends
 * with ".svgz", else identity. Such a file is sent with that Content-Encoding to every client.
 */
enum coding media_type_own_coding(struct text name, struct text media_type);

#endif
