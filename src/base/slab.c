/*
 * Objects of one size in one mapping, which never grows. Free objects form a list through their
 * first bytes. Objects that were never taken are not on that list, so that their memory is not
 * touched.
 * One bit for each object detects that an object is put back twice. The bits of 512 objects need
 * one cache line.
 */
#include "zcserve/slab.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define SLAB_ALIGNMENT 64

static size_t slab_bits_bytes(uint32_t count)
{
    return ((size_t)count + 63) / 64 * sizeof(uint64_t);
}

static size_t slab_length(const struct slab *slab)
{
    return slab->stride * slab->count + slab_bits_bytes(slab->count);
}

int slab_open(struct slab *slab, size_t size, uint32_t count)
{
    assert(size > 0 && count > 0 && count < SLAB_NONE);
    *slab = (struct slab){.free_head = SLAB_NONE};

    size_t stride = (size + SLAB_ALIGNMENT - 1) / SLAB_ALIGNMENT * SLAB_ALIGNMENT;
    size_t length = 0;
    if (stride < size || __builtin_mul_overflow(stride, (size_t)count, &length) ||
        __builtin_add_overflow(length, slab_bits_bytes(count), &length))
        return -ENOMEM;
    void *base = mmap(NULL, length, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return -errno;
    slab->base = base;
    slab->stride = stride;
    slab->count = count;
    slab->taken = (uint64_t *)(void *)(slab->base + stride * count);
    return 0;
}

void slab_close(struct slab *slab)
{
    if (slab->base) munmap(slab->base, slab_length(slab));
    *slab = (struct slab){.free_head = SLAB_NONE};
}

/* Flips the bit of an object. `taken` is what the bit must have been before. */
static void slab_flip(struct slab *slab, uint32_t index, bool taken)
{
    uint64_t bit = UINT64_C(1) << (index % 64);

    assert(((slab->taken[index / 64] & bit) != 0) == taken);
    slab->taken[index / 64] ^= bit;
}

void *slab_take(struct slab *slab)
{
    uint32_t index = slab->free_head;

    if (index != SLAB_NONE)
        memcpy(&slab->free_head, slab_at(slab, index), sizeof(slab->free_head));
    else if (slab->touched < slab->count)
        index = slab->touched++;
    else
        return NULL;
    slab_flip(slab, index, false);
    slab->used++;
    return slab_at(slab, index);
}

void slab_put(struct slab *slab, void *object)
{
    size_t offset = (size_t)((char *)object - slab->base);
    uint32_t index = (uint32_t)(offset / slab->stride);

    assert(offset % slab->stride == 0 && offset / slab->stride < slab->touched);
    slab_flip(slab, index, true);
    memcpy(object, &slab->free_head, sizeof(slab->free_head));
    slab->free_head = index;
    slab->used--;
}
