/*
 * How each model divides a configuration into processes, workers, connections and listeners: shape() of
 * struct model. It is apart from the models, so that a program which serves nothing can ask too.
 */
#ifndef ZCSERVE_MODEL_SHAPE_H
#define ZCSERVE_MODEL_SHAPE_H

#include "zcserve/config.h"
#include "zcserve/service.h"

/* epoll and, with its options, io_uring: one process for each worker, with many connections each. */
void loops_shape(struct service *service, const struct config *config);
void uring_shape(struct service *service, const struct config *config);

/* One connection for each process, and for each thread. */
void prefork_shape(struct service *service, const struct config *config);
void threadpool_shape(struct service *service, const struct config *config);

/* The shape of the model that the configuration names; for auto that of io_uring. */
void model_shape(struct service *service, const struct config *config);

#endif
