/*
 * UTF-8 as somebody else wrote it: what is a character, and which of them may be shown. Pure, but for the one
 * that prints.
 */
#ifndef ZCSERVE_UTF8_H
#define ZCSERVE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The length of the character that `text` begins with (RFC 3629 §4): 1 to 4; 0 when it is none. */
size_t utf8_length(const char *text, size_t length);

/* The number of the character that `text` begins with; `length` is what utf8_length() said. */
uint32_t utf8_decode(const char *text, size_t length);

/*
 * As utf8_length(), but also 0 for what can steer a terminal or make a line read as another one: control
 * characters (C0, DEL, C1), those that change the direction of writing (U+061C, U+200E, U+200F, U+202A to U+202E,
 * U+2066 to U+2069), and those that end a line (U+2028, U+2029).
 */
size_t utf8_shown_length(const char *text, size_t length);

/*
 * Copies `length` bytes of `text` into `room` bytes, as \xHH what utf8_shown_length() does not show. Gives the
 * length written; *whole is set to false when that was not all.
 */
size_t utf8_escape(char *space, size_t room, const char *text, size_t length, bool *whole);

/* The same of a whole text onto a stream, a terminal perhaps. */
void utf8_print(FILE *out, const char *text);

#endif
