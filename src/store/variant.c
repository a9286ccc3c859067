/*
 * Makes variants. One allocation holds the struct, the prepared head and the content, so that a
 * response from memory reads memory that lies together.
 *
 *      | struct variant | prepared head | content |
 *
 * Small files are read and never mapped: reading a mapped file that was truncated raises SIGBUS.
 */
#include "variant.h"
#include "account.h"
#include "etag.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t variant_bytes(const struct file *file, enum coding coding, bool with_content)
{
    uint64_t content = with_content ? file->identity[coding].size : 0;
    size_t head = sizeof(struct variant) + PREPARED_HEAD_MAX;
    return account_bytes(head + content);
}

/* Returns the representation without content, entity-tag and head. */
static struct representation describe(const struct file *file, enum coding coding,
                                      const struct now *now)
{
    const struct identity *identity = &file->identity[coding];
    int64_t modified;
    bool dated = identity_dates_in_ns(identity, now, &modified) == 0;
    return (struct representation){
        .fd = -1,
        .length = identity->size,
        .modified_seconds = dated ? modified : MODIFIED_UNKNOWN,
        .coding = coding == CODING_IDENTITY ? file->own_coding : coding,
        .varies = file->varies,
        .media_type = file->media_type,
        .version = identity_hash(identity),
    };
}

/*
 * Makes a variant with room for its head and `content_bytes`. The length of the head is known
 * before the content is: all entity-tags of a kind have the same length.
 */
static struct variant *variant_new(struct representation representation, size_t content_bytes)
{
    char head[PREPARED_HEAD_MAX];
    size_t head_length = representation_prepare_head(&representation, head, sizeof(head));
    assert(head_length > 0);
    size_t head_room = sizeof(struct variant) + head_length;
    size_t size = head_room + content_bytes;
    struct variant *variant = malloc(size);
    if (!variant) return NULL;
    *variant = (struct variant){.representation = representation, .bytes = account_bytes(size)};
    variant->representation.prepared_head.base = (char *)(variant + 1);
    if (content_bytes > 0) variant->representation.content = (char *)variant + head_room;
    return variant;
}

/* Sets the final entity-tag, and writes the head. */
static void variant_finish(struct variant *variant, const char *etag, size_t length)
{
    struct representation *representation = &variant->representation;
    memcpy(variant->etag, etag, length);
    representation->etag = (struct text){variant->etag, length};
    size_t written = representation_prepare_head(representation, (char *)(variant + 1),
                                                 representation->prepared_head.length);
    assert(written == representation->prepared_head.length);
}

/*
 * Reads `length` bytes. Returns 0, -ESTALE when there are fewer, or -errno. The caller compares the
 * file afterwards, which shows whether there were more.
 */
static int read_all(int fd, char *space, uint64_t length)
{
    uint64_t offset = 0;
    while (offset < length) {
        ssize_t n = pread(fd, space + offset, length - offset, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? -errno : -ESTALE;
        offset += (uint64_t)n;
    }
    return 0;
}

/* Checks that the file has not changed since `before`. Returns 0, -ESTALE or -errno. */
static int compare_open(int fd, const struct identity *before)
{
    struct identity after;
    int result = identity_read(fd, "", &after);
    if (result < 0) return result;
    return identity_equals(before, &after) ? 0 : -ESTALE;
}

/* When the file has changed, `result` means nothing, and -ESTALE is returned. */
static int compare_read(int fd, const struct identity *before, int result)
{
    int same = compare_open(fd, before);
    return same < 0 ? same : result;
}

int variant_read(const struct file *file, enum coding coding, int fd, const struct now *now,
                 struct variant **variant)
{
    char etag[ETAG_MAX];
    struct representation representation = describe(file, coding, now);
    size_t length = (size_t)representation.length;
    representation.etag = (struct text){etag, etag_of_content("", 0, coding, etag)};
    representation.source = SOURCE_MEMORY;
    struct variant *made = variant_new(representation, length > 0 ? length : 1);
    if (!made) return -ENOMEM;
    made->coding = coding;
    char *content = (char *)made + (made->representation.content - (char *)made);
    int result = read_all(fd, content, length);
    result = compare_read(fd, &file->identity[coding], result);
    if (result < 0) {
        free(made);
        return result;
    }
    variant_finish(made, etag, etag_of_content(content, length, coding, etag));
    *variant = made;
    return 0;
}

struct variant *variant_coded(const struct representation *from, enum coding coding,
                              struct text content)
{
    char etag[ETAG_MAX];
    size_t etag_length = etag_of_content(content.base, content.length, coding, etag);
    struct representation representation = *from;
    representation.length = content.length;
    representation.coding = coding;
    representation.etag = (struct text){etag, etag_length};
    struct variant *made = variant_new(representation, content.length);
    if (!made) return NULL;
    made->coding = coding;
    char *space = (char *)made + (made->representation.content - (char *)made);
    memcpy(space, content.base, content.length);
    variant_finish(made, etag, etag_length);
    return made;
}

/* Writes the entity-tag. Returns its length, 0 for none, or -errno. */
static int tag_open(const struct identity *identity, enum coding coding, int fd,
                    enum tagging tagging, const struct now *now, char etag[ETAG_MAX])
{
    int length = 0;
    switch (tagging) {
    case TAG_OF_CONTENT: {
        length = etag_of_file(fd, identity->size, coding, etag);
        return compare_read(fd, identity, length);
    }
    case TAG_OF_IDENTITY:
        if (identity_is_settled(identity, now))
            length = (int)etag_of_identity(identity, coding, etag);
        break;
    case TAG_NONE: break;
    }
    return length;
}

int variant_keep_open(const struct file *file, enum coding coding, int fd, enum tagging tagging,
                      const struct now *now, struct variant **variant)
{
    char etag[ETAG_MAX];
    int etag_length = tag_open(&file->identity[coding], coding, fd, tagging, now, etag);
    if (etag_length < 0) return etag_length;
    struct representation representation = describe(file, coding, now);
    representation.etag = (struct text){etag, (size_t)etag_length};
    representation.source = SOURCE_PAGE_CACHE;
    if (tagging == TAG_NONE) representation.modified_seconds = MODIFIED_UNKNOWN;
    struct variant *made = variant_new(representation, 0);
    if (!made) return -ENOMEM;
    made->coding = coding;
    made->representation.fd = fd;
    variant_finish(made, etag, (size_t)etag_length);
    *variant = made;
    return 0;
}

void variant_free(struct variant *variant)
{
    assert(variant->seat.loans == 0);
    if (variant->representation.fd >= 0) close(variant->representation.fd);
    free(variant);
}

struct variant *variant_of_seat(struct seat *seat)
{
    return (struct variant *)((char *)seat - offsetof(struct variant, seat));
}

struct variant *variant_of_representation(const struct representation *representation)
{
    return (struct variant *)(uintptr_t)representation;
}
