/*
 * The ring's pool of buffers to receive into. Each receive lends a buffer to a connection, which gives it back
 * when the bytes were taken. All connections share the pool, so an idle connection holds no buffer.
 */
#include "ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static char *buffer(const struct ring *ring, uint16_t id)
{
    return ring->memory + (size_t)id * RING_BUFFER_BYTES;
}

int ring_buffers_open(struct ring *ring)
{
    int error = 0;
    void *memory = mmap(NULL, RING_MEMORY_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return -ENOMEM;
    ring->memory = memory;
    ring->scratch = ring->memory + (size_t)RING_BUFFERS * RING_BUFFER_BYTES;
    ring->pool = io_uring_setup_buf_ring(&ring->uring, RING_BUFFERS, RING_POOL, 0, &error);
    if (!ring->pool) {
        munmap(memory, RING_MEMORY_BYTES);
        return error;
    }
    for (uint16_t id = 0; id < RING_BUFFERS; id++)
        io_uring_buf_ring_add(ring->pool, buffer(ring, id), RING_BUFFER_BYTES, id,
                              io_uring_buf_ring_mask(RING_BUFFERS), id);
    io_uring_buf_ring_advance(ring->pool, RING_BUFFERS);
    return 0;
}

void ring_buffers_close(struct ring *ring)
{
    io_uring_free_buf_ring(&ring->uring, ring->pool, RING_BUFFERS, RING_POOL);
    munmap(ring->memory, RING_MEMORY_BYTES);
}

static void buffer_return(struct ring *ring, uint16_t id)
{
    io_uring_buf_ring_add(ring->pool, buffer(ring, id), RING_BUFFER_BYTES, id,
                          io_uring_buf_ring_mask(RING_BUFFERS), 0);
    io_uring_buf_ring_advance(ring->pool, 1);
    ring->lent--;
}

void ring_hold(struct ring *ring, struct held *held, const struct io_uring_cqe *cqe)
{
    uint16_t id = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
    ring->length[id] = (uint16_t)cqe->res;
    ring->lent++;
    if (held->count++ == 0)
        held->first = id;
    else
        ring->next[held->last] = id;
    held->last = id;
}

static void first_drop(struct ring *ring, struct held *held)
{
    uint16_t id = held->first;
    held->first = ring->next[id];
    held->count--;
    held->offset = 0;
    buffer_return(ring, id);
}

size_t ring_take(struct ring *ring, struct held *held, char *space, size_t size)
{
    size_t taken = 0;
    while (held->count > 0 && taken < size) {
        size_t left = (size_t)(ring->length[held->first] - held->offset);
        size_t part = left < size - taken ? left : size - taken;
        memcpy(space + taken, buffer(ring, held->first) + held->offset, part);
        taken += part;
        held->offset = (uint16_t)(held->offset + part);
        if (part == left) first_drop(ring, held);
    }
    return taken;
}

void ring_drop(struct ring *ring, struct held *held)
{
    while (held->count > 0)
        first_drop(ring, held);
}
