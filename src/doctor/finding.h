/* What checks found: a list of problems, each with its remedy. */
#ifndef ZCSERVE_DOCTOR_FINDING_H
#define ZCSERVE_DOCTOR_FINDING_H

#include <stdbool.h>

enum severity {
    SEVERITY_NOTE, /* worth knowing; it may be meant so                             */
    SEVERITY_WARN, /* slower than it could be, or it fails under load               */
    SEVERITY_HARM, /* the server does not start, requests fail, or content is open */
    SEVERITY_COUNT
};

const char *severity_name(enum severity severity); /* "note", "warn", "harm" */

struct finding {
    const char *check; /* name of the check, which outlives the finding */
    enum severity severity;
    char *problem, *remedy; /* sentences without a full stop; safe to show on a terminal */
};

/* All zero at first. findings_free() frees what it holds. */
struct findings {
    const char *check; /* who adds findings now */
    struct finding *item;
    unsigned count, room;
    bool exhausted; /* a finding was lost, because there was no memory */
};

/*
 * Adds a finding of `check`; the text is a format as of printf(3). What could control a terminal,
 * as in names of files, is written as \xHH (utf8_escape()). finding_remedy() completes the one
 * added last.
 */
void finding_add(struct findings *findings, enum severity severity, const char *problem, ...)
    __attribute__((format(printf, 3, 4)));
void finding_remedy(struct findings *findings, const char *remedy, ...)
    __attribute__((format(printf, 2, 3)));

/* Returns how many findings have this severity. */
unsigned findings_count(const struct findings *findings, enum severity severity);

void findings_free(struct findings *findings);

#endif
