/*
 * Reads a file, and changes its text so that libconfuse reads what the operator meant.
 *
 * libconfuse counts one line too many for a C comment, accepts comments only between options, drops
 * characters that it does not know, takes the end of the file as the end of any block, and, after a
 * text that is not closed, reads the next file as part of that text. So this file removes comments
 * but keeps their line ends. Texts, comments and braces must be closed, and variables must be set.
 * Characters that libconfuse would drop are refused. What the words mean is not checked here.
 */

#include "config/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the file -------------------------------------------------------------------------------- */

/* Reads up to one byte more than allowed, to notice a file that is too large. */
static const char *source_read_open(int fd, struct source_file *file)
{
    struct stat status;
    if (fstat(fd, &status) < 0) return strerror(errno);
    if (!S_ISREG(status.st_mode))
        return S_ISDIR(status.st_mode) ? strerror(EISDIR) : "Not a regular file";
    file->device = status.st_dev;
    file->inode = status.st_ino;
    file->bytes = malloc(SOURCE_BYTES_MAX + 1);
    if (!file->bytes) return strerror(ENOMEM);
    for (ssize_t got = 1; got > 0 && file->length <= SOURCE_BYTES_MAX;) {
        got = read(fd, file->bytes + file->length, SOURCE_BYTES_MAX + 1 - file->length);
        if (got < 0) return strerror(errno);
        file->length += (size_t)got;
    }
    return file->length > SOURCE_BYTES_MAX ? "Larger than 1 MiB" : NULL;
}

