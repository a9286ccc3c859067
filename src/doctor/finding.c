/* Keeps findings in the order in which they were added. */
#include "doctor/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zcserve/utf8.h"

#define ESCAPED_MAX 4 /* bytes of \xHH for one byte */

const char *severity_name(enum severity severity)
{
    static const char *const names[SEVERITY_COUNT] = {"note", "warn", "harm"};
    return names[severity];
}

/* Returns the text, which the caller frees; NULL without memory. */
__attribute__((format(printf, 1, 0))) static char *text_make(const char *format, va_list values)
{
    char *raw = NULL, *shown = NULL;
    bool whole;
    if (vasprintf(&raw, format, values) < 0) return NULL;
    size_t length = strlen(raw), room = ESCAPED_MAX * length + 1;
    if ((shown = malloc(room))) shown[utf8_escape(shown, room - 1, raw, length, &whole)] = '\0';
    free(raw);
    return shown;
}

static bool room_make(struct findings *findings)
{
    if (findings->count < findings->room) return true;
    unsigned room = findings->room ? 2 * findings->room : 16;
    struct finding *item = realloc(findings->item, room * sizeof(*item));
    if (!item) return false;
    findings->item = item;
    findings->room = room;
    return true;
}

void finding_add(struct findings *findings, enum severity severity, const char *problem, ...)
{
    va_list values;
    va_start(values, problem);
    char *text = text_make(problem, values);
    va_end(values);
    if (text && room_make(findings)) {
        findings->item[findings->count++] =
            (struct finding){.check = findings->check, .severity = severity, .problem = text};
        return;
    }
    free(text);
    findings->exhausted = true;
}

void finding_remedy(struct findings *findings, const char *remedy, ...)
{
    va_list values;
    if (findings->exhausted) return; /* the last one is not the one that is meant */
    va_start(values, remedy);
    char *text = text_make(remedy, values);
    va_end(values);
    if (!text) findings->exhausted = true;
    findings->item[findings->count - 1].remedy = text;
}

unsigned findings_count(const struct findings *findings, enum severity severity)
{
    unsigned count = 0;
    for (unsigned i = 0; i < findings->count; i++)
        count += findings->item[i].severity == severity;
    return count;
}

void findings_free(struct findings *findings)
{
    for (unsigned i = 0; i < findings->count; i++) {
        free(findings->item[i].problem);
        free(findings->item[i].remedy);
    }
    free(findings->item);
    *findings = (struct findings){0};
}
