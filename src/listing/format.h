/*
 * The two formats of a listing. listing.c chooses.
 */
#ifndef ZCSERVE_LISTING_FORMAT_H
#define ZCSERVE_LISTING_FORMAT_H

#include "listing.h"
#include "page.h"

/* Each writes a whole page. When LISTING_BYTES_MAX is reached, no further entry is written. */
void listing_put_html(struct page *page, const struct listing *listing, struct view view);
void listing_put_json(struct page *page, const struct listing *listing);

static inline struct text entry_name(const struct listing_entry *entry)
{
    return (struct text){entry->name, strlen(entry->name)};
}

#endif
