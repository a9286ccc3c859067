/*
 * A connection with its socket: how it begins and how it ends, for every model the same.
 */
#include "zcserve/worker.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

static void peer_copy(struct sockaddr_in6 *peer, const struct sockaddr_storage *from)
{
    *peer = (struct sockaddr_in6){.sin6_family = from->ss_family};
    if (from->ss_family == AF_INET || from->ss_family == AF_INET6)
        memcpy(peer, from, sizeof(*peer));
}

void client_open(struct client *client, struct worker *w, int fd,
                 const struct sockaddr_storage *peer)
{
    client->fd = fd;
    peer_copy(&client->peer, peer);
    conn_open(&client->conn, &w->rules, &w->now);
    stats_add(&w->stats->accepted, 1);
    stats_set(&w->stats->connections, stats_read(&w->stats->connections) + 1);
}

void client_close(struct client *client, struct worker *w)
{
    struct conn *c = &client->conn;
    assert(conn_next(c) == CONN_CLOSE);
    if (c->work)
        slab_put(&w->works, conn_return_work(c));
    close(client->fd);
    stats_add(&w->stats->closed[conn_close_reason(c)], 1);
    stats_set(&w->stats->connections, stats_read(&w->stats->connections) - 1);
}
