/*
 * Finds a model by its name, and runs a serving process, which has the same three steps in all
 * models.
 */
#include "models.h"

#include <stdatomic.h>

#define FETCHES_MAX 256 /* far more than there are threads that wait for the disk */

void loops_shape(struct service *service, const struct config *config)
{
    uint64_t fetches = config->connections < FETCHES_MAX ? config->connections : FETCHES_MAX;
    service->workers = config->workers ? (uint32_t)config->workers : cpu_count_usable();
    service->processes = service->processes_first = service->workers;
    service->connections_max = (uint32_t)config->connections;
    service->fetches_max = (uint32_t)fetches;
}

const struct model *model_find(enum config_model model)
{
    switch (model) {
    case MODEL_PREFORK: return &prefork_model;
    case MODEL_THREADPOOL: return &threadpool_model;
    case MODEL_EPOLL: return &epoll_model;
    case MODEL_AUTO:
    case MODEL_URING: break;
    }
    return &uring_model;
}

int model_serve(const struct model *model, const struct service *service, uint32_t index)
{
    void *serving = model->open(service, index);
    if (!serving) return 1;
    atomic_store_explicit(&service->roster[index].serves, true, memory_order_release);
    int code = model->run(serving);
    model->close(serving);
    return code;
}
