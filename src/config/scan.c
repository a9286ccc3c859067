/*
 * Cuts the text of a configuration file into tokens: words, texts in quotes, and signs.
 *
 * Mistakes are found early: a text must end on its line, a variable must be set, and characters
 * that mean something in other configuration languages must stand in quotes.
 */

#include "config/scan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/keep.h"

#define BLANKS " \t\r\n"
#define SIGNS "{}=,()"
#define RESERVED ";+*$|"
#define WORD_END BLANKS SIGNS RESERVED "\"'#"

#define VARIABLE_MAX 256 /* bytes of a name, with its NUL; a longer name counts as not set */

static bool is_one_of(char byte, const char *bytes)
{
    return byte && strchr(bytes, byte);
}

/* Returns the byte `ahead` after the next one, or NUL after the end. */
static char peek(const struct scan *s, ptrdiff_t ahead)
{
    return ahead < s->end - s->at ? s->at[ahead] : '\0';
}

void scan_fail(struct scan *s, int line, const char *format, ...)
{
    if (s->token == TOKEN_FAULT) return;
    keep_end(s->keep); /* ends a text that has begun */
    va_list arguments;
    va_start(arguments, format);
    obstack_vprintf(s->keep, format, arguments);
    va_end(arguments);
    s->text = keep_end(s->keep);
    s->token = TOKEN_FAULT;
    s->line = line;
}

/* ---- between tokens -------------------------------------------------------------------------- */

static void comment_skip(struct scan *s)
{
    int line = s->line;
    for (s->at += 2; s->at < s->end; s->at++) {
        if (peek(s, 0) == '*' && peek(s, 1) == '/') {
            s->at += 2;
            return;
        }
        s->line += *s->at == '\n';
    }
    scan_fail(s, line, "this comment is not closed");
}

static void blanks_skip(struct scan *s)
{
    for (;;) {
        char byte = peek(s, 0);
        if (is_one_of(byte, BLANKS)) {
            s->line += byte == '\n';
            s->at++;
        } else if (byte == '#' || (byte == '/' && peek(s, 1) == '/')) {
            while (s->at < s->end && *s->at != '\n')
                s->at++;
        } else if (byte == '/' && peek(s, 1) == '*') {
            comment_skip(s);
        } else {
            return;
        }
    }
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static void byte_add(struct scan *s, char byte)
{
    if (s->token == TOKEN_FAULT) return;
    if (is_one_of(byte, "\t\r")) byte = ' ';
    if ((unsigned char)byte < ' ' || byte == '\177')
        scan_fail(s, s->line, "control characters are not allowed");
    else
        obstack_1grow(s->keep, byte);
}

/*
 * Takes what follows a backslash. In double quotes only some characters may follow. In single
 * quotes the backslash stands for itself, except before a quote or another backslash.
 */
static void escape_add(struct scan *s, char quote)
{
    if (is_one_of(peek(s, 0), quote == '"' ? "\\\"$" : "\\'"))
        byte_add(s, *s->at++);
    else if (quote == '\'')
        byte_add(s, '\\');
    else
        scan_fail(s, s->line, "only \\\\, \\\" and \\$ may follow a backslash in double quotes");
}

/* Adds the value of a variable, NAME or NAME:-DEFAULT, or its default if it is not set. */
static void value_add(struct scan *s, const char *name, size_t length)
{
    const char *mark = memmem(name, length, ":-", 2);
    size_t name_length = mark ? (size_t)(mark - name) : length;
    char variable[VARIABLE_MAX];
    snprintf(variable, sizeof(variable), "%.*s", (int)name_length, name);
    const char *value = name_length < sizeof(variable) ? getenv(variable) : NULL;
    if (name_length == 0) {
        scan_fail(s, s->line, "'${}' names no variable");
    } else if (value) {
        obstack_printf(s->keep, "%s", value);
    } else if (mark) {
        for (const char *p = mark + 2; p < name + length; p++)
            byte_add(s, *p);
    } else {
        scan_fail(s, s->line,
                  "the environment variable %.63s is not set: set it, or give a default, as in "
                  "\"${%.63s:-value}\"",
                  variable, variable);
    }
}

/*
 * Takes what follows the dollar of "${NAME}". A variable that is not set is a fault: an empty text
 * may mean something else.
 */
static void variable_add(struct scan *s)
{
    const char *name = ++s->at;
    while (peek(s, 0) && !is_one_of(peek(s, 0), "}\"\n"))
        s->at++;
    if (peek(s, 0) == '}')
        value_add(s, name, (size_t)(s->at++ - name));
    else
        scan_fail(s, s->line, "'${' is not closed by '}'");
}

static void text_scan(struct scan *s)
{
    char quote = *s->at++;
    while (peek(s, 0) != quote && s->token == TOKEN_TEXT) {
        char byte = peek(s, 0);
        if (s->at == s->end || byte == '\n') {
            scan_fail(s, s->line, "this text is not closed on its line");
            return;
        }
        s->at++;
        if (byte == '\\')
            escape_add(s, quote);
        else if (quote == '"' && byte == '$' && peek(s, 0) == '{')
            variable_add(s);
        else
            byte_add(s, byte);
    }
    if (s->token == TOKEN_TEXT) s->at++;
}

static void word_scan(struct scan *s)
{
    do {
        byte_add(s, *s->at++);
    } while (s->at < s->end && !is_one_of(*s->at, WORD_END) && s->token == TOKEN_TEXT);
}

static void token_scan(struct scan *s)
{
    char byte = *s->at;
    if (is_one_of(byte, "\"'")) {
        text_scan(s);
    } else if (is_one_of(byte, RESERVED)) {
        scan_fail(s, s->line, "'%c' must be inside quotes%s", byte,
                  byte == ';' ? "; a line needs none at its end" : "");
    } else if (is_one_of(byte, SIGNS)) {
        s->token = (unsigned char)byte;
        byte_add(s, *s->at++);
    } else {
        word_scan(s);
    }
}

void scan_next(struct scan *s)
{
    if (s->token == TOKEN_FAULT) return;
    s->token = TOKEN_TEXT;
    blanks_skip(s);
    if (s->token == TOKEN_FAULT) return;
    if (s->at == s->end)
        s->token = TOKEN_END;
    else
        token_scan(s);
    if (s->token == TOKEN_FAULT) return;
    s->text = keep_end(s->keep);
}

void scan_begin(struct scan *s, const char *bytes, size_t length, struct obstack *keep)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* some editors write it before UTF-8 */
    *s = (struct scan){.at = bytes, .end = bytes + length, .keep = keep, .line = 1};
    if (length >= 3 && memcmp(bytes, mark, 3) == 0) s->at += 3;
    scan_next(s);
}
