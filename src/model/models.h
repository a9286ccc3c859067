/*
 * The four models, each in a file of its own, and the function that the two event loops share.
 */
#ifndef ZCSERVE_MODEL_MODELS_H
#define ZCSERVE_MODEL_MODELS_H

#include "zcserve/model.h"

extern const struct model prefork_model, threadpool_model, epoll_model, uring_model;

/*
 * shape() of struct model, for epoll and io_uring: one process for each worker, with many
 * connections each.
 */
void loops_shape(struct service *service, const struct config *config);

#endif
