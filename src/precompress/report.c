/*
 * Both forms of the summary are made of the same counts. In JSON every count is there, also when it
 * is 0; in the text those that are not 0.
 */
#include "precompress/report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tool/format.h"
#include "zcserve/utf8.h"

#define REPORT_SCHEMA 1

/* What counts when nothing went wrong, then what is wrong. */
static const enum outcome order[] = {
    OUTCOME_CURRENT, OUTCOME_MADE,    OUTCOME_DATED, OUTCOME_REMOVED,   OUTCOME_NOT_WORTH,
    OUTCOME_GONE,    OUTCOME_MISSING, OUTCOME_STALE, OUTCOME_DIFFERENT, OUTCOME_FAILED};
enum { ORDER_COUNT = sizeof(order) / sizeof(order[0]) };

static const char *suffix_of(enum coding coding)
{
    return coding_file_suffix(coding).base + 1;
}

/* ---- text ------------------------------------------------------------------------------------ */

static const char *word_of(const struct precompress_wishes *wishes, enum outcome outcome)
{
    if (outcome == OUTCOME_NOT_WORTH) return "not worth it";
    if (outcome == OUTCOME_CURRENT && wishes->check) return "right";
    if (!wishes->dry_run) return outcome_word(outcome);
    if (outcome == OUTCOME_MADE) return "to be made";
    if (outcome == OUTCOME_DATED) return "to be dated";
    return outcome == OUTCOME_REMOVED ? "to be removed" : outcome_word(outcome);
}

/* "br    12 made, 300 current; 1.20 MiB became 310 KiB" */
static void coding_print(const struct precompress_wishes *wishes, enum coding coding,
                         const struct coding_outcomes *of, FILE *out)
{
    format_space count, original, sidecar, share;
    const char *before = "";
    fprintf(out, "%-5s", suffix_of(coding));
    for (int i = 0; i < ORDER_COUNT; i++) {
        if (of->count[order[i]] == 0) continue;
        fprintf(out, "%s%s %s", before, format_count(count, (double)of->count[order[i]]),
                word_of(wishes, order[i]));
        before = ", ";
    }
    if (of->sidecar_bytes > 0)
        fprintf(out, "; %s instead of %s, %s saved",
                format_bytes(sidecar, (double)of->sidecar_bytes),
                format_bytes(original, (double)of->original_bytes),
                format_percent(share, 1 - (double)of->sidecar_bytes / (double)of->original_bytes));
    fputs(*before ? "\n" : "nothing to do\n", out);
}

void precompress_report_text(const struct docroot *docroot, const struct outcomes *outcomes,
                             double seconds, FILE *out)
{
    format_space count, time;
    for (enum coding coding = CODING_GZIP; coding < CODING_COUNT; coding++)
        if (docroot_wants(docroot, coding))
            coding_print(docroot->wishes, coding, &outcomes->of[coding], out);
    fprintf(out, "%s file%s to compress", format_count(count, (double)outcomes->files),
            outcomes->files == 1 ? "" : "s");
    if (outcomes->too_large > 0)
        fprintf(out, ", %s too large", format_count(count, (double)outcomes->too_large));
    if (outcomes->failed > 0)
        fprintf(out, ", %s not readable", format_count(count, (double)outcomes->failed));
    if (outcomes->pieces_done < outcomes->pieces_all)
        fprintf(out, ", %s sidecars not tried",
                format_count(count, (double)(outcomes->pieces_all - outcomes->pieces_done)));
    fprintf(out, "; %s\n", format_ns(time, seconds * 1e9));
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void count_set(json_t *object, const char *name, uint64_t count)
{
    json_object_set_new(object, name, json_integer((json_int_t)count));
}

/* A name of any bytes, escaped as in messages. */
static json_t *name_json(const char *name)
{
    size_t length = strlen(name), room = 4 * length + 1;
    bool whole = true;
    char *space = malloc(room);
    if (!space) return NULL;
    json_t *text = json_stringn(space, utf8_escape(space, room, name, length, &whole));
    free(space);
    return text;
}

static json_t *coding_json(const struct coding_outcomes *of)
{
    json_t *object = json_object();
    for (int i = 0; i < ORDER_COUNT; i++)
        count_set(object, outcome_word(order[i]), of->count[order[i]]);
    count_set(object, "original_bytes", of->original_bytes);
    count_set(object, "sidecar_bytes", of->sidecar_bytes);
    return object;
}

static json_t *trouble_json(const struct trouble *trouble)
{
    json_t *object = json_object();
    json_object_set_new(object, "path", name_json(trouble->path));
    json_object_set_new(object, "problem", json_string(outcome_word(trouble->outcome)));
    if (trouble->coding != CODING_IDENTITY)
        json_object_set_new(object, "coding", json_string(suffix_of(trouble->coding)));
    if (trouble->outcome == OUTCOME_FAILED)
        json_object_set_new(object, "reason", json_string(piece_problem(trouble->error)));
    return object;
}

static json_t *codings_json(const struct docroot *docroot, const struct outcomes *outcomes)
{
    json_t *object = json_object();
    for (enum coding coding = CODING_GZIP; coding < CODING_COUNT; coding++)
        if (docroot_wants(docroot, coding))
            json_object_set_new(object, suffix_of(coding), coding_json(&outcomes->of[coding]));
    return object;
}

static json_t *troubles_json(const struct outcomes *outcomes)
{
    json_t *array = json_array();
    for (size_t i = 0; i < outcomes->trouble_count; i++)
        json_array_append_new(array, trouble_json(&outcomes->troubles[i]));
    return array;
}

bool precompress_report_json(const struct docroot *docroot, const struct outcomes *outcomes,
                             double seconds, FILE *out)
{
    json_t *root = json_object();
    count_set(root, "schema", REPORT_SCHEMA);
    json_object_set_new(root, "directory", name_json(docroot->options.root));
    json_object_set_new(root, "check", json_boolean(docroot->wishes->check));
    json_object_set_new(root, "dry_run", json_boolean(docroot->wishes->dry_run));
    json_object_set_new(root, "ok", json_boolean(!outcomes_are_bad(outcomes)));
    json_object_set_new(root, "seconds", json_real(seconds));
    count_set(root, "files", outcomes->files);
    count_set(root, "files_too_large", outcomes->too_large);
    count_set(root, "files_failed", outcomes->failed);
    count_set(root, "not_tried", outcomes->pieces_all - outcomes->pieces_done);
    json_object_set_new(root, "codings", codings_json(docroot, outcomes));
    json_object_set_new(root, "problems", troubles_json(outcomes));
    bool written =
        json_dumpf(root, out, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9)) == 0;
    json_decref(root);
    return written && fputc('\n', out) != EOF;
}
