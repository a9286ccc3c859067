/* The summary of a run, for people and for programs. */
#ifndef ZCSERVE_PRECOMPRESS_REPORT_H
#define ZCSERVE_PRECOMPRESS_REPORT_H

#include "precompress/outcomes.h"

/* Prints a line for each coding, and one for the whole. */
void precompress_report_text(const struct docroot *docroot, const struct outcomes *outcomes,
                             double seconds, FILE *out);

/*
 * Writes one JSON object on one line. Names of files are written as messages write them: bytes that
 * are no readable UTF-8 are \xHH. Returns false when it cannot be written, or without memory.
 */
bool precompress_report_json(const struct docroot *docroot, const struct outcomes *outcomes,
                             double seconds, FILE *out);

#endif
