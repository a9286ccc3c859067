/*
 * A fixed number of objects of one size, taken and put back in constant time. The object that was
 * put back last is taken first, because it is still in the CPU's cache. Addresses are reserved at
 * once; the kernel gives memory only as objects are touched.
 */
#ifndef ZCSERVE_SLAB_H
#define ZCSERVE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slab {
    char *base;         /* one mapping: `count` objects of `stride` bytes, then the bits  */
    size_t stride;      /* the size of an object, rounded up to a multiple of 64          */
    uint32_t count;     /* objects there are                                              */
    uint32_t used;      /* objects taken now                                              */
    uint32_t touched;   /* objects ever taken: from this index on all are still untouched */
    uint32_t free_head; /* index of the first object on the free list, or SLAB_NONE       */
    uint64_t *taken;    /* one bit for each object: it is taken                           */
};

#define SLAB_NONE UINT32_MAX

/*
 * Makes room for `count` objects of `size` bytes (both above 0), aligned to 64 bytes. Returns 0 or
 * -errno; after an error the slab is empty: slab_take() returns NULL, and slab_close() is allowed.
 */
int slab_open(struct slab *slab, size_t size, uint32_t count);
void slab_close(struct slab *slab);

/* Takes an object. Its content is undefined. Returns NULL when all are taken. */
void *slab_take(struct slab *slab);

/* Puts back an object of this slab. An assertion fails when it is not taken. */
void slab_put(struct slab *slab, void *object);

/*
 * Returns the object at an index below `touched`, taken or not. The first 4 bytes of a free object
 * belong to the slab.
 */
static inline void *slab_at(const struct slab *slab, uint32_t index)
{
    return slab->base + (size_t)index * slab->stride;
}

/* Returns the index of an object of this slab. */
static inline uint32_t slab_index(const struct slab *slab, const void *object)
{
    return (uint32_t)((size_t)((const char *)object - slab->base) / slab->stride);
}

/* Returns the object at `index` (below `touched`) if it is taken, else NULL. For visiting all. */
static inline void *slab_taken_at(const struct slab *slab, uint32_t index)
{
    return slab->taken[index / 64] >> (index % 64) & 1 ? slab_at(slab, index) : NULL;
}

#endif
