/* Findings as lines of text, and as JSON. Their texts are safe to show already (finding.h). */
#include "doctor/show.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tool/format.h"
#include "zcserve/utf8.h"

#define SHOW_SCHEMA 1
#define REMEDY_NONE "none is known"

static const char *remedy_of(const struct finding *finding)
{
    return finding->remedy ? finding->remedy : REMEDY_NONE;
}

/* ---- text ------------------------------------------------------------------------------------ */

static void findings_show(const struct findings *findings, enum severity severity, FILE *out)
{
    for (unsigned i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->item[i];
        if (finding->severity != severity) continue;
        fprintf(out, "%s  %-12s  %s. Remedy: %s\n", severity_name(severity), finding->check,
                finding->problem, remedy_of(finding));
    }
}

static bool has_finding(const struct findings *findings, const char *check)
{
    for (unsigned i = 0; i < findings->count; i++)
        if (strcmp(findings->item[i].check, check) == 0) return true;
    return false;
}

static void rest_show(const struct examination *examination, FILE *out)
{
    for (unsigned i = 0; checks[i].name; i++) {
        const char *name = checks[i].name, *why_not = examination->why_not[i];
        if (!why_not && !has_finding(examination->findings, name))
            fprintf(out, "ok    %-12s  %s\n", name, checks[i].what);
    }
    for (unsigned i = 0; checks[i].name; i++)
        if (examination->why_not[i])
            fprintf(out, "-     %-12s  not looked at: %s\n", checks[i].name,
                    examination->why_not[i]);
}

static unsigned checks_count(void)
{
    unsigned count = 0;
    while (checks[count].name)
        count++;
    return count;
}

void show_text(const struct examination *examination, bool verbose, FILE *out)
{
    const struct findings *findings = examination->findings;
    const struct survey *survey = &examination->facts->survey;
    format_space files, directories;
    for (int severity = SEVERITY_COUNT - 1; severity >= 0; severity--)
        findings_show(findings, (enum severity)severity, out);
    if (verbose) rest_show(examination, out);
    fprintf(out, "%u finding%s: %u harm, %u warn, %u note; ", findings->count,
            findings->count == 1 ? "" : "s", findings_count(findings, SEVERITY_HARM),
            findings_count(findings, SEVERITY_WARN), findings_count(findings, SEVERITY_NOTE));
    fprintf(out, "%u of %u checks, %s files in %s directories, %.2f s\n", examination->looked,
            checks_count(), format_count(files, (double)survey->files),
            format_count(directories, (double)survey->directories), survey->seconds);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* Escapes bytes that are not UTF-8, as JSON must not have them. NULL becomes null. */
static json_t *text_json(const char *text)
{
    bool whole;
    if (!text) return json_null();
    size_t length = strlen(text), room = 4 * length + 1;
    char *shown = malloc(room);
    if (!shown) return NULL;
    json_t *string = json_stringn(shown, utf8_escape(shown, room, text, length, &whole));
    free(shown);
    return string;
}

static json_t *count_json(uint64_t count)
{
    return json_integer((json_int_t)count);
}

static json_t *findings_json(const struct findings *findings)
{
    json_t *list = json_array();
    for (int severity = SEVERITY_COUNT - 1; severity >= 0; severity--)
        for (unsigned i = 0; i < findings->count; i++) {
            const struct finding *finding = &findings->item[i];
            if ((int)finding->severity != severity) continue;
            json_array_append_new(list,
                                  json_pack("{s:s,s:s,s:s,s:s}", "check", finding->check,
                                            "severity", severity_name(finding->severity), "problem",
                                            finding->problem, "remedy", remedy_of(finding)));
        }
    return list;
}

static json_t *counts_json(const struct findings *findings)
{
    json_t *counts = json_object();
    for (int severity = SEVERITY_COUNT - 1; severity >= 0; severity--)
        json_object_set_new(counts, severity_name((enum severity)severity),
                            count_json(findings_count(findings, (enum severity)severity)));
    return counts;
}

static json_t *checks_json(const struct examination *examination)
{
    json_t *list = json_array();
    for (unsigned i = 0; checks[i].name; i++) {
        const char *why_not = examination->why_not[i];
        json_array_append_new(list, json_pack("{s:s,s:b,s:s?}", "name", checks[i].name, "looked",
                                              !why_not, "why_not", why_not));
    }
    return list;
}

static json_t *roots_json(const struct facts *facts)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < facts->roots; i++)
        json_array_append_new(list, text_json(facts->root[i].path));
    return list;
}

static json_t *survey_json(const struct survey *survey)
{
    json_t *object = json_object();
    json_object_set_new(object, "names", count_json(survey->entries));
    json_object_set_new(object, "files", count_json(survey->files));
    json_object_set_new(object, "directories", count_json(survey->directories));
    json_object_set_new(object, "cut", text_json(survey->cut));
    json_object_set_new(object, "seconds", json_real(survey->seconds));
    return object;
}

bool show_json(const struct examination *examination, int exit_code, FILE *out)
{
    const struct facts *facts = examination->facts;
    json_t *object = json_object();
    json_object_set_new(object, "schema", json_integer(SHOW_SCHEMA));
    json_object_set_new(object, "configuration", text_json(facts->config->file));
    json_object_set_new(object, "roots", roots_json(facts));
    json_object_set_new(object, "user", text_json(facts->subject.name));
    json_object_set_new(object, "exit_code", json_integer(exit_code));
    json_object_set_new(object, "counts", counts_json(examination->findings));
    json_object_set_new(object, "findings", findings_json(examination->findings));
    json_object_set_new(object, "checks", checks_json(examination));
    json_object_set_new(object, "survey", survey_json(&facts->survey));
    bool written = json_dumpf(object, out, JSON_COMPACT) == 0 && fputc('\n', out) != EOF;
    json_decref(object);
    return written;
}
