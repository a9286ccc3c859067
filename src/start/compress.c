/* Reads the block compress { … }. */
#include "encode/encode.h"
#include "start/program.h"

#include <string.h>

static enum coding coding_of_word(const char *word)
{
    enum coding coding = CODING_ZSTD; /* the table of options allows no other words */
    if (strcmp(word, "br") == 0) coding = CODING_BR;
    if (strcmp(word, "gz") == 0) coding = CODING_GZIP;
    return coding;
}

bool encoders_load(const struct program *p)
{
    const struct config_list *codings = &p->config->compress_codings;
    char problem[256];
    for (uint32_t i = 0; i < codings->count; i++) {
        if (encode_load(coding_of_word(codings->item[i]), problem, sizeof(problem))) continue;
        config_problem(p, "compress.codings", codings, problem);
        return false;
    }
    return true;
}

struct compress_options compress_options_make(const struct config *config)
{
    struct compress_options options = {
        .level = {[CODING_GZIP] = (int)config->compress_level_gz,
                  [CODING_BR] = (int)config->compress_level_br,
                  [CODING_ZSTD] = (int)config->compress_level_zst},
        .types = config->compress_types.item,
        .bytes_min = config->compress_least,
        .bytes_max = config->compress_most,
    };
    for (uint32_t i = 0; i < config->compress_codings.count; i++)
        options.coding[options.codings++] = coding_of_word(config->compress_codings.item[i]);
    return options;
}
