/* What the command line asked for. */
#ifndef LAB_OPTIONS_H
#define LAB_OPTIONS_H

#include <stdint.h>

enum scale { SCALE_FULL, SCALE_QUICK, SCALE_SMALLEST };

enum { SETTINGS_MAX = 32 };
struct options {
    enum scale scale;
    uint64_t seed;
    const char *out;           /* NULL: zclab-results/DATE-HOST */
    const char *data;          /* where data sets lie */
    const char *configuration; /* zcserve's, for advise; NULL: none */
    unsigned settings;
    struct {
        char name[32];
        const char *value;
    } setting[SETTINGS_MAX];
};

/* Reads options; returns the index of the first word that is none, or -1 after it said what is wrong. */
int options_read(struct options *options, int argc, char **argv);

#endif
