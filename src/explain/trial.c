/* The steps are those of worker/drive.c; only the socket is missing. */
#include "trial.h"
#include "http/work.h"
#include "zcserve/conn.h"
#include "zcserve/store.h"

#include <stdio.h>
#include <stdlib.h>

static bool fail(char *problem, size_t size, const char *why)
{
    snprintf(problem, size, "--explain: %s", why);
    return false;
}

/* ---- lookups --------------------------------------------------------------------------------- */

static char *path_copy(struct text path)
{
    char *copy = malloc(path.length + 2);
    if (!copy) return NULL;
    copy[0] = '/';
    memcpy(copy + 1, path.base, path.length);
    copy[path.length + 1] = '\0';
    return copy;
}

/* Returns false when there is no memory. */
static bool lookup_note(struct trial *t, const struct stream *s, struct trial_lookup *note)
{
    const struct lookup *lookup = conn_lookup(s);
    *note = (struct trial_lookup){.path = path_copy(lookup->path),
                                  .accepted = lookup->accepted,
                                  .tree = lookup->tree,
                                  .lists = lookup->lists,
                                  .seen = malloc(sizeof(*note->seen))};
    if (!note->path || !note->seen) return false;
    if (t->p->service.rules.sites) {
        note->page_of = s->decided;
        note->tried = s->tried;
    }
    store_examine(t->store, lookup, note->seen);
    return true;
}

/* Asks again what the core asks about what was found, which may be returned before the response. */
static void choice_note(struct trial *t, const struct representation *r)
{
    const struct fields *fields = &t->request.fields;
    struct trial_choice *choice = &t->choice;
    choice->made = true;
    choice->has_etag = r->etag.length > 0;
    choice->condition = condition_evaluate(fields, r, t->now.wall_seconds);
    choice->range = range_select(fields, r, t->p->service.rules.ranges_max, t->now.wall_seconds,
                                 &choice->ranges);
}

/* Returns whether a request like this one, a moment later, would have a coding made on the fly. */
static bool coding_is_wanted(struct trial *t, const struct stream *s)
{
    struct resolution later = store_resolve(t->store, conn_lookup(s), MAY_WAIT, &t->now);
    if (later.kind != RESOLUTION_FOUND) return false;
    store_return(t->store, later.representation);
    return later.improvable;
}

static bool lookup_answer(struct trial *t, char *problem, size_t size)
{
    struct stream *s = conn_asking(&t->conn);
    if (t->lookups == TRIAL_LOOKUPS_MAX) return fail(problem, size, "there are too many lookups");
    struct trial_lookup *note = &t->lookup[t->lookups++];
    if (!lookup_note(t, s, note)) return fail(problem, size, "not enough memory");
    t->request = s->request;
    uint64_t entries = store_counts(t->store)->entries;
    note->found = store_resolve(t->store, conn_lookup(s), MAY_WAIT, &t->now);
    note->kept = store_counts(t->store)->entries > entries;
    if (note->found.kind == RESOLUTION_CROWDED || note->found.kind == RESOLUTION_COLD)
        note->found = (struct resolution){.kind = RESOLUTION_BUSY};
    note->improvable = note->found.kind == RESOLUTION_FOUND && coding_is_wanted(t, s);
    if (note->found.kind == RESOLUTION_FOUND && note->page_of == 0)
        choice_note(t, note->found.representation);
    const struct representation *unneeded = conn_resolved(&t->conn, s, note->found, &t->now);
    if (unneeded) note->found.representation = NULL;
    if (unneeded) store_return(t->store, unneeded);
    return true;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* Feeds the core until it has something to do, or has all bytes. */
static void bytes_feed(struct trial *t, size_t *fed)
{
    while (conn_next(&t->conn) == CONN_RECEIVE && *fed < t->asking->length) {
        struct iovec space = conn_receive_space(&t->conn);
        size_t length = t->asking->length - *fed;
        if (length > space.iov_len) length = space.iov_len;
        memcpy(space.iov_base, t->asking->bytes + *fed, length);
        *fed += length;
        conn_received(&t->conn, length, 0, &t->now);
    }
}

/* Keeps what is sent from memory, of which the head is the beginning. */
static void bytes_take(struct trial *t)
{
    struct outgoing out;
    conn_outgoing(&t->conn, &out);
    for (int i = 0; i < out.count; i++) {
        size_t length = out.vector[i].iov_len, room = TRIAL_HEAD_MAX - t->head_held;
        if (length > room) length = room;
        memcpy(t->head + t->head_held, out.vector[i].iov_base, length);
        t->head_held += length;
    }
    conn_sent(&t->conn, out.length, &t->now);
}

/* Goes on until the response is complete. */
static bool response_await(struct trial *t, char *problem, size_t size)
{
    for (size_t fed = 0;;) {
        switch (conn_next(&t->conn)) {
        case CONN_RECEIVE:
            if (fed == t->asking->length)
                return fail(problem, size, "the request has content, which is not sent here");
            bytes_feed(t, &fed);
            break;
        case CONN_RESOLVE:
            if (!lookup_answer(t, problem, size)) return false;
            break;
        case CONN_SEND: bytes_take(t); break;
        case CONN_SETTLE: t->exchange = conn_exchange(&t->conn, &t->now); return true;
        case CONN_PARKED:
        case CONN_HALF_CLOSE:
        case CONN_CLOSE: return fail(problem, size, "there is no response");
        }
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool peer_is_trusted(const struct trial *t)
{
    const struct conn_rules *rules = &t->p->service.rules;
    const struct origin *from = &t->asking->from;
    bool trusted = from->local ? rules->trusted.local : networks_have(&rules->trusted, &from->ip);
    return trusted && (rules->forwarding != FORWARDING_OFF || rules->request_id);
}

static void connection_open(struct trial *t)
{
    conn_open(&t->conn, &t->p->service.rules, &t->now);
    conn_lend_work(&t->conn, t->work);
    conn_from(&t->conn, &t->asking->from);
    if (t->p->service.rules.request_id) conn_ids(&t->conn, &t->ids);
    t->conn.peer_trusted = peer_is_trusted(t);
    t->stream = &t->conn.work->http1.stream;
}

bool trial_run(struct trial *t, const struct program *p, const struct asking *asking, char *problem,
               size_t size)
{
    *t = (struct trial){.p = p, .asking = asking};
    arc4random_buf(&t->ids.base, sizeof(t->ids.base));
    now_read(&t->now);
    t->store = store_open(&p->service.store, problem, size);
    if (!t->store) return false;
    t->work = malloc(conn_work_size(&p->service.rules));
    t->head = malloc(TRIAL_HEAD_MAX);
    if (!t->work || !t->head) return fail(problem, size, "not enough memory");
    connection_open(t);
    if (!response_await(t, problem, size)) return false;
    enum target_form form = t->stream->target.form;
    t->is_judged = p->service.rules.sites && t->exchange->refused == REFUSAL_NONE &&
                   (form == TARGET_ORIGIN || form == TARGET_ABSOLUTE);
    return true;
}

void trial_close(struct trial *t)
{
    if (t->exchange && t->exchange->lent) store_return(t->store, t->exchange->lent);
    for (size_t i = 0; i < t->lookups; i++) {
        free(t->lookup[i].path);
        free(t->lookup[i].seen);
    }
    free(t->work);
    free(t->head);
    store_close(t->store);
}
