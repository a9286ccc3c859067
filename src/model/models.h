/* The four models, each in a file of its own. */
#ifndef ZCSERVE_MODEL_MODELS_H
#define ZCSERVE_MODEL_MODELS_H

#include "zcserve/model.h"

extern const struct model prefork_model, threadpool_model, epoll_model, uring_model;

#endif
