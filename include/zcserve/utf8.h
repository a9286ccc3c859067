/*
 * UTF-8 from an untrusted source: finds its characters, and those that are safe to show. All
 * functions but utf8_print() are pure.
 */
#ifndef ZCSERVE_UTF8_H
#define ZCSERVE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Returns the length in bytes, 1 to 4, of the character that `text` begins with (RFC 3629 §4); 0
 * when it begins with none.
 */
size_t utf8_length(const char *text, size_t length);

/* Returns the code point that `text` begins with; utf8_length() returned `length`, not 0. */
uint32_t utf8_decode(const char *text, size_t length);

/*
 * As utf8_length(), but also returns 0 for characters that can control a terminal or make a line
 * look like another one: control characters (C0, DEL, C1), those that change the direction of
 * writing (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), and those that end a line
 * (U+2028, U+2029).
 */
size_t utf8_shown_length(const char *text, size_t length);

/*
 * Copies `length` bytes of `text` to `space` of `room` bytes. Bytes for which utf8_shown_length()
 * is 0 are written as \xHH. Returns the length written, and sets *whole to false when not all of
 * `text` fits.
 */
size_t utf8_escape(char *space, size_t room, const char *text, size_t length, bool *whole);

/* Writes a NUL-terminated text, escaped as by utf8_escape(), to a stream such as a terminal. */
void utf8_print(FILE *out, const char *text);

#endif
