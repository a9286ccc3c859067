/* Memory that is taken in pieces and freed together. */
#ifndef ZCSERVE_START_MEMORY_H
#define ZCSERVE_START_MEMORY_H

#include <stddef.h>

struct memory {
    struct memory_piece *last; /* NULL: none was taken */
};

/* Returns `size` bytes, all zero and aligned for any type, or NULL when there are none. */
void *memory_take(struct memory *memory, size_t size);

/* Frees all pieces. */
void memory_free(struct memory *memory);

#endif
