/*
 * A check takes so long that an event loop has a thread make it, while the client waits as for the disk.
 * Other workers make it themselves. In both cases the guard knows the result afterwards, and the
 * stream asks again.
 */
#include "admission.h"
#include "limited.h"
#include "park.h"

static void admit(struct client *client, struct worker *w, struct stream *s,
                  enum admission admission)
{
    if (admission == ADMISSION_DENIED) stats_add(&w->stats->denied, 1);
    client->charged = conn_admitted(&client->conn, s, admission, &w->now);
}

static struct errand *check_begin(struct client *client, struct worker *w, const struct stream *s)
{
    struct check *check = check_new(w->guard, conn_credentials(&client->conn, s), conn_origin(s));
    if (!check) return NULL;
    struct errand *errand = store_errand_check(check);
    if (errand) return errand;
    check_end(check);
    check_free(check);
    return NULL;
}

/* Has the check made. Returns false when this is not possible now. */
static bool check_make(struct client *client, struct worker *w, struct stream *s)
{
    struct errand *errand = check_begin(client, w, s);
    if (!errand || (w->fetcher && !client_run(client, w, errand))) return false;
    if (w->fetcher) {
        client_park(client, s);
        return true;
    }
    errand_run(errand);
    store_adopt(w->store, errand);
    errand_free(errand);
    now_read(&w->now);
    return true;
}

/* No check can be begun now. */
static void hold_off(struct client *client, struct worker *w, struct stream *s,
                     enum admission otherwise)
{
    if (client_awaits_place(client, w, s, conn_asked_ns(s) + GUARD_WAIT_NS)) return;
    stats_add(&w->stats->limited_checks, 1);
    admit(client, w, s, otherwise);
}

void client_admit(struct client *client, struct worker *w, struct stream *s,
                  const struct credentials *credentials)
{
    if (client->wait.disk == DISK_FETCHED)
        client->wait.disk = DISK_IDLE; /* it was no fetch of a file */
    if (!credentials) {
        admit(client, w, s, ADMISSION_LIMITED);
        return;
    }
    switch (guard_ask(w->guard, credentials, conn_origin(s), w->now.monotonic_ns)) {
    case GUARD_GRANTED: admit(client, w, s, ADMISSION_GRANTED); break;
    case GUARD_DENIED: admit(client, w, s, ADMISSION_DENIED); break;
    case GUARD_FAILED: admit(client, w, s, ADMISSION_BUSY); break;
    case GUARD_LIMITED: hold_off(client, w, s, ADMISSION_LIMITED); break;
    case GUARD_FULL: hold_off(client, w, s, ADMISSION_BUSY); break;
    case GUARD_UNKNOWN:
        if (!check_make(client, w, s)) admit(client, w, s, ADMISSION_BUSY);
        break;
    }
}

void checks_count(struct worker *w)
{
    stats_add(&w->stats->checks, guard_checks_take(w->guard));
}
