/* Parks a request, and what it waits for. */
#include "park.h"

void client_park(struct client *client, struct stream *s)
{
    client->parked = s;
    conn_parked(&client->conn, s);
}

bool client_awaits_place(struct client *client, struct worker *w, struct stream *s,
                         uint64_t until_ns)
{
    if (!w->fetcher || w->now.monotonic_ns >= until_ns) return false;
    fetcher_wait(w->fetcher, &client->wait);
    client_park(client, s);
    return true;
}
