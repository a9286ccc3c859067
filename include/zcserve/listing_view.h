/*
 * How a client wants a listing of a directory: plain values, which the core reads from the request
 * and the store hands on.
 */
#ifndef ZCSERVE_LISTING_VIEW_H
#define ZCSERVE_LISTING_VIEW_H

#include <stdbool.h>
#include <stdint.h>

enum view_format { VIEW_HTML, VIEW_JSON, VIEW_FORMATS };
enum view_sort { VIEW_BY_NAME, VIEW_BY_SIZE, VIEW_BY_TIME, VIEW_SORTS };

/* All zero: HTML by name. */
struct view {
    uint8_t format, sort; /* enum view_format, enum view_sort                               */
    bool descending;
    bool negotiated; /* the format depends on the Accept field: the query does not name one */
};

#define VIEWS (VIEW_FORMATS * VIEW_SORTS * 2 * 2)

/* Returns the number of a view, less than VIEWS. */
static inline unsigned view_number(struct view view)
{
    unsigned order = (view.descending ? 2U : 0U) + (view.negotiated ? 1U : 0U);
    return ((unsigned)view.format * VIEW_SORTS + view.sort) * 4 + order;
}

#endif
