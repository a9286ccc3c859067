/*
 * Requests that follow each other on one connection, as this server and as plain_reader.c understand them. Both must
 * find the same end of each request, the same method and target, and refuse the same ones. The first byte of the input
 * says how the others are cut into pieces.
 *
 * Where a server may do either, the reader says so, and only what is accepted is compared:
 * - a method that the server does not know gets 501 before its head has come (RFC 9110 §9.1);
 * - the target of CONNECT is not judged (RFC 9110 §9.3.6), and the connection ends behind it;
 * - extensions of chunks and trailer fields may be refused (RFC 9112 §7.1.1, §7.1.2);
 * - a request of PRI without fields, the preface of HTTP/2, is waited for up to its end (RFC 9113 §3.4);
 * - more than 24 lines of fields that are kept are refused (431, RFC 6585 §5);
 * - a Connection field with quotes is no list of tokens (RFC 9110 §7.6.1), and what follows it is not compared.
 */
#include "plain_reader.c"

#include "zcserve/conn.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES_MAX 4000
#define CONTENT_MAX 5000 /* more than an input has: only a Content-Length can be longer */
#define REQUESTS_MAX (BYTES_MAX / 16)

static void differs(const char *why, size_t number)
{
    fprintf(stderr, "fuzz_difference: request %zu: %s\n", number, why);
    abort();
}

/* ---- as the reader finds them ------------------------------------------------------------------ */

static struct plain expected[REQUESTS_MAX + 1]; /* `end`: from the first byte of the input on */
static size_t expected_count; /* accepted or refused, and what was open at the end */

static void all_expect(const char *bytes, size_t length)
{
    size_t at = 0;
    bool more = true;
    for (expected_count = 0; more && expected_count <= REQUESTS_MAX; expected_count++) {
        struct plain *plain = &expected[expected_count];
        *plain = plain_read(bytes + at, length - at, CONTENT_MAX);
        plain->end += at;
        at = plain->end;
        more = !plain->last && (plain->outcome == PLAIN_ACCEPTED || plain->outcome == PLAIN_EITHER);
    }
}

/* Returns how many requests end within the first `length` bytes; those that may be refused included. */
static size_t complete_within(size_t length)
{
    size_t count = 0;
    while (count < expected_count && expected[count].end <= length &&
           (expected[count].outcome == PLAIN_ACCEPTED || expected[count].outcome == PLAIN_EITHER))
        count++;
    return count;
}

/* ---- as the server does ------------------------------------------------------------------------ */

struct found {
    struct conn conn;
    size_t count; /* of requests that were accepted */
    bool refused; /* the next one was refused       */
    bool unclear; /* what follows is not compared   */
};

static bool method_is_known(struct piece_of method)
{
    static const char known[] = " GET HEAD OPTIONS CONNECT POST PUT DELETE TRACE PATCH ";
    char word[16];
    if (method.length > 8) return false;
    snprintf(word, sizeof(word), " %.*s ", (int)method.length, method.base);
    return strstr(known, word) != NULL;
}

static void refused_compare(struct found *found)
{
    const struct plain *plain = &expected[found->count];
    if (found->refused) differs("one that follows a refused one", found->count);
    found->refused = true;
    if (found->count >= expected_count) differs("none was expected", found->count);
    bool known = plain->outcome == PLAIN_INCOMPLETE || method_is_known(plain->method);
    if ((plain->outcome == PLAIN_ACCEPTED || plain->outcome == PLAIN_AWAITS) && known)
        differs("refused by the server only", found->count);
}

static void accepted_compare(struct found *found, const struct exchange *exchange, size_t received)
{
    const struct plain *plain = &expected[found->count];
    if (found->refused) differs("one that follows a refused one", found->count);
    if (found->count >= complete_within(received))
        differs("accepted by the server only", found->count);
    struct text method = {plain->method.base, plain->method.length};
    struct text target = {plain->target.base, plain->target.length};
    if (!text_equals(exchange->method_name, method)) differs("another method", found->count);
    if (!text_equals(exchange->target, target)) differs("another target", found->count);
    found->count++;
    found->unclear = plain->odd;
}

/* Takes all steps until more bytes are needed, or the connection is at its end. */
static void steps_take(struct found *found, const struct now *now, size_t received)
{
    struct conn *c = &found->conn;
    struct outgoing out;
    for (;;) {
        switch (conn_next(c)) {
        case CONN_RESOLVE:
            conn_resolved(c, conn_asking(c), (struct resolution){.kind = RESOLUTION_NOT_FOUND},
                          now);
            break;
        case CONN_SEND:
            conn_gathered(c, now);
            conn_outgoing(c, &out);
            conn_sent(c, out.length, now);
            break;
        case CONN_SETTLE: {
            const struct exchange *exchange = conn_exchange(c, now);
            if (found->unclear) return;
            if (exchange->refused != REFUSAL_NONE)
                refused_compare(found);
            else
                accepted_compare(found, exchange, received);
            conn_settled(c, now);
            break;
        }
        default: return;
        }
    }
}

/* What must have been answered when so many bytes have come. */
static void progress_compare(const struct found *found, size_t received)
{
    size_t count = complete_within(received);
    if (found->count != count && !found->refused)
        differs("not accepted by the server", found->count);
    if (found->count > count) differs("more than there are", found->count);
}

static size_t piece_length(uint8_t how, size_t at, size_t left)
{
    static const size_t primes[] = {0, 1, 2, 3, 5, 7, 11, 13, 61, 127};
    size_t prime = primes[how % (sizeof(primes) / sizeof(primes[0]))];
    size_t length = prime == 0 ? left : 1 + at * how % (prime * 2);
    return prime == 1 ? 1 : length < left ? length : left;
}

static void all_feed(struct found *found, uint8_t how, const char *bytes, size_t length)
{
    struct now now = {.monotonic_ns = NS_PER_SECOND, .wall_seconds = 1795348800};
    size_t at = 0;
    memcpy(now.date, "Sun, 22 Nov 2026 12:00:00 GMT", sizeof(now.date));
    while (at < length && !found->unclear && conn_next(&found->conn) == CONN_RECEIVE) {
        struct iovec space = conn_receive_space(&found->conn);
        size_t count = piece_length(how, at, length - at);
        if (count > space.iov_len) count = space.iov_len;
        memcpy(space.iov_base, bytes + at, count);
        at += count;
        conn_received(&found->conn, count, 0, &now);
        steps_take(found, &now, at);
        progress_compare(found, at);
    }
    if (at < length || found->count >= expected_count || found->refused) return;
    if (expected[found->count].outcome == PLAIN_REFUSED)
        differs("refused by the reader only", found->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct conn_rules rules = {
        .head_bytes_max = 16384,
        .target_bytes_max = 8192,
        .fields_max = 4000,
        .body_bytes_max = CONTENT_MAX,
        .ranges_max = 1,
        .keep_alive = true,
    };
    if (size < 2 || size > BYTES_MAX) return 0;
    const char *bytes = (const char *)data + 1;
    struct found found = {.count = 0};
    struct now now = {.monotonic_ns = NS_PER_SECOND};
    all_expect(bytes, size - 1);
    conn_open(&found.conn, &rules, &now);
    void *work = malloc(conn_work_size(&rules));
    if (!work) abort();
    conn_lend_work(&found.conn, work);
    all_feed(&found, data[0], bytes, size - 1);
    free(work);
    return 0;
}
