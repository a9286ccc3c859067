/*
 * A connection with its socket: how it begins and how it ends, for every model the same.
 */
#include "zcserve/worker.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>
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

void client_lend_work(struct client *client, struct worker *w)
{
    if (client->conn.work)
        return;
    void *work = slab_take(&w->works);
    assert(work); /* there are as many as connections */
    conn_lend_work(&client->conn, work);
}

void client_rest(struct client *client, struct worker *w)
{
    struct conn *c = &client->conn;
    if (c->work && conn_idle(c))
        slab_put(&w->works, conn_return_work(c));
}

void client_half_close(struct client *client, struct worker *w)
{
    shutdown(client->fd, SHUT_WR);
    conn_half_closed(&client->conn, &w->now);
}

void client_close(struct client *client, struct worker *w)
{
    struct conn *c = &client->conn;
    assert(conn_next(c) == CONN_CLOSE);
    client_rest(client, w);
    close(client->fd);
    stats_add(&w->stats->closed[conn_close_reason(c)], 1);
    stats_set(&w->stats->connections, stats_read(&w->stats->connections) - 1);
}
