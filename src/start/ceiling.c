/*
 * The ceiling holds because each part has a fixed size from the start on: connections and their work areas
 * are taken from slabs, the cache has a budget, and addresses have a table. The kernel gives this memory
 * only as it is touched, so an idle server needs far less.
 */
#include "start/ceiling.h"

#define OF_PROCESS \
    (UINT64_C(6) << 20)   /* program, libraries, stacks that are touched, tables of the heap */
#define SLAB_ALIGNMENT 64 /* objects of a slab are rounded up to it                         */

static uint64_t slab_bytes(uint64_t size, uint64_t count)
{
    uint64_t stride = (size + SLAB_ALIGNMENT - 1) / SLAB_ALIGNMENT * SLAB_ALIGNMENT;
    return count * stride + (count + 63) / 64 * sizeof(uint64_t);
}

/* A loop checks two passwords at a time, others one. */
#define OF_CHECK \
    (UINT64_C(64) << 10) /* what the library takes beside the memory that a hash asks for */

static uint64_t checks_bytes(const struct service *service)
{
    const struct sites *sites = service->rules.sites;
    return sites && sites->by_user ? 2 * (OF_CHECK + sites->check_bytes_max) : 0;
}

static uint64_t of_worker(const struct service *service, const struct model *model)
{
    uint64_t connections = service->connections_max;
    return model->worker_bytes + sizeof(struct stats_slot) + service->store.memory_bytes_max +
           service->store.listings_bytes_max + (service->recorder ? service->log_buffer_bytes : 0) +
           checks_bytes(service) + slab_bytes(model->connection_bytes, connections) +
           slab_bytes(conn_work_size(&service->rules), connections);
}

uint64_t memory_most(const struct service *service, const struct model *model)
{
    uint64_t quotas =
        service->quota.addresses == 0
            ? 0
            : quotas_bytes(&service->quota, service->workers, service->connections_max);
    return service->processes * OF_PROCESS + service->workers * of_worker(service, model) + quotas;
}
