/* Reads the block compress { … }. */
#include "encode/encode.h"
#include "start/program.h"
#include "start/sites.h"

#include <string.h>

static enum coding coding_of_word(const char *word)
{
    enum coding coding = CODING_ZSTD; /* the table of options allows no other words */
    if (strcmp(word, "br") == 0) coding = CODING_BR;
    if (strcmp(word, "gz") == 0) coding = CODING_GZIP;
    return coding;
}

/* Loads what the codings of one tree need. */
static bool tree_load(const struct program *p, const struct config_root *tree)
{
    const struct config_list *codings = tree->compress;
    bool outside = codings == &p->config->compress_codings;
    char problem[256];
    for (uint32_t i = 0; i < codings->count; i++) {
        if (encode_load(coding_of_word(codings->item[i]), problem, sizeof(problem))) continue;
        problem_print(p->errors, tree->compress_place,
                      outside ? "compress.codings" : "site.compress", problem);
        return false;
    }
    return true;
}

bool encoders_load(const struct program *p)
{
    for (uint32_t i = 0; i < p->sites->trees; i++)
        if (!tree_load(p, &p->sites->tree[i])) return false;
    return true;
}

struct compress_options compress_options_make(const struct config *config,
                                              const struct config_list *codings)
{
    struct compress_options options = {
        .level = {[CODING_GZIP] = (int)config->compress_level_gz,
                  [CODING_BR] = (int)config->compress_level_br,
                  [CODING_ZSTD] = (int)config->compress_level_zst},
        .types = config->compress_types.item,
        .bytes_min = config->compress_least,
        .bytes_max = config->compress_most,
    };
    for (uint32_t i = 0; i < codings->count; i++)
        options.coding[options.codings++] = coding_of_word(codings->item[i]);
    return options;
}
