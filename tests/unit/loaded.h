/*
 * Configurations for tests: read from texts, with what is said about them, and printed again.
 */
#ifndef ZCSERVE_TEST_LOADED_H
#define ZCSERVE_TEST_LOADED_H

#include "zcserve/config.h"

#include <stddef.h>

/* The messages about the configuration that was read last. */
extern char *said;
extern size_t said_length;

/*
 * Reads `text` as the file `name`; NULL: reads the file itself. Returns NULL when something was said, else the
 * configuration, and nothing was said.
 */
struct config *load(const char *name, const char *text, const struct config_override *overrides,
                    size_t count);

/* Returns the configuration of a text in which nothing is wrong. */
struct config *load_good(const char *text);

/* Returns the printout of a configuration. The caller frees it. */
char *printed(const struct config *config);

#endif
