/* environment.json: the machine on which it was measured, so that a figure can be judged and repeated. */
#ifndef LAB_ENVIRONMENT_H
#define LAB_ENVIRONMENT_H

#include <jansson.h>

/*
 * Describes the machine, and the file system and device of the directory `data`. The caller owns the
 * result.
 */
json_t *environment_read(const char *data);

#endif
