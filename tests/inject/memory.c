/*
 * Allocations that fail. Finding the real functions may itself allocate, before any of them is known: that is
 * taken from a small store of our own, which is never freed.
 */
#include "board.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FROM __builtin_return_address(0)
#define EARLY_BYTES 65536

static _Alignas(16) unsigned char early[EARLY_BYTES];
static size_t early_used;
static _Thread_local bool finding;

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void (*free)(void *);
} real_memory;

static void *early_take(size_t size)
{
    size_t rounded = (size + 15) / 16 * 16;
    if (size > EARLY_BYTES || early_used + rounded > EARLY_BYTES) return NULL;
    void *taken = early + early_used;
    early_used += rounded;
    return taken;
}

static bool is_early(const void *memory)
{
    const unsigned char *at = memory;
    return at >= early && at < early + EARLY_BYTES;
}

/* Returns false while the real functions are being looked for. */
static bool find(void)
{
    if (real_memory.free) return true;
    if (finding) return false;
    finding = true;
    real_memory.malloc = (void *(*)(size_t))real_find("malloc");
    real_memory.calloc = (void *(*)(size_t, size_t))real_find("calloc");
    real_memory.realloc = (void *(*)(void *, size_t))real_find("realloc");
    real_memory.aligned_alloc = (void *(*)(size_t, size_t))real_find("aligned_alloc");
    real_memory.free = (void (*)(void *))real_find("free");
    finding = false;
    return true;
}

static bool fails(enum call call, const void *from)
{
    int error = board_memory_rests ? 0 : board_error(call, from);
    if (error) errno = error;
    return error != 0;
}

void *malloc(size_t size)
{
    if (!find()) return early_take(size);
    return fails(CALL_malloc, FROM) ? NULL : real_memory.malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (!find()) return early_take(count * size);
    return fails(CALL_calloc, FROM) ? NULL : real_memory.calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    if (is_early(memory)) {
        size_t most = (size_t)(early + EARLY_BYTES - (unsigned char *)memory);
        void *moved = malloc(size);
        return moved ? memcpy(moved, memory, size < most ? size : most) : NULL;
    }
    if (!find()) return NULL;
    return fails(CALL_realloc, FROM) ? NULL : real_memory.realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (!find()) return NULL;
    return fails(CALL_aligned_alloc, FROM) ? NULL : real_memory.aligned_alloc(alignment, size);
}

void free(void *memory)
{
    if (memory && !is_early(memory) && find()) real_memory.free(memory);
}
