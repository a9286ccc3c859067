/*
 * Reads tables of media types in the two usual formats; the first word tells which one it is:
 *
 *     types {                              # Apache's: one line for each type
 *         text/html  html htm shtml;       text/html  html htm shtml
 *         text/css   css;                  text/css   css
 *     }
 *
 * Reading ends at the first wrong word, whose line is reported; nothing is skipped silently. A type
 * with parameters must be in quotes if it has blanks or, in nginx's format, a ";".
 */
#include "table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct reader {
    const char *file;
    struct text rest;
    unsigned line;
    bool braces;  /* nginx's format: a type ends with ";", not with its line */
    size_t ahead; /* bytes of the word that was read last, with its quotes   */
    char *problem;
    size_t size;
};

static bool reader_fail(const struct reader *reader, const char *what, struct text word)
{
    snprintf(reader->problem, reader->size, "%s:%u: %s '%.*s'", reader->file, reader->line, what,
             (int)(word.length < 64 ? word.length : 64), word.base);
    return false;
}

static void reader_skip(struct reader *reader, size_t length)
{
    for (; length > 0; length--) {
        reader->line += *reader->rest.base == '\n';
        reader->rest.base++;
        reader->rest.length--;
    }
}

static bool is_one_of(char c, const char *set)
{
    while (*set != '\0' && *set != c)
        set++;
    return *set != '\0';
}

/* Returns the length of blanks and comments here, and, if `lines`, of line ends. */
static size_t gap_length(const struct reader *reader, bool lines)
{
    struct text rest = reader->rest;
    size_t length = 0;
    bool comment = false;
    for (; length < rest.length; length++) {
        char c = rest.base[length];
        if (c == '\n' && !lines) break;
        comment = (comment || c == '#') && c != '\n';
        if (!comment && !is_one_of(c, " \t\r\n")) break;
    }
    return length;
}

/* Returns whether this byte ends a word that is not in quotes. */
static bool is_word_end(const struct reader *reader, char c)
{
    return is_one_of(c, " \t\r\n") || (reader->braces && is_one_of(c, ";{}"));
}

/*
 * Returns the quoted word that `rest` begins with, without quotes; if not closed, with its quote.
 */
static struct text quoted_word(struct reader *reader, struct text rest)
{
    char quote = rest.base[0];
    size_t length = 1;
    while (length < rest.length && rest.base[length] != quote && rest.base[length] != '\n')
        length++;
    bool closed = length < rest.length && rest.base[length] == quote;
    reader->ahead = closed ? length + 1 : length;
    return closed ? (struct text){rest.base + 1, length - 1} : (struct text){rest.base, length};
}

/*
 * Returns the next word, which may also be a line end (unless `lines`: then they are skipped), or
 * ";", "{" or "}" in nginx's format. Absent at the end of the file. reader_take() moves behind it.
 */
static struct text reader_word(struct reader *reader, bool lines)
{
    reader_skip(reader, gap_length(reader, lines));
    struct text word = {reader->rest.base, 0};
    if (reader->rest.length == 0) return (struct text){NULL, 0};
    if (is_one_of(*word.base, "\"'")) return quoted_word(reader, reader->rest);
    while (word.length < reader->rest.length && !is_word_end(reader, word.base[word.length]))
        word.length++;
    if (word.length == 0) word.length = 1;
    reader->ahead = word.length;
    return word;
}

/* Moves behind the word that was read last. */
static void reader_take(struct reader *reader)
{
    reader_skip(reader, reader->ahead);
}

static bool word_is(struct text word, const char *mark)
{
    return word.base && word.length == strlen(mark) && memcmp(word.base, mark, word.length) == 0;
}

/* Reports an addition that failed. `what` describes the word in the message for -EINVAL. */
static bool added(struct reader *reader, int result, const char *what, struct text word)
{
    switch (result) {
    case -ENOSPC: return reader_fail(reader, "too many types or suffixes at", word);
    case -ENOMEM: return reader_fail(reader, "out of memory at", word);
    case -EINVAL: return reader_fail(reader, what, word);
    default: return true;
    }
}

