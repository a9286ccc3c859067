/*
 * The first line of an input is the query of a listing, and the others are lines of Accept. What a view becomes is one
 * that there is; parameters that nobody knows change nothing; and the view's own query asks for the same view again.
 */
#include "http/view_asked.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct text line_take(struct text *rest)
{
    const char *end = rest->length > 0 ? memchr(rest->base, '\n', rest->length) : NULL;
    size_t length = end ? (size_t)(end - rest->base) : rest->length;
    struct text line = {rest->base, length};
    length += end != NULL;
    *rest = (struct text){rest->base + length, rest->length - length};
    return line;
}

/* The query with what nobody knows around it. */
static void same_among_others(struct text query, const struct fields *fields, struct view view)
{
    static const char before[] = "x&format=xml&", after[] = "&sort=&order=up&FORMAT=json&&";
    size_t length = sizeof(before) - 1 + query.length + sizeof(after) - 1;
    char *longer = malloc(length);
    assert(longer);
    memcpy(longer, before, sizeof(before) - 1);
    if (query.length > 0) memcpy(longer + sizeof(before) - 1, query.base, query.length);
    memcpy(longer + length - (sizeof(after) - 1), after, sizeof(after) - 1);
    struct view again = view_asked((struct text){longer, length}, fields);
    assert(view_number(again) == view_number(view));
    free(longer);
}

static void asked_again(const struct fields *fields, struct view view)
{
    static const char *const formats[] = {"html", "json"}, *const sorts[] = {"name", "size",
                                                                             "time"};
    char query[64];
    int length = snprintf(query, sizeof(query), "format=%s&order=%s&sort=%s", formats[view.format],
                          view.descending ? "desc" : "asc", sorts[view.sort]);
    struct view again = view_asked((struct text){query, (size_t)length}, fields);
    assert(again.format == view.format && again.sort == view.sort);
    assert(again.descending == view.descending && !again.negotiated);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct text rest = {(const char *)bytes, size};
    struct text query = line_take(&rest);
    struct fields fields = {0}, none = {0};
    while (rest.length > 0)
        if (!fields_add(&fields, FIELD_ACCEPT, line_take(&rest))) break;
    struct view view = view_asked(query, &fields);
    assert(view.format < VIEW_FORMATS && view.sort < VIEW_SORTS && view_number(view) < VIEWS);
    if (!view.negotiated) assert(view_asked(query, &none).format == view.format);
    if (view.negotiated) assert(view_asked(query, &none).format == VIEW_HTML);
    same_among_others(query, &fields, view);
    asked_again(&fields, view);
    return 0;
}
