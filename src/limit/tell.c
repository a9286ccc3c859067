/* Writes one line for the first event of a second, and counts the others for the next line. */
#include "tell.h"

#include "zcserve/log.h"
#include "zcserve/now.h"

#include <arpa/inet.h>
#include <stdio.h>

static const char *const words[] = {
    [QUOTA_CONNECTIONS] =
        "has limits.connections_per_address connections, so another one was closed",
    [QUOTA_REQUESTS] = "sends more than limits.requests_per_second, so a request got status 429",
    [QUOTA_SEND_RATE] = "takes less than limits.send_rate, so the response was cut",
    [QUOTA_COLD] = "has limits.cold_reads reads of the disk under way, so another one waits",
};

static void peer_write(const struct sockaddr *peer, char *text, size_t size)
{
    const void *address =
        peer->sa_family == AF_INET
            ? (const void *)((const char *)peer + offsetof(struct sockaddr_in, sin_addr))
            : (const char *)peer + offsetof(struct sockaddr_in6, sin6_addr);
    bool has_address = peer->sa_family == AF_INET || peer->sa_family == AF_INET6;
    if (!has_address || !inet_ntop(peer->sa_family, address, text, (socklen_t)size))
        snprintf(text, size, "a local peer");
}

void told_tell(struct told *told, enum quota_kind kind, const struct sockaddr *peer,
               uint64_t now_ns)
{
    char text[INET6_ADDRSTRLEN], others[64] = "";
    uint64_t next_ns = atomic_load(&told->next_ns[kind]);
    if (now_ns < next_ns ||
        !atomic_compare_exchange_strong(&told->next_ns[kind], &next_ns, now_ns + NS_PER_SECOND)) {
        atomic_fetch_add(&told->unsaid[kind], 1);
        return;
    }
    uint64_t unsaid = atomic_exchange(&told->unsaid[kind], 0);
    peer_write(peer, text, sizeof(text));
    if (unsaid > 0)
        snprintf(others, sizeof(others), " (and %llu more since the last such line)",
                 (unsigned long long)unsaid);
    log_warn("%s %s%s", text, words[kind], others);
}
