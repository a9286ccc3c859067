/*
 * What the targets that play a whole connection have in common: the input, the files that are
 * served, and what has to come of it. fuzz_serve.c, fuzz_epoll.c and fuzz_uring.c include this
 * file and play the input with a driver of the server over a kernel that is simulated. Then the
 * same bytes are given to the core at once, and the driver must have sent what the core answers to
 * them, or the beginning of that when the connection ended early.
 *
 * The input is one byte of rules, two bytes for the length of the choices, the choices of the
 * kernel, and the bytes that the peer sends. A choice of 0 is always the kind one, and so is every
 * choice when there are no more.
 */
#include "../unit/core_site.c"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES_MAX 3000
#define LARGE_BYTES 9000 /* more than the store holds in memory */
#define WALL_SECONDS 4000000000
#define DRIVEN 1 /* slot of the worker that is driven; the core is asked with that of slot 0 */

/* Not assert(), so that the finding names this program. */
#define holds(condition)   \
    ((condition) ? (void)0 \
                 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), abort()))

/* ---- the input ------------------------------------------------------------------------------- */

static const uint8_t *choices;
static size_t choices_left;

/* Returns a number below `below`, which is above 0 and at most 256. */
static uint32_t choose(uint32_t below)
{
    if (choices_left == 0) return 0;
    choices_left--;
    return *choices++ % below;
}

/* What one connection received and sent. */
static struct traffic {
    const char *bytes; /* that the peer sends               */
    size_t length;
    size_t taken;  /* of them, by the server            */
    bool finished; /* the server knows that no more come */
    char *sent;
    size_t sent_length, sent_size;
} seen, whole;

static bool broken; /* the kernel told the driver of an error, or that a file has ended */

static void traffic_begin(struct traffic *t, const char *bytes, size_t length)
{
    t->bytes = bytes;
    t->length = length;
    t->taken = t->sent_length = 0;
    t->finished = false;
}

/* Returns room for `length` more bytes that are sent; traffic_sent() says how many there are. */
static char *traffic_room(struct traffic *t, size_t length)
{
    if (t->sent_length + length > t->sent_size) {
        t->sent_size = 2 * (t->sent_length + length);
        t->sent = realloc(t->sent, t->sent_size);
        holds(t->sent != NULL);
    }
    return t->sent + t->sent_length;
}

static void traffic_send(struct traffic *t, const void *bytes, size_t length)
{
    if (length > 0) memcpy(traffic_room(t, length), bytes, length);
    t->sent_length += length;
}

/* Returns how many bytes were there. */
static size_t traffic_send_file(struct traffic *t, int fd, uint64_t offset, size_t length)
{
    ssize_t n = pread(fd, traffic_room(t, length), length, (off_t)offset);
    holds(n >= 0);
    t->sent_length += (size_t)n;
    return (size_t)n;
}

/* ---- time ------------------------------------------------------------------------------------ */

static uint64_t clock_ns = NS_PER_SECOND;

/*
 * The server's clocks stand still until the kernel lets time pass. The fuzzer has clocks of its
 * own.
 */
int clock_gettime(clockid_t id, struct timespec *time)
{
    if (id == CLOCK_MONOTONIC || id == CLOCK_THREAD_CPUTIME_ID)
        *time =
            (struct timespec){(time_t)(clock_ns / NS_PER_SECOND), (long)(clock_ns % NS_PER_SECOND)};
    else if (id == CLOCK_REALTIME_COARSE)
        *time = (struct timespec){.tv_sec = WALL_SECONDS};
    else
        return (int)syscall(SYS_clock_gettime, id, time);
    return 0;
}

/* Mostly a tick; sometimes until all deadlines are over. */
static void time_passes(void)
{
    clock_ns += TICK_NS << choose(12);
}

/* ---- the files ------------------------------------------------------------------------------- */

static struct core_site site;

static void site_remove(void)
{
    core_site_close(&site);
    free(seen.sent);
    free(whole.sent);
}

static void site_open(void)
{
    strcpy(site.root, "/tmp/zcserve-fuzz-XXXXXX");
    holds(mkdtemp(site.root) != NULL);
    signal(SIGPIPE, SIG_IGN);
    service_make(&site);
    site.service.store.file_bytes_max = LARGE_BYTES / 2;
    site.service.connections_max = site.service.fetches_max = 4;
    site.service.waits_for_disk =
        true; /* threads would come at any time: no run would be as the one before */
    site.peer = -1;
    core_site_file(&site, "s", 10);
    core_site_file(&site, "m", 1000);
    core_site_file(&site, "l", LARGE_BYTES);
    holds(worker_open(&site.worker, &site.service, 0) == 0);
    atexit(site_remove);
}

static void rules_set(uint8_t byte)
{
    struct conn_rules *rules = &site.service.rules;
    rules->keep_alive = (byte & 1) == 0;
    rules->body_bytes_max = byte & 2 ? 20 : 5000;
    rules->send_byte_ns = byte & 4 ? NS_PER_SECOND / 1000 : 0;
    rules->ranges_max = byte & 8 ? 1 : 16;
    rules->head_bytes_max = byte & 16 ? 300 : 4096;
}

/* ---- what the core answers ------------------------------------------------------------------- */

