/* Computes with the configuration alone; only the number of usable CPUs is asked of the system. */
#include "shape.h"
#include "zcserve/supervise.h"

#define FETCHES_MAX 256 /* far more than there are threads that wait for the disk */

/* Connections in the kernel's queue that one process takes over when the server stops. */
#define DRAIN_OF_PROCESS_MAX 64
/* Connections in the kernel's queue that are taken over when the server stops. */
#define DRAIN_OF_POOL_MAX 4096

static uint32_t least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

void loops_shape(struct service *service, const struct config *config)
{
    uint64_t fetches = config->connections < FETCHES_MAX ? config->connections : FETCHES_MAX;
    service->workers = config->workers ? (uint32_t)config->workers : cpu_count_usable();
    service->processes = service->processes_first = service->workers;
    service->connections_max = (uint32_t)config->connections;
    service->fetches_max = (uint32_t)fetches;
}

void uring_shape(struct service *service, const struct config *config)
{
    loops_shape(service, config);
    service->uring = (struct uring_options){
        .gather_ns = config->io_uring_gather,
        .sqpoll_ns = config->io_uring_sqpoll,
        .zero_copy_bytes = config->io_uring_zero_copy,
        .napi_ns = config->io_uring_napi,
        .restricted = config->sandbox_rings,
        .registered_files = config->io_uring_registered_files,
    };
}

void prefork_shape(struct service *service, const struct config *config)
{
    uint64_t most = config->prefork_processes;
    service->workers = service->processes = (uint32_t)most;
    service->processes_first = least(config->prefork_start, most);
    service->connections_max = 1;
    service->drain_max = DRAIN_OF_PROCESS_MAX;
    service->listeners_shared = true;
    service->pool = (struct pool){.spare_min = least(config->prefork_spare_min, most),
                                  .spare_max = least(config->prefork_spare_max, most)};
}

void threadpool_shape(struct service *service, const struct config *config)
{
    service->workers = (uint32_t)config->threadpool_threads;
    service->processes = service->processes_first = 1;
    service->connections_max = 1;
    service->queue_max = (uint32_t)config->threadpool_queue;
    service->drain_max = DRAIN_OF_POOL_MAX;
    service->listeners_shared = true;
}

void model_shape(struct service *service, const struct config *config)
{
    switch ((enum config_model)config->model) {
    case MODEL_PREFORK: prefork_shape(service, config); break;
    case MODEL_THREADPOOL: threadpool_shape(service, config); break;
    case MODEL_EPOLL: loops_shape(service, config); break;
    case MODEL_AUTO:
    case MODEL_URING: uring_shape(service, config); break;
    }
}
