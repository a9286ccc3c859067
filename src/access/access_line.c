/*
 * Writes the two forms of an access log line, from left to right. Each text has a share of the
 * line, and the shares sum to at most ACCESS_LINE_BYTES_MAX, so that a line never exceeds it.
 */
#include "access/access_line.h"

#include "base/put.h"
#include "zcserve/date.h"

#include <assert.h>
#include <time.h>

/* The shares of a line, in bytes, escapes included. */
#define METHOD_MAX 64
#define TARGET_MAX 4096
#define VERSION_MAX 32
#define REFERER_MAX 1536
#define USER_AGENT_MAX 1024
#define HOST_MAX 320
#define USER_MAX 256
#define ID_MAX 64
#define FIXED_MAX 640 /* the rest: numbers, address, date, names of keys */

static_assert(METHOD_MAX + TARGET_MAX + VERSION_MAX + REFERER_MAX + USER_AGENT_MAX + HOST_MAX +
                      USER_MAX + ID_MAX + FIXED_MAX + 8 * PUT_ELLIPSIS_BYTES <=
                  ACCESS_LINE_BYTES_MAX,
              "the shares fit into a line");

/* ---- the combined form ------------------------------------------------------------------------ */

static char *line_put_quoted(char *at, struct text text, size_t max)
{
    *at++ = '"';
    if (!text.base)
        *at++ = '-';
    else
        at = put_escaped(at, text, max, ESCAPES_LOG);
    *at++ = '"';
    return at;
}

static char *line_put_request(char *at, const struct exchange *x)
{
    if (!x->method_name.base) return put_text(at, TEXT("\"-\""));
    *at++ = '"';
    at = put_escaped(at, x->method_name, METHOD_MAX, ESCAPES_LOG);
    *at++ = ' ';
    at = put_escaped(at, x->target, TARGET_MAX, ESCAPES_LOG);
    if (x->version.base) {
        *at++ = ' ';
        at = put_escaped(at, x->version, VERSION_MAX, ESCAPES_LOG);
    }
    *at++ = '"';
    return at;
}

/* The client that a trusted proxy names goes before the peer of the connection. */
static char *line_put_client(char *at, const struct exchange *x,
                             const struct access_context *context)
{
    return x->client.base ? put_text(at, x->client) : put_peer(at, context->peer);
}

static char *line_put_user(char *at, const struct exchange *x)
{
    if (!x->user.base) return put_text(at, TEXT("-"));
    return put_escaped(at, x->user, USER_MAX, ESCAPES_LOG);
}

static char *line_put_combined(char *at, const struct exchange *x,
                               const struct access_context *context, const struct access_date *date)
{
    at = line_put_client(at, x, context);
    at = put_text(at, TEXT(" - "));
    at = line_put_user(at, x);
    at = put_text(at, TEXT(" ["));
    at = put_text(at, (struct text){date->text, date->length});
    at = put_text(at, TEXT("] "));
    at = line_put_request(at, x);
    *at++ = ' ';
    at = put_number(at, x->status);
    *at++ = ' ';
    at = put_number(at, x->content_bytes);
    *at++ = ' ';
    at = line_put_quoted(at, x->referer, REFERER_MAX);
    *at++ = ' ';
    at = line_put_quoted(at, x->user_agent, USER_AGENT_MAX);
    *at++ = ' ';
    at = put_seconds(at, x->done_ns - x->begun_ns);
    *at++ = ' ';
    at = put_number(at, context->worker);
    *at++ = ' ';
    at = put_name(at, source_name(x->source));
    *at++ = '\n';
    return at;
}

/* ---- the JSON form ---------------------------------------------------------------------------- */

/* Writes `key`, which is ,"KEY": with its comma and colon, and then `value` or null. */
static char *line_put_member(char *at, struct text key, struct text value, size_t max)
{
    at = put_text(at, key);
    if (!value.base) return put_text(at, TEXT("null"));
    *at++ = '"';
    at = put_escaped(at, value, max, ESCAPES_JSON);
    *at++ = '"';
    return at;
}

static char *line_put_json(char *at, const struct exchange *x, const struct access_context *context,
                           const struct now *now, const struct access_date *date)
{
    at = put_text(at, TEXT("{\"time\":\""));
    at = put_text(at, (struct text){date->text, date->length});
    *at++ = '.';
    at = put_digits(at, now->wall_ns / 1000000, 3);
    at = put_text(at, TEXT("Z\",\"remote\":\""));
    at = line_put_client(at, x, context);
    *at++ = '"';
    at = line_put_member(at, TEXT(",\"user\":"), x->user, USER_MAX);
    at = put_text(at, x->https ? TEXT(",\"scheme\":\"https\"") : TEXT(",\"scheme\":\"http\""));
    at = line_put_member(at, TEXT(",\"host\":"), x->host, HOST_MAX);
    at = line_put_member(at, TEXT(",\"method\":"), x->method_name, METHOD_MAX);
    at = line_put_member(at, TEXT(",\"target\":"), x->target, TARGET_MAX);
    at = line_put_member(at, TEXT(",\"version\":"), x->version, VERSION_MAX);
    at = put_number(put_text(at, TEXT(",\"status\":")), x->status);
    at = put_number(put_text(at, TEXT(",\"bytes\":")), x->content_bytes);
    at = line_put_member(at, TEXT(",\"referer\":"), x->referer, REFERER_MAX);
    at = line_put_member(at, TEXT(",\"user_agent\":"), x->user_agent, USER_AGENT_MAX);
    at = put_seconds(put_text(at, TEXT(",\"seconds\":")), x->done_ns - x->begun_ns);
    at = put_number(put_text(at, TEXT(",\"worker\":")), context->worker);
    at = put_name(put_text(at, TEXT(",\"source\":\"")), source_name(x->source));
    at = put_name(put_text(at, TEXT("\",\"coding\":\"")), coding_name(x->coding));
    *at++ = '"';
    at = line_put_member(at, TEXT(",\"id\":"), x->id, ID_MAX);
    return put_text(at, TEXT("}\n"));
}

/* ---- both ------------------------------------------------------------------------------------- */

static void line_make_date(struct access_date *date, enum access_format format, int64_t seconds)
{
    struct tm utc = {0};
    time_t time = (time_t)seconds;

    date->seconds = seconds;
    if (format == ACCESS_COMBINED) {
        date_format_log(seconds, date->text);
        date->length = DATE_LOG_LENGTH;
    } else {
        gmtime_r(&time, &utc);
        date->length = strftime(date->text, sizeof(date->text), "%Y-%m-%dT%H:%M:%S", &utc);
    }
}

size_t access_line_format(char *space, enum access_format format, const struct exchange *exchange,
                          const struct access_context *context, const struct now *now,
                          struct access_date *date)
{
    char *at = space;

    if (date->seconds != now->wall_seconds || date->length == 0)
        line_make_date(date, format, now->wall_seconds);
    switch (format) {
    case ACCESS_COMBINED: at = line_put_combined(space, exchange, context, date); break;
    case ACCESS_JSON: at = line_put_json(space, exchange, context, now, date); break;
    }
    assert(at - space <= ACCESS_LINE_BYTES_MAX);
    return (size_t)(at - space);
}
