/* What the command line asked for. */
#ifndef LAB_OPTIONS_H
#define LAB_OPTIONS_H

#include <stdint.h>

enum scale { SCALE_FULL, SCALE_QUICK, SCALE_SMALLEST };
extern const char *const scale_names[]; /* by enum scale */

enum { SETTINGS_MAX = 32 };
struct options {
    enum scale scale;
    uint64_t seed;
    const char *out;           /* NULL: zclab-results/DATE-HOST */
    const char *data;          /* the directory of the data sets */
    const char *configuration; /* zcserve's configuration, for advise; NULL: none */
    unsigned settings;
    struct {
        char name[32];
        const char *value;
    } setting[SETTINGS_MAX];
};

/*
 * Reads options. Returns the index of the first word that is no option, or -1 after it has printed what is
 * wrong. When no option says how large the run is, the environment variable ZCLAB_SCALE does. When that says
 * smallest, --quick is smallest too, so that tests can run commands as they are written.
 */
int options_read(struct options *options, int argc, char **argv);

#endif
