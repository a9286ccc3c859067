/*
 * Takes the header of the PROXY protocol off the bytes of a connection, before the core sees them. No
 * model knows of it: which listening address a connection came to, its socket tells, and this is asked
 * only when one of them wants such headers.
 */
#include "worker/front.h"
#include "base/put.h"
#include "zcserve/log.h"
#include "zcserve/proxy.h"

#include <assert.h>
#include <sys/socket.h>

/* Whether anything that a trusted peer says of its client is wanted. */
static bool believes(const struct conn_rules *rules)
{
    return rules->forwarding != FORWARDING_OFF || rules->request_id;
}

bool front_asks(const struct service *service)
{
    bool asks = believes(&service->rules);
    for (uint32_t i = 0; i < service->addresses; i++)
        asks |= service->address[i].proxy;
    return asks;
}

/* Returns whether the address that the connection came to wants headers. */
static bool wants_header(const struct client *client, const struct service *service)
{
    struct sockaddr_storage local;
    socklen_t length = sizeof(local);
    if (getsockname(client->fd, (struct sockaddr *)&local, &length) != 0) return false;
    const struct listen_address *address = listen_address_find(
        service->address, service->addresses, (const struct sockaddr *)&local, length);
    return address && address->proxy;
}

/* Returns whether the word of this peer is taken. Only one of a Unix socket has no IP address. */
static bool is_trusted(const struct client *client, const struct networks *trusted)
{
    struct ip ip;
    if (ip_of((const struct sockaddr *)&client->peer, &ip)) return networks_have(trusted, &ip);
    return client->peer.sin6_family == AF_UNIX && trusted->local;
}

void front_open(struct client *client, struct worker *w)
{
    bool trusted = is_trusted(client, &w->rules->trusted);
    client->conn.peer_trusted = trusted && believes(w->rules);
    if (wants_header(client, w->front)) client->front = trusted ? FRONT_HEADER : FRONT_UNTRUSTED;
}

/* ---- the header ------------------------------------------------------------------------------ */

static struct text peer_text(const struct client *client, char space[64])
{
    char *end = put_peer(space, (const struct sockaddr *)&client->peer);
    return (struct text){space, (size_t)(end - space)};
}

static void header_refuse(struct client *client, const char *why)
{
    char space[64];
    struct text peer = peer_text(client, space);
    log_debug("closed a connection from %.*s: %s", (int)peer.length, peer.base, why);
    conn_failed(&client->conn, CLOSE_BAD_PROXY);
}

/* What the client says itself about addresses is believed if its own address is trusted. */
static void header_take(struct client *client, struct worker *w, const struct proxy_header *header)
{
    client->front = FRONT_NONE;
    if (header->has_source) {
        client->peer = header->source;
        client_peer_tell(client, w);
        client->conn.peer_trusted = believes(w->rules) && is_trusted(client, &w->rules->trusted);
    }
    client_address_known(client, w);
}

bool front_received(struct client *client, struct worker *w, size_t *length)
{
    struct conn *c = &client->conn;
    struct proxy_header header;
    if (*length == 0) return true; /* the peer finished */
    if (client->front == FRONT_UNTRUSTED) {
        header_refuse(client, "its address is not among 'trusted'");
        return false;
    }
    struct text bytes = conn_prelude(c, *length);
    switch (proxy_read(bytes, &header)) {
    case PROXY_PARTIAL:
        if (!conn_prelude_has_room(c)) header_refuse(client, "its PROXY header is too long");
        return false;
    case PROXY_BAD: header_refuse(client, "it began without a valid PROXY header"); return false;
    case PROXY_WHOLE: break;
    }
    header_take(client, w, &header);
    *length = conn_prelude_end(c, header.length);
    bool goes_on = conn_next(c) == CONN_RECEIVE; /* its address may have too many connections */
    return *length > 0 && goes_on;
}

/* ---- requests -------------------------------------------------------------------------------- */

void front_refused(const struct client *client, enum refusal why)
{
    char space[64];
    struct text peer = peer_text(client, space);
    log_debug("refused a request from %.*s: %s", (int)peer.length, peer.base, refusal_name(why));
}
