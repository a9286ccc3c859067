/*
 * Where a request with credentials meets the guard of its worker.
 */
#ifndef ZCSERVE_WORKER_ADMISSION_H
#define ZCSERVE_WORKER_ADMISSION_H

#include "zcserve/worker.h"

/*
 * RESOLVE: answers what the stream asks by its credentials, has them checked, or waits until they can be; the
 * stream asks again after that. NULL: the address of the client has sent too many requests.
 */
void client_admit(struct client *client, struct worker *w, struct stream *s,
                  const struct credentials *credentials);

/* Counts the checks since the last call. */
void checks_count(struct worker *w);

#endif
