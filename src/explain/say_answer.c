/* Preconditions and ranges, as the core evaluates them; and the response, as it would be sent. */
#include "http/status.h"
#include "page.h"
#include "say.h"

/* ---- preconditions --------------------------------------------------------------------------- */

/* Returns the name of the precondition that counts (RFC 9110 §13.2.2), or NULL. */
static const char *condition_name(const struct fields *fields, enum condition outcome)
{
    bool match = fields_have(fields, FIELD_IF_MATCH);
    bool none_match = fields_have(fields, FIELD_IF_NONE_MATCH);
    bool unmodified = fields_have(fields, FIELD_IF_UNMODIFIED_SINCE);
    bool modified = fields_have(fields, FIELD_IF_MODIFIED_SINCE);
    if (outcome == CONDITION_FAILED) return match ? "If-Match" : "If-Unmodified-Since";
    if (none_match) return "If-None-Match";
    if (modified) return "If-Modified-Since";
    if (match) return "If-Match";
    return unmodified ? "If-Unmodified-Since" : NULL;
}

static void condition_say(const struct trial *t, FILE *out)
{
    enum condition outcome = t->choice.condition;
    const char *name = condition_name(&t->request.fields, outcome);
    if (!name) return;
    if (outcome == CONDITION_FAILED)
        page_line(out, "Condition", "%s does not hold: 412", name);
    else if (outcome == CONDITION_NOT_MODIFIED)
        page_line(out, "Condition", "%s says that the client has it already: 304", name);
    else
        page_line(out, "Condition", "%s does not prevent the response%s", name,
                  t->choice.has_etag ? "" : "; there is no entity-tag that could match");
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static void parts_say(const struct ranges *ranges, FILE *out)
{
    page_line(out, "Range", "%u part%s of it", ranges->count, ranges->count == 1 ? "" : "s");
    for (uint32_t i = 0; i < ranges->count; i++)
        page_line(out, "", "bytes %llu to %llu", (unsigned long long)ranges->part[i].offset,
                  (unsigned long long)(ranges->part[i].offset + ranges->part[i].length - 1));
}

static void range_say(const struct trial *t, FILE *out)
{
    const struct fields *fields = &t->request.fields;
    if (!fields_have(fields, FIELD_RANGE)) return;
    if (t->exchange->method != METHOD_GET) {
        page_line(out, "Range", "ignored: only GET has ranges (RFC 9110 §14.2)");
        return;
    }
    switch (t->choice.range) {
    case RANGE_PARTS: parts_say(&t->choice.ranges, out); break;
    case RANGE_UNSATISFIABLE: page_line(out, "Range", "beyond the end of it: 416"); break;
    case RANGE_WHOLE:
        page_line(out, "Range",
                  fields_have(fields, FIELD_IF_RANGE)
                      ? "the whole: If-Range names another version, or one that is not certain, "
                        "or the value is not used"
                      : "the whole: the value is malformed, or asks for too many ranges "
                        "(limits.ranges), or for more than all");
        break;
    }
}

void say_choice(const struct trial *t, FILE *out)
{
    const struct trial_lookup *last = trial_last(t);
    if (t->choice.made) condition_say(t, out);
    if (t->choice.made && t->choice.condition == CONDITION_NONE) range_say(t, out);
    if (last && last->page_of != 0 && last->found.kind == RESOLUTION_FOUND)
        page_line(out, "", "(the page of an error is sent whole)");
}

/* ---- the response ---------------------------------------------------------------------------- */

/* Returns whether a rule that applies has lines that are not sent with this status. */
static bool lines_are_left_out(const struct trial *t)
{
    const struct verdict *verdict = &t->stream->verdict;
    const struct rule *rule;
    uint32_t cursor = 0;
    if (!t->is_judged || t->exchange->status < 300 || t->exchange->status == 304) return false;
    while ((rule = verdict_rule(verdict, &cursor)) != NULL)
        for (uint32_t i = 0; i < rule->fields; i++)
            if (!rule->field[i].always) return true;
    return false;
}

/* The lines are printed whole, however long they are. */
static void head_say(const struct trial *t, FILE *out)
{
    const char *at = t->head, *end = t->head + t->head_held;
    if (t->exchange->head_length < t->head_held) end = t->head + t->exchange->head_length;
    while (at < end) {
        const char *line = memchr(at, '\r', (size_t)(end - at));
        size_t length = (size_t)((line ? line : end) - at);
        if (length > 0) page_whole(out, (struct text){at, length});
        at += length + 2;
    }
}

void say_answer(const struct trial *t, FILE *out)
{
    struct text line = status_line(t->exchange->status);
    uint64_t content = t->exchange->length - t->exchange->head_length;
    page_line(out, "Answer", "%.*s, with %llu byte%s of content", (int)line.length, line.base,
              (unsigned long long)content, content == 1 ? "" : "s");
    if (lines_are_left_out(t))
        page_line(out, "", "(fields of rules without always = on are not sent with this status)");
    fputc('\n', out);
    head_say(t, out);
}
