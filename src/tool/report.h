/* The contents of a report, and its two forms. */
#ifndef ZCSERVE_REPORT_H
#define ZCSERVE_REPORT_H

#include <stdio.h>

#include "tool/child.h"
#include "tool/load_client.h"
#include "tool/interval.h"

struct report {
    const struct snapshot *server; /* the later reading */
    const struct interval *interval;
    const struct load_client *client;
    const struct child *child;
    char *const *command;
};

void report_text(const struct report *report, FILE *out);
/*
 * Writes one JSON object on one line, with times in seconds, as in status.json. Returns false when
 * it cannot be written, or without memory.
 */
bool report_json(const struct report *report, FILE *out);

#endif
