/* environment.json: where it was measured, so that a figure can be judged and repeated. */
#ifndef LAB_ENVIRONMENT_H
#define LAB_ENVIRONMENT_H

#include <jansson.h>

/* `data`: where the data lie; their file system and device are described. The caller owns what is returned. */
json_t *environment_read(const char *data);

#endif
