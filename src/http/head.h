/*
 * Writes the head of a response from its plan.
 */
#ifndef ZCSERVE_HTTP_HEAD_H
#define ZCSERVE_HTTP_HEAD_H

#include "location.h"
#include "plan.h"
#include "target.h"
#include "zcserve/conn.h"

/* Room that is enough for any head, when the target of a redirect has `target_bytes` bytes. */
#define HEAD_ROOM(target_bytes) (2048 + 3 * (size_t)(target_bytes))

/* Returns how much more room a head needs because of the rules of sites. */
static inline size_t head_room_added(const struct conn_rules *rules)
{
    return rules->sites ? rules->sites->lines_bytes + LOCATION_WRITTEN_MAX : 0;
}

/*
 * Writes the head of the response `plan` to `space`, which has HEAD_ROOM + head_room_added() bytes.
 * Returns its length in bytes. A redirect leads from `target`. What the head tells of its making is
 * taken from `exchange`, which may be NULL when the rules ask for nothing of that.
 */
size_t head_write(char *space, const struct plan *plan, const struct conn_rules *rules,
                  const struct target *target, struct exchange *exchange, const struct now *now);

#endif