static void core_send(struct client *client)
{
    struct outgoing out;
    conn_outgoing(&client->conn, &out);
    for (int i = 0; i < out.count; i++)
        traffic_send(&whole, out.vector[i].iov_base, out.vector[i].iov_len);
    if (out.count == 0)
        holds(traffic_send_file(&whole, out.fd, out.offset, out.length) == out.length);
    conn_sent(&client->conn, out.length, &site.worker.now);
}

/* After all bytes: as the driver, the core is told that no more come, or that it is late. */
static void core_receive(struct client *client, bool late)
{
    struct worker *w = &site.worker;
    size_t left = whole.length - whole.taken;
    client_lend_work(client, w);
    struct iovec space = conn_receive_space(&client->conn);
    if (left == 0 && late) {
        conn_expired(&client->conn, &w->now);
        return;
    }
    size_t length = left < space.iov_len ? left : space.iov_len;
    memcpy(space.iov_base, whole.bytes + whole.taken, length);
    whole.taken += length;
    worker_received(w);
    conn_received(&client->conn, length, 0, &w->now);
}

/* Gives the core these bytes at once, and sends all that it wants to. */
static void core_play(const char *bytes, size_t length, bool late)
{
    struct client *client = &site.client;
    traffic_begin(&whole, bytes, length);
    now_read(&site.worker.now);
    client_open(client, &site.worker, -1, NULL);
    for (;;) {
        switch (worker_advance(&site.worker, client)) {
        case CONN_RECEIVE: core_receive(client, late); break;
        case CONN_SEND: core_send(client); break;
        case CONN_HALF_CLOSE: conn_half_closed(&client->conn, &site.worker.now); break;
        case CONN_CLOSE: client_close(client, &site.worker); return;
        case CONN_PARKED:
        case CONN_RESOLVE:
        case CONN_SETTLE: holds(false && "this worker waits for the disk, and takes these steps");
        }
    }
}

/* ---- what has to come of it ------------------------------------------------------------------ */

static uint64_t ended_before[CLOSE_REASON_COUNT];

static void ends_note(void)
{
    for (int i = 0; i < CLOSE_REASON_COUNT; i++)
        ended_before[i] = stats_read(&site.service.board[DRIVEN].closed[i]);
}

/* Returns why the connection ended, which must have been counted once. */
static enum close_reason end_reason(void)
{
    int reason = -1;
    for (int i = 0; i < CLOSE_REASON_COUNT; i++) {
        uint64_t more = stats_read(&site.service.board[DRIVEN].closed[i]) - ended_before[i];
        holds(more <= 1 && (more == 0 || reason < 0));
        if (more == 1) reason = i;
    }
    holds(reason > CLOSE_NONE);
    return (enum close_reason)reason;
}

/* Whether `length` bytes that were sent are the beginning of what the core sends. */
static bool is_beginning(size_t length)
{
    return length <= whole.sent_length &&
           (length == 0 || memcmp(seen.sent, whole.sent, length) == 0);
}

/*
 * A request that did not come in time gets a response that depends on nothing: all of it, or its
 * beginning, follows the responses to what came before.
 */
static void late_compare(void)
{
    static char late[2048];
    static size_t length;
    if (length == 0) {
        core_play("G", 1, true);
        length = whole.sent_length;
        holds(length > 0 && length < sizeof(late));
        memcpy(late, whole.sent, length);
    }
    core_play(seen.bytes, seen.taken, false);
    size_t tail = length < seen.sent_length ? length : seen.sent_length;
    while (tail > 0 && (memcmp(seen.sent + seen.sent_length - tail, late, tail) != 0 ||
                        !is_beginning(seen.sent_length - tail)))
        tail--;
    holds(is_beginning(seen.sent_length - tail));
}

/* Whether only an error that the kernel told of, or a file that ended early, can be the reason. */
static bool needs_error(enum close_reason reason)
{
    return reason == CLOSE_PEER_RESET || reason == CLOSE_NO_MEMORY || reason == CLOSE_FILE_SHRANK ||
           reason == CLOSE_FILE_BROKEN;
}

/*
 * Everything is closed and given back, and what was sent is what the core answers. `read`: what
 * the peer sent has come to the server, even when the connection ended because nothing more came.
 */
static void outcome_compare(bool read)
{
    enum close_reason reason = end_reason();
    holds(stats_read(&site.service.board[DRIVEN].connections) == 0);
    if (needs_error(reason)) holds(broken);
    if (reason == CLOSE_HEAD_TIMEOUT || reason == CLOSE_BODY_TIMEOUT) {
        late_compare();
        return;
    }
    core_play(seen.bytes, seen.taken, false);
    holds(is_beginning(seen.sent_length));
    bool complete = reason == CLOSE_FINISHED || reason == CLOSE_PEER_CLOSED ||
                    (reason == CLOSE_IDLE_TIMEOUT && read);
    if (complete && !broken) holds(seen.sent_length == whole.sent_length);
}

/* Takes an input apart. Returns false when it is too short, or so long that it teaches nothing. */
static bool input_begin(const uint8_t *data, size_t size)
{
    if (size < 3 || size > BYTES_MAX) return false;
    if (site.root[0] == '\0') site_open();
    choices_left = ((size_t)data[1] | (size_t)data[2] << 8) % (size - 2);
    choices = data + 3;
    rules_set(data[0]);
    traffic_begin(&seen, (const char *)choices + choices_left, size - 3 - choices_left);
    broken = false;
    ends_note();
    return true;
}
