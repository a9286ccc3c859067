/*
 * Takes any bytes as a configuration. Either it is refused with a message, or its printout reads back as
 * the same configuration. The environment is emptied, so that an input always means the same.
 */

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/loading.h"
#include "zcserve/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* A stream into memory; `text` is there after it was closed. */
struct memory {
    char *text;
    size_t length;
};

static struct config *load(const char *bytes, size_t length, struct memory *said)
{
    FILE *errors = open_memstream(&said->text, &said->length);
    assert(errors);
    struct config *config = config_load_bytes("fuzz.conf", bytes, length, NULL, 0, errors);
    fclose(errors);
    assert((config == NULL) == (said->length > 0));
    return config;
}

static struct memory print(const struct config *config)
{
    struct memory printed = {0};
    FILE *out = open_memstream(&printed.text, &printed.length);
    assert(out);
    config_print(config, out);
    fclose(out);
    return printed;
}

static void read_back(const struct memory *printed)
{
    struct memory said = {0};
    struct config *config = load(printed->text, printed->length, &said);
    if (!config) fprintf(stderr, "%s%s", printed->text, said.text);
    assert(config);
    struct memory again = print(config);
    assert(strcmp(again.text, printed->text) == 0);
    free(again.text);
    free(said.text);
    config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct memory said = {0};
    clearenv();
    setenv("NAME", "some \" $ text", 1);
    struct config *config = load(bytes ? (const char *)bytes : "", length, &said);
    if (config) {
        struct memory printed = print(config);
        read_back(&printed);
        free(printed.text);
    }
    free(said.text);
    config_free(config);
    return 0;
}
