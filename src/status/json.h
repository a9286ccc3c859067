/*
 * Writes JSON (RFC 8259) to a stream, without building it in memory first. Counters keep all their
 * 64 bits. The caller makes the calls in the right order: json_close() after json_open(), a key for
 * each member of an object, NULL as the key in an array. Commas are written automatically.
 */
#ifndef ZCSERVE_STATUS_JSON_H
#define ZCSERVE_STATUS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *out;
    bool begun; /* the current object or array is not empty: the next one needs a comma */
};

void json_open(struct json *json, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);                 /* '}' or ']' */

void json_count(struct json *json, const char *key, uint64_t value);
void json_number(struct json *json, const char *key, double value); /* with 9 digits */
void json_time(struct json *json, const char *key, double seconds); /* with µs       */
void json_text(struct json *json, const char *key, const char *text);
void json_absent(struct json *json, const char *key); /* null */

#endif
