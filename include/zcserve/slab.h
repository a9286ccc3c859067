/*
 * A fixed number of objects of one size, taken and put back in constant time, the last put back
 * taken first (it is still in the processor's cache). The memory is reserved at once and becomes
 * real only as objects are touched.
 */
#ifndef ZCSERVE_SLAB_H
#define ZCSERVE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slab {
    char *base;    /* count objects of stride bytes, one mapping                     */
    size_t stride; /* the size, rounded up to 64                                     */
    uint32_t count;
    uint32_t used;      /* objects taken now                                              */
    uint32_t touched;   /* objects ever taken: the rest is still zero, and not yet memory */
    uint32_t free_head; /* index of the first free one of those touched, or SLAB_NONE     */
    uint64_t *taken;    /* one bit an object, behind the objects: is it taken?            */
};

#define SLAB_NONE UINT32_MAX

/*
 * Room for `count` objects of `size` bytes (both above 0), aligned to 64. 0, or -ENOMEM, after which
 * the slab is empty: nothing can be taken, and closing it does no harm.
 */
int slab_open(struct slab *slab, size_t size, uint32_t count);
void slab_close(struct slab *slab);

/* An object, its content undefined; NULL when all are taken. */
void *slab_take(struct slab *slab);

/* Puts back what was taken from this slab. Putting it back twice is an assertion. */
void slab_put(struct slab *slab, void *object);

/* The object at an index below `touched`, taken or not: a free one's first 4 bytes are the slab's. */
static inline void *slab_at(const struct slab *slab, uint32_t index)
{
    return slab->base + (size_t)index * slab->stride;
}

static inline uint32_t slab_index(const struct slab *slab, const void *object)
{
    return (uint32_t)((size_t)((const char *)object - slab->base) / slab->stride);
}

/* The object at that index while it is taken, else NULL: to visit all that are. */
static inline void *slab_taken_at(const struct slab *slab, uint32_t index)
{
    return slab->taken[index / 64] >> (index % 64) & 1 ? slab_at(slab, index) : NULL;
}

#endif
