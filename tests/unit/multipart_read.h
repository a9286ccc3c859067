/*
 * Reads multipart/byteranges (RFC 2046 §5.1.1, RFC 9110 §14.6). It is strict, and shares no code with the writer.
 */
#ifndef MULTIPART_READ_H
#define MULTIPART_READ_H

#include "zcserve/text.h"

#include <stdint.h>
#include <string.h>

struct read_part {
    struct text head; /* its field lines, each with CRLF */
    uint64_t first, last, complete;
    struct text content; /* `last - first + 1` bytes */
};

static inline struct text text_from(struct text text, size_t offset)
{
    return (struct text){text.base + offset, text.length - offset};
}

/* Takes `literal` from the front of `text`. Returns false when something else is there. */
static inline bool literal_take(struct text *text, struct text literal)
{
    if (text->length < literal.length || memcmp(text->base, literal.base, literal.length) != 0)
        return false;
    *text = text_from(*text, literal.length);
    return true;
}

/* Takes what is before the next `literal`, and the literal. Returns false when there is none. */
static inline bool until_take(struct text *text, struct text literal, struct text *before)
{
    const char *at = memmem(text->base, text->length, literal.base, literal.length);
    if (!at) return false;
    *before = (struct text){text->base, (size_t)(at - text->base)};
    *text = text_from(*text, before->length + literal.length);
    return true;
}

static inline bool digits_take(struct text *text, uint64_t *number)
{
    size_t count = 0;
    for (*number = 0; count < text->length; count++) {
        char c = text->base[count];
        if (c < '0' || c > '9') break;
        *number = *number * 10 + (uint64_t)(c - '0');
    }
    *text = text_from(*text, count);
    return count > 0;
}

/* Reads the Content-Range in the head of a part. Returns false when there is not exactly one, or it is wrong. */
static inline bool content_range_read(struct read_part *part)
{
    const struct text name = TEXT("Content-Range: bytes ");
    struct text head = part->head, before;
    if (!until_take(&head, name, &before)) return false;
    return digits_take(&head, &part->first) && literal_take(&head, TEXT("-")) &&
           digits_take(&head, &part->last) && literal_take(&head, TEXT("/")) &&
           digits_take(&head, &part->complete) && literal_take(&head, TEXT("\r\n")) &&
           !until_take(&head, name, &before) && part->first <= part->last &&
           part->last < part->complete && part->content.length == part->last - part->first + 1;
}

/* Puts the parts of `content` into `part`. Returns how many; -1 when it is malformed or has more than `most`. */
static inline int multipart_read(struct text content, struct text boundary, struct read_part *part,
                                 int most)
{
    char line[100] = "\r\n--";
    int count = 0;
    if (boundary.length == 0 || boundary.length > 70) return -1;
    memcpy(line + 4, boundary.base, boundary.length);
    struct text delimiter = {line, boundary.length + 4};
    if (!literal_take(&content, text_from(delimiter, 2))) return -1;
    while (literal_take(&content, TEXT("\r\n"))) {
        if (count == most) return -1;
        if (!until_take(&content, TEXT("\r\n\r\n"), &part[count].head)) return -1;
        part[count].head.length += 2;
        if (!until_take(&content, delimiter, &part[count].content)) return -1;
        if (!content_range_read(&part[count++])) return -1;
    }
    return literal_take(&content, TEXT("--\r\n")) && content.length == 0 ? count : -1;
}

#endif
