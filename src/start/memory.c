/*
 * Each piece is a block of malloc() that knows the one before it.
 */
#include "start/memory.h"

#include <stdlib.h>

struct memory_piece {
    struct memory_piece *before;
    max_align_t bytes[];
};

void *memory_take(struct memory *memory, size_t size)
{
    struct memory_piece *piece = calloc(1, sizeof(*piece) + size);
    if (!piece) return NULL;
    piece->before = memory->last;
    memory->last = piece;
    return piece->bytes;
}

void memory_free(struct memory *memory)
{
    while (memory->last) {
        struct memory_piece *piece = memory->last;
        memory->last = piece->before;
        free(piece);
    }
}
