/* The switches of zcserve doctor. */
#ifndef ZCSERVE_DOCTOR_SWITCHES_H
#define ZCSERVE_DOCTOR_SWITCHES_H

#include <stdbool.h>

#include "doctor/facts.h"

struct doctor_switches {
    struct facts_wanted wanted;
    bool json;    /* --json */
    bool verbose; /* -v: also what was not found, and what was not looked at */
};

/*
 * Reads `argv`, which begins with the name of the tool; `out` points into it. Returns false when
 * nothing is left to do: help was printed (*code is 0), or a mistake was reported on standard error
 * (*code is 2).
 */
bool doctor_switches_read(int argc, char **argv, struct doctor_switches *out, int *code);

#endif
