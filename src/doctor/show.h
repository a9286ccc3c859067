/* Shows what was found, to people and to programs. */
#ifndef ZCSERVE_DOCTOR_SHOW_H
#define ZCSERVE_DOCTOR_SHOW_H

#include <stdio.h>

#include "doctor/check.h"

struct examination {
    const struct facts *facts;
    const struct findings *findings;
    const char *const *why_not; /* of each check: NULL, or why it did not look */
    unsigned looked;            /* how many checks looked */
};

/*
 * Writes a line for each finding, the worst first, and one that counts; `verbose`: also for all
 * other checks.
 */
void show_text(const struct examination *examination, bool verbose, FILE *out);

/*
 * Writes one JSON object on one line (conf/doctor.schema.json). Returns false when it cannot be
 * written.
 */
bool show_json(const struct examination *examination, int exit_code, FILE *out);

#endif