const char *source_read(const char *path, struct source_file *file)
{
    *file = (struct source_file){0};
    /* A FIFO without a writer must not keep the server from starting. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return strerror(errno);
    const char *why = source_read_open(fd, file);
    close(fd);
    if (why) {
        free(file->bytes);
        file->bytes = NULL;
    }
    return why;
}

/* ---- the text -------------------------------------------------------------------------------- */

struct cleaning {
    const char *in;
    size_t length, offset;
    char *out;
    size_t out_length;
    int line;
    int brace_line[SOURCE_DEPTH_MAX];
    int depth;
    bool call; /* inside the parentheses of include("…") */
    const char *fault;
    int fault_line;
    char variable[SOURCE_VARIABLE_MAX];
};

static void clean_fault(struct cleaning *c, const char *fault, int line)
{
    if (!c->fault) {
        c->fault = fault;
        c->fault_line = line;
    }
}

/*
 * Returns the byte `ahead` after the next one, or NUL after the end. A NUL in the text is a fault.
 */
static char clean_peek(const struct cleaning *c, size_t ahead)
{
    return ahead < c->length - c->offset ? c->in[c->offset + ahead] : '\0';
}

static bool clean_is_over(const struct cleaning *c)
{
    return c->fault || c->offset == c->length;
}

static void clean_emit(struct cleaning *c, char byte)
{
    c->out[c->out_length++] = byte;
}

static void clean_copy(struct cleaning *c)
{
    char byte = c->in[c->offset++];
    if (byte == '\n') c->line++;
    if (((unsigned char)byte < ' ' && !strchr("\t\r\n", byte)) || byte == '\0' || byte == '\177')
        clean_fault(c, "control characters are not allowed", c->line);
    clean_emit(c, byte == '\r' || byte == '\t' ? ' ' : byte);
}

/* Returns the length of the output without the blanks and line ends at its end. */
static size_t clean_significant(const struct cleaning *c)
{
    size_t length = c->out_length;
    while (length > 0 && strchr(" \n", c->out[length - 1]))
        length--;
    return length;
}

static void clean_line_comment(struct cleaning *c)
{
    while (!clean_is_over(c) && clean_peek(c, 0) != '\n')
        c->offset++;
}

static void clean_block_comment(struct cleaning *c)
{
    int line = c->line;
    c->offset += 2;
    clean_emit(c, ' ');
    while (!(clean_peek(c, 0) == '*' && clean_peek(c, 1) == '/')) {
        if (clean_is_over(c)) {
            clean_fault(c, "this comment is not closed", line);
            return;
        }
        if (clean_peek(c, 0) == '\n') {
            c->line++;
            clean_emit(c, '\n');
        }
        c->offset++;
    }
    c->offset += 2;
}

/* Takes a backslash that quotes the next character. In double quotes, any other one is a fault. */
static void clean_escape(struct cleaning *c, char quote)
{
    bool known = quote == '"' ? clean_peek(c, 1) && strchr("\\\"$", clean_peek(c, 1))
                              : clean_peek(c, 1) == '\\' || clean_peek(c, 1) == '\'';
    if (known)
        clean_copy(c);
    else if (quote == '"')
        clean_fault(c, "only \\\\, \\\" and \\$ may follow a backslash in double quotes", c->line);
}

/*
 * The variable in `text`, NAME or NAME:-DEFAULT, must be set or have a default. libconfuse would
 * use an empty text otherwise, and an empty path may mean another directory.
 */
static void clean_check_variable(struct cleaning *c, const char *text, size_t length)
{
    const char *colon = memchr(text, ':', length);
    bool has_default = colon && colon + 1 < text + length && colon[1] == '-';
    size_t name_length = has_default ? (size_t)(colon - text) : length;
    char *name = malloc(name_length + 1);
    if (!name) {
        clean_fault(c, "not enough memory", c->line);
        return;
    }
    memcpy(name, text, name_length); /* `text` does not end with a NUL */
    name[name_length] = '\0';
    if (!name[0]) {
        clean_fault(c, "'${}' names no variable", c->line);
    } else if (!has_default && !getenv(name)) {
        clean_fault(c, "an environment variable is not set", c->line);
        snprintf(c->variable, sizeof c->variable, "%s", name);
    }
    free(name);
}

/*
 * libconfuse replaces ${NAME} in double quotes, but looks for the } also after the closing quote.
 */
static void clean_variable(struct cleaning *c)
{
    const char *name = c->in + c->offset + 2;
    while (!clean_is_over(c) && clean_peek(c, 0) != '}') {
        if (strchr("\"\n", clean_peek(c, 0))) {
            clean_fault(c, "'${' is not closed by '}'", c->line);
            return;
        }
        clean_copy(c);
    }
    if (!clean_is_over(c)) clean_check_variable(c, name, (size_t)(c->in + c->offset - name));
}

static void clean_text(struct cleaning *c, char quote)
{
    int line = c->line;
    clean_copy(c);
    while (clean_peek(c, 0) != quote) {
        if (clean_is_over(c) || clean_peek(c, 0) == '\n') {
            clean_fault(c, "this text is not closed on its line", line);
            return;
        }
        if (clean_peek(c, 0) == '\\')
            clean_escape(c, quote);
        else if (quote == '"' && clean_peek(c, 0) == '$' && clean_peek(c, 1) == '{')
            clean_variable(c);
        if (clean_is_over(c)) {
            clean_fault(c, "this text is not closed on its line", line);
            return;
        }
        clean_copy(c);
    }
    clean_copy(c);
}

static void clean_open(struct cleaning *c)
{
    if (c->depth == SOURCE_DEPTH_MAX) {
        clean_fault(c, "too many '{' are open", c->line);
        return;
    }
    c->brace_line[c->depth++] = c->line;
    clean_copy(c);
}

/* Adds an empty member to an empty list: libconfuse does not report a list without members. */
static void clean_close(struct cleaning *c)
{
    size_t length = clean_significant(c);
    if (length > 0 && c->out[length - 1] == '{') {
        struct cleaning before = *c;
        before.out_length = length - 1;
        length = clean_significant(&before);
        if (length > 0 && c->out[length - 1] == '=') {
            clean_emit(c, '"');
            clean_emit(c, '"');
        }
    }
    if (c->depth > 0) c->depth--;
    clean_copy(c);
}

/* Turns include("x") into include = "x": libconfuse's own include leaks memory after a mistake. */
static void clean_parenthesis(struct cleaning *c)
{
    static const char word[] = "include";
    size_t length = clean_significant(c);
    size_t before = length - (sizeof word - 1);
    bool opens = clean_peek(c, 0) == '(' && length >= sizeof word - 1 &&
                 memcmp(c->out + before, word, sizeof word - 1) == 0 &&
                 (before == 0 || strchr(" \n{}", c->out[before - 1]));
    bool closes = clean_peek(c, 0) == ')' && c->call;
    if (opens == closes) {
        clean_fault(c, "parentheses outside of quotes are only for include(\"FILE\")", c->line);
        return;
    }
    c->call = opens;
    c->offset++;
    clean_emit(c, opens ? '=' : ' ');
}

static void clean_plain(struct cleaning *c)
{
    bool in_word = c->out_length > 0 && !strchr(" \n={},", c->out[c->out_length - 1]);
    bool slash = clean_peek(c, 0) == '/' && !in_word;
    if (slash && clean_peek(c, 1) == '/')
        clean_line_comment(c);
    else if (slash && clean_peek(c, 1) == '*')
        clean_block_comment(c);
    else
        clean_copy(c);
}

static void clean_next(struct cleaning *c)
{
    switch (clean_peek(c, 0)) {
    case '#': clean_line_comment(c); break;
    case '"':
    case '\'': clean_text(c, clean_peek(c, 0)); break;
    case '{': clean_open(c); break;
    case '}': clean_close(c); break;
    case '(':
    case ')': clean_parenthesis(c); break;
    case ';':
        clean_fault(c, "';' must be inside quotes; a line needs none at its end", c->line);
        break;
    case '+': clean_fault(c, "'+' must be inside quotes", c->line); break;
    case '*': clean_fault(c, "'*' must be inside quotes", c->line); break;
    case '$': clean_fault(c, "'$' must be inside quotes", c->line); break;
    case '|': clean_fault(c, "'|' must be inside quotes", c->line); break;
    default: clean_plain(c); break;
    }
}

/* Keeps the lines before a fault: they may have problems too. */
static void clean_finish(struct cleaning *c)
{
    while (c->fault && c->out_length > 0 && c->out[c->out_length - 1] != '\n')
        c->out_length--;
    if (c->depth > 0) clean_fault(c, "this '{' is not closed", c->brace_line[c->depth - 1]);
    if (c->call) clean_fault(c, "a parenthesis is not closed", c->line);
    c->out[c->out_length] = '\0';
}

struct source source_clean(const char *bytes, size_t length)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* some editors write it before UTF-8 */
    struct cleaning c = {.in = bytes, .length = length, .line = 1};
    if (length >= 3 && memcmp(bytes, mark, 3) == 0) c.offset = 3;
    c.out = malloc(2 * length + 1);
    if (!c.out) return (struct source){.fault = "not enough memory"};
    while (!clean_is_over(&c))
        clean_next(&c);
    clean_finish(&c);
    struct source source = {.text = c.out, .fault = c.fault, .line = c.fault_line};
    memcpy(source.variable, c.variable, sizeof source.variable);
    return source;
}
