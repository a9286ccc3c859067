/*
 * The models, each in a file of its own, and what two of them have in common.
 */
#ifndef ZCSERVE_MODEL_MODELS_H
#define ZCSERVE_MODEL_MODELS_H

#include "zcserve/model.h"

extern const struct model prefork_model, threadpool_model, epoll_model, uring_model;

/* struct model's shape() of event loops: a process a worker, many connections each. */
void loops_shape(struct service *service, const struct config *config);

#endif
