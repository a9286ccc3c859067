/*
 * The models, and what each makes of the configuration: how many workers in how many processes, who
 * shares the listeners, and how many connections one holds.
 */
#include "zcserve/model.h"

#define FETCHES_MAX 256 /* far more than the threads that wait for the disk */

/* Connections in the kernel's queue that are taken over at the end, by one process. */
#define PREFORK_DRAIN_MAX 64
#define THREADPOOL_DRAIN_MAX 4096

static uint32_t least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static void prefork_shape(struct service *service, const struct config *config)
{
    uint64_t most = config->prefork_processes;
    service->workers = service->processes = (uint32_t)most;
    service->connections_max = 1;
    service->drain_max = PREFORK_DRAIN_MAX;
    service->listeners_shared = true;
    service->pool = (struct pool){.start = least(config->prefork_start, most),
                                  .spare_min = least(config->prefork_spare_min, most),
                                  .spare_max = least(config->prefork_spare_max, most)};
}

static void threadpool_shape(struct service *service, const struct config *config)
{
    service->workers = (uint32_t)config->threadpool_threads;
    service->processes = 1;
    service->connections_max = 1;
    service->queue_max = (uint32_t)config->threadpool_queue;
    service->drain_max = THREADPOOL_DRAIN_MAX;
    service->listeners_shared = true;
}

static void loops_shape(struct service *service, const struct config *config)
{
    service->workers = config->workers ? (uint32_t)config->workers : cpu_count_usable();
    service->processes = service->workers;
    service->connections_max = (uint32_t)config->connections;
    service->fetches_max = least(FETCHES_MAX, config->connections);
}

static void uring_shape(struct service *service, const struct config *config)
{
    loops_shape(service, config);
    service->uring = (struct uring_options){
        .gather_ns = config->io_uring_gather,
        .sqpoll_ns = config->io_uring_sqpoll,
        .zero_copy_bytes = config->io_uring_zero_copy,
        .napi_ns = config->io_uring_napi,
        .registered_files = config->io_uring_registered_files,
    };
}

static const struct model models[] = {
    [MODEL_AUTO] = {"io_uring", "worker", "workers", uring_run, uring_shape},
    [MODEL_PREFORK] = {"prefork", "process", "processes at most", prefork_run, prefork_shape},
    [MODEL_THREADPOOL] = {"threadpool", "thread", "threads", threadpool_run, threadpool_shape},
    [MODEL_EPOLL] = {"epoll", "worker", "workers", epoll_run, loops_shape},
    [MODEL_URING] = {"io_uring", "worker", "workers", uring_run, uring_shape},
};

const struct model *model_find(enum config_model model)
{
    return &models[model];
}
