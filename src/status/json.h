/*
 * Writes JSON (RFC 8259) as it goes, to a stream: nothing is built in memory first, counters keep all
 * their 64 bits, and what is written needs no library to be right, only each call in its place. A key
 * is NULL in an array. Members and elements are separated by themselves.
 */
#ifndef ZCSERVE_STATUS_JSON_H
#define ZCSERVE_STATUS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *out;
    bool begun; /* something stands before what comes next, in the same brackets */
};

void json_open(struct json *json, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);                 /* '}' or ']' */

void json_count(struct json *json, const char *key, uint64_t value);
void json_number(struct json *json, const char *key, double value); /* 9 digits */
void json_time(struct json *json, const char *key, double seconds); /* to the µs */
void json_text(struct json *json, const char *key, const char *text);
void json_absent(struct json *json, const char *key);

#endif
