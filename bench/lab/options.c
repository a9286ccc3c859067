/* The command line, and ZCLAB_SCALE. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int setting_add(struct options *options, const char *said)
{
    const char *equals = strchr(said, '=');
    if (!equals || equals == said || (size_t)(equals - said) >= sizeof options->setting[0].name ||
        options->settings == SETTINGS_MAX) {
        fprintf(stderr,
                "zclab: --set %s: it must be KEY=VALUE, and may be given %d times at most\n", said,
                SETTINGS_MAX);
        return -1;
    }
    unsigned i = options->settings++;
    memcpy(options->setting[i].name, said, (size_t)(equals - said));
    options->setting[i].name[equals - said] = '\0';
    options->setting[i].value = equals + 1;
    return 0;
}

const char *const scale_names[] = {"full", "quick", "smallest"};

/* What ZCLAB_SCALE says; full when it is not set, or empty; -1 after it said that it is no scale. */
static int scale_of_environment(void)
{
    const char *said = getenv("ZCLAB_SCALE");
    if (!said || !*said) return SCALE_FULL;
    for (int scale = SCALE_FULL; scale <= SCALE_SMALLEST; scale++)
        if (!strcmp(said, scale_names[scale])) return scale;
    fprintf(stderr, "zclab: ZCLAB_SCALE=%s: full, quick or smallest is wanted\n", said);
    return -1;
}

int options_read(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {{"set", required_argument, NULL, 's'},
                                          {"out", required_argument, NULL, 'o'},
                                          {"data", required_argument, NULL, 'd'},
                                          {"seed", required_argument, NULL, 'r'},
                                          {"quick", no_argument, NULL, 'q'},
                                          {"smallest", no_argument, NULL, 'm'},
                                          {0}};
    char *end = NULL;
    int o, scale = scale_of_environment();
    if (scale < 0) return -1;
    *options = (struct options){.scale = (enum scale)scale, .seed = 1, .data = "zclab-data"};
    while ((o = getopt_long(argc, argv, "c:", known, NULL)) != -1) {
        if (o == '?' || (o == 's' && setting_add(options, optarg) < 0)) return -1;
        if (o == 'o') options->out = optarg;
        if (o == 'd') options->data = optarg;
        if (o == 'c') options->configuration = optarg;
        if (o == 'q') options->scale = scale == SCALE_SMALLEST ? SCALE_SMALLEST : SCALE_QUICK;
        if (o == 'm') options->scale = SCALE_SMALLEST;
        if (o == 'r') options->seed = strtoull(optarg, &end, 10);
        if (o == 'r' && (end == optarg || *end)) {
            fprintf(stderr, "zclab: --seed %s: a number is needed\n", optarg);
            return -1;
        }
    }
    return optind;
}
