/* What the parts of experiment 15 share: the servers, and what is predicted of each under each load. */
#ifndef LAB_SERVERS_H
#define LAB_SERVERS_H

#include "../findings.h"

enum each { EACH_PROCESS, EACH_THREAD, EACH_LOOP }; /* what a connection has of its own */

struct server {
    const char *name;
    enum each each;
    bool is_pool;             /* so many processes or threads and no more: zcserve's */
    unsigned predicted_bytes; /* memory a connection; see servers.c */
};
extern const struct server servers[]; /* ends with a NULL name */

/* The word that predicts what comes out; the meanings are in servers_find.c. NULL: it cannot be asked. */
const char *servers_prediction(const struct server *server, const char *load);

void servers_find(const struct table *table, struct findings *into);

#endif
