/*
 * Configurations for tests, from texts; see loaded.h.
 */
#include "loaded.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/loading.h"

char *said;
size_t said_length;

struct config *load(const char *name, const char *text, const struct config_override *overrides,
                    size_t count)
{
    free(said);
    FILE *errors = open_memstream(&said, &said_length);
    ck_assert_ptr_nonnull(errors);
    struct config *config =
        config_load_bytes(name, text, text ? strlen(text) : 0, overrides, count, errors);
    fclose(errors);
    ck_assert_msg((config == NULL) == (said_length > 0), "said: %s", said);
    return config;
}

struct config *load_good(const char *text)
{
    struct config *config = load("/etc/z/serve.conf", text, NULL, 0);
    ck_assert_msg(config != NULL, "refused: %s of %.500s", said, text);
    return config;
}

char *printed(const struct config *config)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(out);
    config_print(config, out);
    fclose(out);
    return text;
}
