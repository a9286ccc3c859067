/*
 * What the parts of experiment 15 share: the servers, and what is predicted for each of them under each
 * load.
 */
#ifndef LAB_SERVERS_H
#define LAB_SERVERS_H

#include "../findings.h"

enum each { EACH_PROCESS, EACH_THREAD, EACH_LOOP }; /* what each connection has of its own */

struct server {
    const char *name;
    enum each each;
    bool is_pool;             /* zcserve's: so many processes or threads, and no more */
    unsigned predicted_bytes; /* memory for each connection; see servers.c */
};
extern const struct server servers[]; /* a NULL name ends the list */

/*
 * Returns the word for the predicted result; servers_find.c has the meanings. NULL: there is no prediction.
 */
const char *servers_prediction(const struct server *server, const char *load);

void servers_find(const struct table *table, struct findings *into);

#endif
