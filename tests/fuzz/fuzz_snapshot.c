/*
 * Takes any bytes as a status.json, and as the output of a load generator. They are read, or refused with a
 * reason. What was read can be subtracted from itself, explained, and drawn in the width of a terminal.
 */

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/explain.h"
#include "tool/format.h"
#include "tool/snapshot.h"
#include "tool/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void drawn(const struct snapshot *snapshot, const struct interval *interval)
{
    struct view view;
    struct view_wishes wishes = {.chosen = VIEW_ALL, .delay_seconds = 1};
    if (!view_open(&view, 80, 24)) return;
    view_draw(&view, snapshot, interval, &wishes);
    assert(view.lines == 24);
    for (uint32_t i = 0; i < view.lines; i++)
        assert(format_columns(view.line[i].text) <= 80);
    view_close(&view);
}

static void explained(const struct interval *interval, const struct load_client *client)
{
    static FILE *nowhere;
    struct child child = {.seconds = 1};
    if (!nowhere) nowhere = fopen("/dev/null", "w");
    if (nowhere) explain(interval, client, &child, nowhere);
}

static void compared(const struct snapshot *now, const struct load_client *client)
{
    char problem[INTERVAL_PROBLEM_MAX];
    struct interval interval;
    struct snapshot before = *now;
    before.monotonic_seconds = now->monotonic_seconds - 1;
    if (interval_between(&interval, &before, now, problem) != 0) return;
    assert(interval.total.requests == 0);
    drawn(now, &interval);
    explained(&interval, client);
    interval_free(&interval);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char problem[SNAPSHOT_PROBLEM_MAX] = "";
    struct snapshot snapshot;
    struct load_client client;
    char *text = malloc(length + 1);
    assert(text);
    if (length > 0) memcpy(text, bytes, length);
    text[length] = '\0';
    load_client_read(text, &client);
    if (snapshot_parse(text, length, &snapshot, problem) == 0)
        compared(&snapshot, &client);
    else
        assert(problem[0] && !snapshot.worker && !snapshot.process);
    snapshot_free(&snapshot);
    free(text);
    return 0;
}
