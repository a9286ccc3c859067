/*
 * Reads how a client wants a listing: from the query, and the format also from Accept.
 */
#ifndef ZCSERVE_HTTP_VIEW_ASKED_H
#define ZCSERVE_HTTP_VIEW_ASKED_H

#include "fields.h"
#include "zcserve/listing_view.h"

/*
 * Reads "format=html|json", "sort=name|size|time" and "order=asc|desc" from the query (absent: none).
 * Other parameters and values are ignored; of several the last counts. Without a format in the query
 * the client gets JSON when its Accept (RFC 9110 §12.5.1) names application/json and prefers it to
 * text/html, or gives both the same weight without naming text/html; else HTML.
 */
struct view view_asked(struct text query, const struct fields *fields);

#endif
