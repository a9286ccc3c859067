/*
 * The head of an answer, written from its plan.
 */
#ifndef ZCSERVE_HTTP_HEAD_H
#define ZCSERVE_HTTP_HEAD_H

#include "plan.h"
#include "target.h"
#include "zcserve/conn.h"

/* Room that every head fits in, when a redirect's target has `target_bytes` bytes. */
#define HEAD_ROOM(target_bytes) (2048 + 3 * (size_t)(target_bytes))

/*
 * Writes the head of `plan`'s answer into `space`, which has HEAD_ROOM; gives its length.
 * `target` is where a redirect leads from.
 */
size_t head_write(char *space, const struct plan *plan, const struct conn_rules *rules,
                  const struct target *target, const struct now *now);

#endif
