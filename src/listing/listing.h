/*
 * What a listing of a directory looks like: as HTML for people, as JSON for programs. Pure: the names
 * are given, and the result is a text in memory.
 *
 * Names may have any bytes. In HTML all that could be markup is escaped, and bytes that are no UTF-8
 * or could hide something are shown as \xHH. References are percent-encoded, byte by byte.
 */
#ifndef ZCSERVE_LISTING_LISTING_H
#define ZCSERVE_LISTING_LISTING_H

#include "zcserve/text.h"
#include "zcserve/listing_view.h"

#define LISTING_ENTRIES_MAX 100000 /* more names are not shown, and the listing says so */
#define LISTING_BYTES_MAX \
    ((size_t)32 * 1048576)       /* of a listing, likewise                            */
#define LISTING_README_MAX 65536 /* bytes of a README that are shown                  */

struct listing_entry {
    const char *name;         /* without "/", with a NUL                */
    uint64_t size;            /* in bytes; of a directory 0             */
    int64_t modified_seconds; /* of the wall clock, since 1970          */
    bool is_directory;
};

struct listing {
    struct text path; /* of the directory: "" or "a/b/" */
    struct listing_entry *entry;
    uint32_t count;
    bool complete;           /* false: there are more than LISTING_ENTRIES_MAX names */
    struct text readme_name; /* absent: there is none                                */
    struct text readme;
};

/* Sorts the entries: directories first, then by the key of the view, and equal ones by name. */
void listing_sort(struct listing *listing, struct view view);

/*
 * Makes the page in the format of the view; the entries must be sorted by it. Returns a text that the
 * caller frees (free(text.base)), or an absent one when there is no memory. When the page would be
 * larger than LISTING_BYTES_MAX, it has fewer entries and says so.
 */
struct text listing_make(const struct listing *listing, struct view view);

/* Returns the media type of a format, with its charset. */
struct text listing_media_type(struct view view);

#endif