/* Reads the suffixes of one type, up to its ";" or the end of its line. */
static bool read_suffixes(struct reader *reader, struct media_types *types, struct text media_type,
                          int type)
{
    for (;;) {
        struct text word = reader_word(reader, reader->braces);
        if (!word.base && !reader->braces) return true;
        if (!word.base) return reader_fail(reader, "no ';' after", media_type);
        if (reader->braces && (word_is(word, "{") || word_is(word, "}")))
            return reader_fail(reader, "no ';' after", media_type);
        if (!word_is(word, reader->braces ? ";" : "\n") &&
            !added(reader, media_types_add_suffix(types, word, type), "not a suffix:", word))
            return false;
        reader_take(reader);
        if (word_is(word, reader->braces ? ";" : "\n")) return true;
    }
}

static bool read_opening(struct reader *reader)
{
    static const struct text mark = {"\xef\xbb\xbf", 3};
    if (reader->rest.length >= mark.length &&
        memcmp(reader->rest.base, mark.base, mark.length) == 0)
        reader_skip(reader, mark.length);
    reader->braces = true; /* so that "types{" is read as two words */
    struct text word = reader_word(reader, true);
    reader->braces = word_is(word, "types");
    if (!reader->braces) return true;
    reader_take(reader);
    word = reader_word(reader, true);
    if (!word_is(word, "{")) return reader_fail(reader, "no '{' after", TEXT("types"));
    reader_take(reader);
    return true;
}

static bool read_closing(struct reader *reader)
{
    struct text word = reader_word(reader, true);
    if (word.base) return reader_fail(reader, "unexpected after '}':", word);
    return true;
}

bool media_types_parse(struct media_types *types, const char *file, struct text text, char *problem,
                       size_t size)
{
    struct reader reader = {
        .file = file, .rest = text, .line = 1, .problem = problem, .size = size};
    if (!read_opening(&reader)) return false;
    for (;;) {
        struct text word = reader_word(&reader, true);
        if (!word.base && !reader.braces) return true;
        if (!word.base) return reader_fail(&reader, "no '}' after", TEXT("types {"));
        if (reader.braces && word_is(word, "}")) {
            reader_take(&reader);
            return read_closing(&reader);
        }
        int type = media_types_add_type(types, word);
        if (!added(&reader, type, "not a media type:", word)) return false;
        reader_take(&reader);
        if (!read_suffixes(&reader, types, word, type)) return false;
    }
}

/* Reads the whole file into `space`. Returns its length, or -errno. */
static long read_whole(const char *file, char *space, size_t size)
{
    FILE *stream = fopen(file, "re");
    if (!stream) return -errno;
    size_t length = fread(space, 1, size, stream);
    int error = ferror(stream) ? errno : 0;
    if (length == size) error = EFBIG;
    fclose(stream);
    return error != 0 ? -error : (long)length;
}

static struct media_types *load_into(char *space, const char *file, char *problem, size_t size)
{
    long length = read_whole(file, space, MEDIA_FILE_MAX);
    if (length < 0) {
        snprintf(problem, size, "%s: %s", file, strerror((int)-length));
        return NULL;
    }
    struct media_types *types = media_types_new();
    if (!types) {
        snprintf(problem, size, "%s: out of memory", file);
        return NULL;
    }
    if (!media_types_parse(types, file, (struct text){space, (size_t)length}, problem, size)) {
        media_types_free(types);
        return NULL;
    }
    return types;
}

struct media_types *media_types_load(const char *file, char *problem, size_t size)
{
    char *space = malloc(MEDIA_FILE_MAX);
    if (!space) {
        snprintf(problem, size, "%s: out of memory", file);
        return NULL;
    }
    struct media_types *types = load_into(space, file, problem, size);
    free(space);
    return types;
}
