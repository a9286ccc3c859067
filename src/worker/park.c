/* Parks a request, and what it waits for. */
#include "park.h"

void client_park(struct client *client, struct stream *s)
{
    client->parked = s;
    conn_parked(&client->conn, s);
}

bool client_awaits_place(struct client *client, struct worker *w, struct stream *s)
{
    if (!w->fetcher || w->now.monotonic_ns >= conn_deadline_ns(&client->conn)) return false;
    fetcher_wait(w->fetcher, &client->wait);
    client_park(client, s);
    return true;
}
