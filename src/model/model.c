/*
 * Finds a model by its name, and runs a serving process, which has the same three steps in all
 * models.
 */
#include "models.h"

#include <stdatomic.h>

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
    if (!confine_calls(&service->confinement, model->role)) return 1;
    atomic_store_explicit(&service->roster[index].serves, true, memory_order_release);
    int code = model->run(serving);
    model->close(serving);
    return code;
}
