/*
 * The lines of all rules that apply are written in their order, but for those whose name a later
 * one sets or removes. Only for names that several rules of the site have, that is looked for. Only
 * rules that say `always` add lines to errors and redirects.
 */
#include "added.h"
#include "line.h"

/* ---- methods ----------------------------------------------------------------------------------- */

static char *put_methods(char *at, unsigned methods)
{
    static const struct text name[] = {
        [METHOD_GET] = {"GET", 3}, [METHOD_HEAD] = {"HEAD", 4}, [METHOD_OPTIONS] = {"OPTIONS", 7}};
    const char *begin = at;
    for (unsigned method = METHOD_GET; method <= METHOD_OPTIONS; method++)
        if (methods & 1U << method) at = put(at == begin ? at : put(at, TEXT(", ")), name[method]);
    return put(at, TEXT("\r\n"));
}

/* ---- field lines ----------------------------------------------------------------------------- */

static bool is_success(const struct plan *plan)
{
    return plan->status < 300 || plan->status == 304;
}

/* A place among the field lines of all rules that apply. */
struct place {
    const struct plan *plan;
    const struct rule *rule; /* NULL: before the first and behind the last one */
    uint32_t cursor, field;  /* the next rule; the next line of this one       */
};

static const struct rule_field *field_next(struct place *place)
{
    const struct verdict *verdict = place->plan->verdict;
    const struct rule_field *field;
    do {
        while (!place->rule || place->field == place->rule->fields) {
            place->rule = verdict_rule(verdict, &place->cursor);
            place->field = 0;
            if (!place->rule) return NULL;
        }
        field = &place->rule->field[place->field++];
    } while (!field->always && !is_success(place->plan));
    return field;
}

/* Returns whether a line that follows sets or removes this name. */
static bool is_replaced(struct place rest, uint16_t name)
{
    const struct rule_field *later;
    while ((later = field_next(&rest)) != NULL)
        if (later->name == name && later->action != FIELD_ADDS) return true;
    return false;
}

static char *put_expires(char *at, const struct rule *rule, const struct now *now)
{
    char date[DATE_LENGTH + 1];
    date_format(now->wall_seconds + rule->expires_seconds, date);
    return put_line(at, TEXT("Expires: "), (struct text){date, DATE_LENGTH});
}

static char *put_origin(char *at, const struct plan *plan)
{
    const struct verdict *verdict = plan->verdict;
    if (!verdict->origin.base) return at;
    at = put_line(at, TEXT("Access-Control-Allow-Origin: "), verdict->origin);
    if (!plan->preflight) return put(at, TEXT("Access-Control-Expose-Headers: *\r\n"));
    at = put_methods(put(at, TEXT("Access-Control-Allow-Methods: ")), verdict->methods);
    at = put(at, TEXT("Access-Control-Allow-Headers: *, Authorization\r\n"));
    return put(at, TEXT("Access-Control-Max-Age: 86400\r\n"));
}

char *put_added(char *at, const struct plan *plan, const struct now *now)
{
    struct place place = {.plan = plan};
    const struct rule_field *field;
    bool private = plan->verdict->admitted;
    while ((field = field_next(&place)) != NULL) {
        private &= !field->is_cache_control;
        if (field->action == FIELD_REMOVES) continue;
        if (field->replaceable && is_replaced(place, field->name)) continue;
        at = field->is_expires ? put_expires(at, place.rule, now) : put(at, field->line);
    }
    if (private) at = put(at, TEXT("Cache-Control: private\r\n"));
    return put_origin(at, plan);
}

/* ---- fields of the server -------------------------------------------------------------------- */

static bool varies_by_origin(const struct plan *plan)
{
    const struct rule *rule = plan->verdict ? plan->verdict->by[RULE_ORIGINS] : NULL;
    return rule && rule->origins > 0 && !text_equals(rule->origin[0], TEXT("*"));
}

char *put_vary(char *at, const struct plan *plan)
{
    const struct text names[] = {TEXT("Accept"), TEXT("Accept-Encoding"), TEXT("Origin")};
    const bool named[] = {plan->selected && plan->selected->negotiated, plan->varies,
                          varies_by_origin(plan)};
    struct text before = TEXT("Vary: "), end = TEXT("");
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        if (!named[i]) continue;
        at = put(put(at, before), names[i]);
        before = TEXT(", ");
        end = TEXT("\r\n");
    }
    return put(at, end);
}

char *put_challenge(char *at, const struct plan *plan)
{
    return put(at, plan->verdict->by[RULE_USERS]->users->challenge);
}

char *put_allow(char *at, const struct plan *plan)
{
    return put_methods(put(at, TEXT("Allow: ")),
                       plan->verdict ? plan->verdict->methods : METHODS_ALL);
}

/* ---- the media type -------------------------------------------------------------------------- */

struct media {
    struct text type, charset; /* absent: no charset is added to the type */
};

/* Returns how many bytes precede "; charset=", or all of them. */
static size_t without_charset(struct text type)
{
    static const struct text parameter = {"; charset=", 10};
    size_t at = 0;
    while (at + parameter.length < type.length &&
           memcmp(type.base + at, parameter.base, parameter.length) != 0)
        at++;
    return at + parameter.length < type.length ? at : type.length;
}

/* A charset is only for types that have one anyway, and for text. */
static struct media media_of(const struct plan *plan)
{
    const struct rule *type = plan->verdict->by[RULE_TYPE],
                      *charset = plan->verdict->by[RULE_CHARSET];
    struct media media = {type && type->type.length > 0 ? type->type : plan->selected->media_type,
                          {NULL, 0}};
    if (!charset) return media;
    size_t length = without_charset(media.type);
    bool has =
        length < media.type.length || (length > 5 && memcmp(media.type.base, "text/", 5) == 0);
    media.type.length = length;
    if (has && charset->charset.length > 0) media.charset = charset->charset;
    return media;
}

char *put_type(char *at, const struct plan *plan)
{
    if (!plan->verdict) return put(at, representation_head(plan->selected, HEAD_TYPE, HEAD_TYPE));
    struct media media = media_of(plan);
    at = put(put(at, TEXT("Content-Type: ")), media.type);
    if (media.charset.base) at = put(put(at, TEXT("; charset=")), media.charset);
    return put(at, TEXT("\r\n"));
}

size_t type_length(const struct plan *plan)
{
    if (!plan->verdict) return representation_head(plan->selected, HEAD_TYPE, HEAD_TYPE).length;
    struct media media = media_of(plan);
    size_t charset = media.charset.base ? sizeof("; charset=") - 1 + media.charset.length : 0;
    return sizeof("Content-Type: \r\n") - 1 + media.type.length + charset;
}
