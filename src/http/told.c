/*
 * A new id is the random base of the worker and a number, which is scrambled so that it does not
 * tell how many requests there were. Scrambling maps no two numbers to the same one, so no two
 * requests of a worker have the same id; those of different workers differ by their bases.
 */
#include "told.h"
#include "line.h"
#include "zcserve/token.h"

#include <assert.h>

/* ---- the id ---------------------------------------------------------------------------------- */

/* The finalizer of SplitMix64 (Steele, Lea and Flood, 2014): each step of it can be undone. */
static uint64_t scrambled(uint64_t number)
{
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

static void digits_write(char *at, uint64_t number)
{
    for (int i = 0; i < 16; i++, number <<= 4)
        at[i] = "0123456789abcdef"[number >> 60];
}

/* A repeated field is ambiguous, so its value is not taken over. */
static bool id_valid(const struct fields *fields, struct text id)
{
    for (size_t i = 0; i < id.length; i++)
        if (!is_token_char(id.base[i])) return false;
    return id.length > 0 && id.length <= REQUEST_ID_MAX &&
           fields_count(fields, FIELD_X_REQUEST_ID) == 1;
}

struct text told_id(const struct fields *fields, bool peer_trusted, const struct conn_rules *rules,
                    struct request_ids *ids, char space[REQUEST_ID_DIGITS])
{
    struct text id = fields_value(fields, FIELD_X_REQUEST_ID);
    if (peer_trusted && id_valid(fields, id)) return id;
    assert(ids);
    digits_write(space, ids->base);
    digits_write(space + 16, scrambled(ids->next++ + rules->seed[0]));
    return (struct text){space, REQUEST_ID_DIGITS};
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* Writes a metric (W3C Server Timing §3.1). Its duration is in ms, with three decimals: µs. */
static char *put_metric(char *at, struct text name, uint64_t ns)
{
    uint64_t us = ns / 1000, rest = us % 1000;
    at = put_number(put(put(at, name), TEXT(";dur=")), us / 1000);
    *at++ = '.';
    for (uint64_t unit = 100; unit > 0; unit /= 10)
        *at++ = (char)('0' + rest / unit % 10);
    return at;
}

static uint64_t elapsed_ns(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? to_ns - from_ns : 0;
}

/* The names of the phases are those of phase.def. Those that follow are not known yet. */
static char *put_timing(char *at, const struct exchange *x, const struct now *now)
{
    static const struct text found[SOURCE_COUNT] = {[SOURCE_MEMORY] = {"hit", 3},
                                                    [SOURCE_PAGE_CACHE] = {"miss", 4},
                                                    [SOURCE_DISK] = {"disk", 4}};
    at = put_metric(put(at, TEXT("Server-Timing: ")), TEXT("queue"), x->queue_ns);
    at = put_metric(put(at, TEXT(", ")), TEXT("head"), elapsed_ns(x->begun_ns, x->headed_ns));
    at = put_metric(put(at, TEXT(", ")), TEXT("resolve"),
                    elapsed_ns(x->headed_ns, now->monotonic_ns));
    if (x->source != SOURCE_NONE) {
        at = put(put(at, TEXT(", cache;desc=\"")), found[x->source]);
        *at++ = '"';
    }
    return put(at, TEXT("\r\n"));
}

char *put_told(char *at, const struct conn_rules *rules, struct exchange *exchange,
               const struct now *now)
{
    if (rules->server_timing) at = put_timing(at, exchange, now);
    if (!rules->request_id) return at;
    at = put_line(at, TEXT("X-Request-Id: "), exchange->id);
    exchange->id.base = at - exchange->id.length - 2;
    return at;
}
