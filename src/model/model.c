/*
 * Finds a model by its name, and runs a serving process, which has the same three steps in all
 * models.
 */
#include "models.h"

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
    int code = model->run(serving);
    model->close(serving);
    return code;
}
