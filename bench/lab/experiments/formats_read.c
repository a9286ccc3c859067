/*
 * Experiment 10: reading the table. Text is parsed as a program would do it: jansson for JSON, strtod for
 * CSV.
 */
#include "formats.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

/* A file that is unpacked while it is read. */
struct source {
    int fd;
    gzFile gzip;
    ZSTD_DCtx *zstd;
    char *packed; /* of zstd */
    ZSTD_inBuffer in;
};

struct reader {
    const struct form *form;
    bool one_column;
    struct source source[TABLE_FIELDS];
    unsigned sources;
    char *piece; /* bytes that were read and not used yet are from `at` to `end` */
    size_t at, end;
};

static int source_open(struct source *s, const char *path, const char *packing)
{
    s->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0) return -errno;
    if (!strcmp(packing, "gzip")) {
        s->gzip = gzdopen(s->fd, "rb"); /* gzip now owns the descriptor */
        if (!s->gzip) return -ENOMEM;
        s->fd = -1;
        gzbuffer(s->gzip, PIECE);
    }
    if (!strcmp(packing, "zstd")) {
        s->zstd = ZSTD_createDCtx();
        s->packed = malloc(PIECE);
        if (!s->zstd || !s->packed) return -ENOMEM;
    }
    return 0;
}

static void source_close(struct source *s)
{
    if (s->gzip) gzclose(s->gzip);
    if (s->fd >= 0) close(s->fd);
    ZSTD_freeDCtx(s->zstd);
    free(s->packed);
}

static ssize_t zstd_read(struct source *s, char *into, size_t bytes)
{
    ZSTD_outBuffer out = {into, bytes, 0};
    while (out.pos == 0) {
        if (s->in.pos == s->in.size) {
            ssize_t got = read(s->fd, s->packed, PIECE);
            if (got <= 0) return got < 0 ? -errno : 0;
            s->in = (ZSTD_inBuffer){s->packed, (size_t)got, 0};
        }
        if (ZSTD_isError(ZSTD_decompressStream(s->zstd, &out, &s->in))) return -EBADMSG;
    }
    return (ssize_t)out.pos;
}

