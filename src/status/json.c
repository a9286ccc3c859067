/*
 * Writes JSON to a stream. Only one thread writes, so the stream is not locked. The order of calls
 * is not checked.
 */
#include "status/json.h"

#include "base/put.h"

#define TEXT_BYTES_MAX 8192 /* escapes included; the rest is cut off */

/* Escapes the text, because a path need not be UTF-8, but JSON must be. */
static void text_write(FILE *out, const char *text)
{
    char escaped[TEXT_BYTES_MAX + PUT_ELLIPSIS_BYTES];
    struct text whole = {text, strlen(text)};
    char *end = put_escaped(escaped, whole, TEXT_BYTES_MAX, ESCAPES_JSON);
    putc_unlocked('"', out);
    fwrite(escaped, 1, (size_t)(end - escaped), out);
    putc_unlocked('"', out);
}

static void key_write(struct json *json, const char *key)
{
    if (json->begun) putc_unlocked(',', json->out);
    json->begun = true;
    if (!key) return;
    text_write(json->out, key);
    putc_unlocked(':', json->out);
}

void json_open(struct json *json, const char *key, char bracket)
{
    key_write(json, key);
    putc_unlocked(bracket, json->out);
    json->begun = false;
}

void json_close(struct json *json, char bracket)
{
    putc_unlocked(bracket, json->out);
    json->begun = true;
}

void json_count(struct json *json, const char *key, uint64_t value)
{
    key_write(json, key);
    fprintf(json->out, "%llu", (unsigned long long)value);
}

void json_number(struct json *json, const char *key, double value)
{
    key_write(json, key);
    fprintf(json->out, "%.9g", value);
}

void json_time(struct json *json, const char *key, double seconds)
{
    key_write(json, key);
    fprintf(json->out, "%.6f", seconds);
}

void json_text(struct json *json, const char *key, const char *text)
{
    key_write(json, key);
    text_write(json->out, text);
}

void json_absent(struct json *json, const char *key)
{
    key_write(json, key);
    fputs("null", json->out);
}
