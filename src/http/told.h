/*
 * What a response tells of its own making, where the operator asks for it: how long its phases took
 * (Server-Timing), and the id of its request (X-Request-Id).
 */
#ifndef ZCSERVE_HTTP_TOLD_H
#define ZCSERVE_HTTP_TOLD_H

#include "fields.h"
#include "zcserve/conn.h"

#define REQUEST_ID_DIGITS 32
#define REQUEST_ID_MAX 64 /* bytes of an id that is taken over */

/*
 * Returns the id of a request: that of its field X-Request-Id when its peer is trusted and the id is
 * valid; else a new one, which is written to `space`.
 */
struct text told_id(const struct fields *fields, bool peer_trusted, const struct conn_rules *rules,
                    struct request_ids *ids, char space[REQUEST_ID_DIGITS]);

/*
 * Writes the field lines at `at`, where there must be room, and returns where the next one goes. The
 * id of the exchange is what was written then, so that it lasts as long as the head.
 */
char *put_told(char *at, const struct conn_rules *rules, struct exchange *exchange,
               const struct now *now);

#endif
