/*
 * Reads the query of a listing parameter by parameter, and Accept member by member.
 */
#include "view_asked.h"
#include "negotiate.h"
#include "zcserve/token.h"

/* Sets the members of the view that the parameter names. Returns whether it names a format. */
static bool parameter_take(struct text parameter, struct view *view)
{
    static const struct {
        struct text text;
        enum { FORMAT, SORT, ORDER } what;
        uint8_t value;
    } known[] = {
        {{"format=html", 11}, FORMAT, VIEW_HTML}, {{"format=json", 11}, FORMAT, VIEW_JSON},
        {{"sort=name", 9}, SORT, VIEW_BY_NAME},   {{"sort=size", 9}, SORT, VIEW_BY_SIZE},
        {{"sort=time", 9}, SORT, VIEW_BY_TIME},   {{"order=asc", 9}, ORDER, false},
        {{"order=desc", 10}, ORDER, true},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!text_equals(parameter, known[i].text)) continue;
        switch (known[i].what) {
        case FORMAT: view->format = known[i].value; return true;
        case SORT: view->sort = known[i].value; return false;
        case ORDER: view->descending = known[i].value; return false;
        }
    }
    return false;
}

/* Returns whether the query names a format. */
static bool query_take(struct text query, struct view *view)
{
    bool named = false;
    while (query.length > 0) {
        const char *end = memchr(query.base, '&', query.length);
        size_t length = end ? (size_t)(end - query.base) : query.length;
        named |= parameter_take((struct text){query.base, length}, view);
        length += end != NULL;
        query = (struct text){query.base + length, query.length - length};
    }
    return named;
}

static struct text trim(struct text text)
{
    while (text.length > 0 && byte_is_blank(text.base[0]))
        text = (struct text){text.base + 1, text.length - 1};
    while (text.length > 0 && byte_is_blank(text.base[text.length - 1]))
        text.length--;
    return text;
}

/* Splits at the first ";": returns what is before it, and leaves in *rest what is behind. */
static struct text part_take(struct text *rest)
{
    const char *end = memchr(rest->base, ';', rest->length);
    size_t length = end ? (size_t)(end - rest->base) : rest->length;
    struct text part = {rest->base, length};
    length += end != NULL;
    *rest = (struct text){rest->base + length, rest->length - length};
    return trim(part);
}

/* Returns the weight of a member of Accept behind its media range; 1000 when there is none. */
static uint16_t weight_of(struct text parameters)
{
    uint16_t weight = 1000;
    while (parameters.length > 0) {
        struct text part = part_take(&parameters);
        if (part.length < 2 || (part.base[0] | 0x20) != 'q' || part.base[1] != '=') continue;
        weight = negotiate_weight((struct text){part.base + 2, part.length - 2});
    }
    return weight == WEIGHT_NONE ? 0 : weight;
}

/* Weights of media ranges; WEIGHT_NONE: it is not named. */
struct weights {
    uint16_t json, html, any_text, any;
};

static void member_take(struct text member, struct weights *weights)
{
    struct text range = part_take(&member);
    uint16_t weight = weight_of(member);
    if (text_equals_any_case(range, TEXT("application/json"))) weights->json = weight;
    if (text_equals_any_case(range, TEXT("text/html"))) weights->html = weight;
    if (text_equals_any_case(range, TEXT("text/*"))) weights->any_text = weight;
    if (text_equals_any_case(range, TEXT("*/*"))) weights->any = weight;
}

static enum view_format format_accepted(const struct fields *fields)
{
    struct weights weights = {WEIGHT_NONE, WEIGHT_NONE, WEIGHT_NONE, WEIGHT_NONE};
    uint32_t cursor = 0;
    struct text value, member;
    while (fields_next(fields, FIELD_ACCEPT, &cursor, &value))
        while (list_next(&value, &member))
            member_take(member, &weights);
    if (weights.json == WEIGHT_NONE || weights.json == 0) return VIEW_HTML;
    if (weights.html != WEIGHT_NONE) return weights.json > weights.html ? VIEW_JSON : VIEW_HTML;
    uint16_t html = weights.any_text != WEIGHT_NONE ? weights.any_text : weights.any;
    return html == WEIGHT_NONE || weights.json >= html ? VIEW_JSON : VIEW_HTML;
}

struct view view_asked(struct text query, const struct fields *fields)
{
    struct view view = {0};
    view.negotiated = !query_take(query, &view);
    if (view.negotiated && fields_have(fields, FIELD_ACCEPT))
        view.format = (uint8_t)format_accepted(fields);
    return view;
}