/* Reads as many bytes as are wanted; fewer only at the end of the file. Returns how many, or -errno. */
static ssize_t source_read(struct source *s, char *into, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        ssize_t got = s->zstd   ? zstd_read(s, into + done, bytes - done)
                      : s->gzip ? gzread(s->gzip, into + done, (unsigned)(bytes - done))
                                : read(s->fd, into + done, bytes - done);
        if (got < 0) return s->gzip ? -EBADMSG : s->zstd ? got : -errno;
        if (got == 0) break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

struct reader *reader_open(const struct form *form, bool one_column, int *result)
{
    char path[TABLE_FIELDS][340];
    struct reader *r = calloc(1, sizeof *r);
    *result = -ENOMEM;
    if (!r) return NULL;
    r->form = form;
    r->one_column = one_column;
    r->sources = form_files(form, one_column, path);
    r->piece = malloc(sizeof(struct sale) * TABLE_BATCH + PIECE + 1);
    *result = r->piece ? 0 : -ENOMEM;
    for (unsigned i = 0; i < r->sources; i++)
        r->source[i].fd = -1;
    for (unsigned i = 0; i < r->sources && *result == 0; i++)
        *result = source_open(&r->source[i], path[i], form->packing);
    return r;
}

void reader_close(struct reader *r)
{
    for (unsigned i = 0; r && i < r->sources; i++)
        source_close(&r->source[i]);
    if (r) free(r->piece);
    free(r);
}

/*
 * Returns the next line, with a 0 in place of its end; NULL at the end of the file, or when it cannot be
 * read.
 */
static char *line_next(struct reader *r, int *result)
{
    char *end = memchr(r->piece + r->at, '\n', r->end - r->at);
    if (!end) {
        memmove(r->piece, r->piece + r->at, r->end - r->at);
        r->end -= r->at;
        r->at = 0;
        ssize_t got = source_read(&r->source[0], r->piece + r->end, PIECE);
        if (got < 0) *result = (int)got;
        if (got > 0) r->end += (size_t)got;
        end = memchr(r->piece, '\n', r->end);
    }
    if (!end) return NULL;
    char *line = r->piece + r->at;
    *end = '\0';
    r->at = (size_t)(end + 1 - r->piece);
    return line;
}

static int csv_parse(char *line, bool one_column, struct sale *sale)
{
    char *at = line;
    if (one_column) {
        at = strchr(at, ',');
        at = at ? strchr(at + 1, ',') : NULL;
        if (!at) return -EBADMSG;
        sale->price = strtod(at + 1, NULL);
        return 0;
    }
    sale->id = (uint32_t)strtoul(at, &at, 10);
    if (*at++ != ',') return -EBADMSG;
    sale->customer = (uint32_t)strtoul(at, &at, 10);
    if (*at++ != ',') return -EBADMSG;
    sale->price = strtod(at, &at);
    if (*at++ != ',') return -EBADMSG;
    sale->quantity = (uint32_t)strtoul(at, &at, 10);
    if (*at++ != ',') return -EBADMSG;
    sale->day = (uint32_t)strtoul(at, &at, 10);
    if (*at++ != ',') return -EBADMSG;
    strncpy(sale->note, at, sizeof sale->note - 1);
    return 0;
}

static int json_parse(const char *line, struct sale *sale)
{
    const char *note;
    int id, customer, quantity, day;
    json_t *object = json_loads(line, 0, NULL);
    if (!object) return -EBADMSG;
    int bad = json_unpack(object, "{s:i,s:i,s:F,s:i,s:i,s:s}", "id", &id, "customer", &customer,
                          "price", &sale->price, "quantity", &quantity, "day", &day, "note", &note);
    if (!bad) {
        sale->id = (uint32_t)id;
        sale->customer = (uint32_t)customer;
        sale->quantity = (uint32_t)quantity;
        sale->day = (uint32_t)day;
        strncpy(sale->note, note, sizeof sale->note - 1);
    }
    json_decref(object);
    return bad ? -EBADMSG : 0;
}

static int line_parse(const struct reader *r, char *line, struct sale *sale)
{
    return form_is(r->form, "csv") ? csv_parse(line, r->one_column, sale) : json_parse(line, sale);
}

static int64_t text_batch(struct reader *r, int64_t *sum)
{
    int64_t rows = 0;
    int result = 0;
    for (char *line; rows < TABLE_BATCH && (line = line_next(r, &result)); rows++) {
        struct sale sale = {0};
        result = line_parse(r, line, &sale);
        if (result < 0) break;
        *sum += sale_sum(&sale, r->one_column);
    }
    return result < 0 ? result : rows;
}

static int64_t rows_batch(struct reader *r, int64_t *sum)
{
    ssize_t got = source_read(&r->source[0], r->piece, sizeof(struct sale) * TABLE_BATCH);
    if (got < 0) return got;
    const struct sale *sale = (const struct sale *)(const void *)r->piece;
    int64_t rows = got / (ssize_t)sizeof *sale;
    for (int64_t i = 0; i < rows; i++)
        *sum += sale_sum(&sale[i], r->one_column);
    return rows;
}

/* Reads one column after the other, each into an array. */
static int64_t columns_batch(struct reader *r, int64_t *sum)
{
    int64_t rows = 0;
    for (unsigned i = 0; i < r->sources; i++) {
        unsigned field = r->one_column ? PRICE : i;
        ssize_t got = source_read(&r->source[i], r->piece, table_field_bytes[field] * TABLE_BATCH);
        if (got < 0) return got;
        rows = got / (ssize_t)table_field_bytes[field];
        const double *price = (const double *)(const void *)r->piece;
        const uint32_t *whole = (const uint32_t *)(const void *)r->piece;
        for (int64_t k = 0; k < rows; k++)
            *sum += field == PRICE  ? llround(price[k] * 100)
                    : field == NOTE ? (int64_t)r->piece[(size_t)k * table_field_bytes[field]]
                                    : (int64_t)whole[k];
    }
    return rows;
}

int64_t reader_batch(struct reader *r, int64_t *sum)
{
    return form_is(r->form, "rows")      ? rows_batch(r, sum)
           : form_is(r->form, "columns") ? columns_batch(r, sum)
                                         : text_batch(r, sum);
}

/* ---- one row ----------------------------------------------------------------------------------- */

/* Not packed and of fixed length: one pread for the row, or one for each of its columns. */
static int row_at_place(const struct form *form, uint64_t row, struct sale *sale)
{
    char path[TABLE_FIELDS][340];
    bool columns = form_is(form, "columns");
    unsigned files = form_files(form, false, path);
    int result = 0;
    for (unsigned f = 0; f < files && result == 0; f++) {
        size_t bytes = columns ? table_field_bytes[f] : sizeof *sale;
        char *into = (char *)sale + (columns ? table_field_at[f] : 0);
        int fd = open(path[f], O_RDONLY | O_CLOEXEC);
        if (fd < 0) return -errno;
        ssize_t got = pread(fd, into, bytes, (off_t)(row * bytes));
        result = got == (ssize_t)bytes ? 0 : got < 0 ? -errno : -EBADMSG;
        close(fd);
    }
    return result;
}

/* Reads everything before the row. Lines are counted, and only the last one is parsed. */
static int row_by_reading(const struct form *form, uint64_t row, struct sale *sale)
{
    int result;
    int64_t sum = 0, got = 1;
    struct reader *r = reader_open(form, false, &result);
    bool binary = form_is(form, "rows") || form_is(form, "columns");
    char *line = NULL;
    for (uint64_t at = 0; !binary && result == 0 && at <= row; at++)
        if (!(line = line_next(r, &result)) && result == 0) result = -EBADMSG;
    if (!binary && result == 0) result = line_parse(r, line, sale);
    for (uint64_t at = 0; binary && result == 0 && at <= row; at += TABLE_BATCH)
        if ((got = reader_batch(r, &sum)) <= 0) result = got < 0 ? (int)got : -EBADMSG;
    if (binary && result == 0) *sale = sale_of(row); /* it was in the last batch */
    reader_close(r);
    return result;
}

int form_row(const struct form *form, uint64_t row)
{
    struct sale sale = {0}, wanted = sale_of(row);
    bool direct =
        !strcmp(form->packing, "plain") && (form_is(form, "rows") || form_is(form, "columns"));
    int result = direct ? row_at_place(form, row, &sale) : row_by_reading(form, row, &sale);
    if (result == 0 && sale_sum(&sale, false) != sale_sum(&wanted, false)) result = -EBADMSG;
    return result;
}
