/* Experiment 10: the table, and writing it in its formats. Every row follows from its number. */
#include "formats.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { LINE_MOST = 200, GZIP_LEVEL = 6, ZSTD_LEVEL = 3 };

const char *const table_field[TABLE_FIELDS] = {"id",       "customer", "price",
                                               "quantity", "day",      "note"};
const size_t table_field_bytes[TABLE_FIELDS] = {4, 4, 8, 4, 4, 16};
const size_t table_field_at[TABLE_FIELDS] = {
    offsetof(struct sale, id),       offsetof(struct sale, customer), offsetof(struct sale, price),
    offsetof(struct sale, quantity), offsetof(struct sale, day),      offsetof(struct sale, note)};

struct sale sale_of(uint64_t row)
{
    static const char *const word[] = {"returned", "by post",  "in the shop", "gift",
                                       "express",  "second",   "on account",  "by phone",
                                       "discount", "repaired", "exchange",    "paid in cash",
                                       "early",    "late",     "sample",      "none"};
    uint64_t z = (row + 1) * 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    struct sale sale = {.id = (uint32_t)row,
                        .customer = (uint32_t)(z % 10000),
                        .price = (double)((z >> 16) % 100000) / 100,
                        .quantity = 1 + (uint32_t)((z >> 40) % 9),
                        .day = (uint32_t)(row / 100)};
    memcpy(sale.note, word[z >> 60], strlen(word[z >> 60]));
    return sale;
}

int64_t sale_sum(const struct sale *sale, bool one_column)
{
    int64_t cents = llround(sale->price * 100);
    if (one_column) return cents;
    return cents + sale->id + sale->customer + sale->quantity + sale->day + sale->note[0];
}

int64_t table_sum(uint64_t rows, bool one_column)
{
    int64_t sum = 0;
    for (uint64_t row = 0; row < rows; row++) {
        struct sale sale = sale_of(row);
        sum += sale_sum(&sale, one_column);
    }
    return sum;
}

unsigned form_files(const struct form *form, bool one_column, char path[TABLE_FIELDS][340])
{
    unsigned files = 0;
    if (!form_is(form, "columns")) {
        snprintf(path[0], 340, "%s", form->path);
        return 1;
    }
    for (unsigned f = 0; f < TABLE_FIELDS; f++)
        if (!one_column || f == PRICE)
            snprintf(path[files++], 340, "%s/%s", form->path, table_field[f]);
    return files;
}

/* ---- writing ----------------------------------------------------------------------------------- */

/* A file that is packed while it is written, in one of three ways. */
struct sink {
    int fd;
    gzFile gzip;
    ZSTD_CCtx *zstd;
    char *out; /* of zstd */
    int result;
};

static int all_write(int fd, const char *from, size_t bytes)
{
    while (bytes > 0) {
        ssize_t wrote = write(fd, from, bytes);
        if (wrote < 0 && errno == EINTR && !measure_stopped) continue;
        if (wrote <= 0) return wrote < 0 ? -errno : -EIO;
        from += wrote;
        bytes -= (size_t)wrote;
    }
    return 0;
}

static int sink_open(struct sink *sink, const char *path, const char *packing)
{
    *sink = (struct sink){.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (sink->fd < 0) return sink->result = -errno;
    if (!strcmp(packing, "plain")) return 0;
    if (!strcmp(packing, "gzip")) {
        int copy = dup(sink->fd);
        char mode[8];
        snprintf(mode, sizeof mode, "wb%d", GZIP_LEVEL);
        sink->gzip = copy >= 0 ? gzdopen(copy, mode) : NULL;
        if (!sink->gzip && copy >= 0) close(copy);
        return sink->result = sink->gzip ? 0 : -ENOMEM;
    }
    if (strcmp(packing, "zstd") != 0) return sink->result = -ENOTSUP;
    sink->zstd = ZSTD_createCCtx();
    sink->out = malloc(PIECE);
    if (!sink->zstd || !sink->out) return sink->result = -ENOMEM;
    ZSTD_CCtx_setParameter(sink->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    return 0;
}

static int zstd_put(struct sink *sink, const char *from, size_t bytes, bool last)
{
    ZSTD_inBuffer in = {from, bytes, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {sink->out, PIECE, 0};
        left = ZSTD_compressStream2(sink->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left)) return -EIO;
        int result = all_write(sink->fd, sink->out, out.pos);
        if (result < 0) return result;
    } while (last ? left > 0 : in.pos < in.size);
    return 0;
}

static void sink_put(struct sink *sink, const void *from, size_t bytes)
{
    if (sink->result < 0) return;
    if (sink->gzip)
        sink->result = gzwrite(sink->gzip, from, (unsigned)bytes) == (int)bytes ? 0 : -EIO;
    else
        sink->result =
            sink->zstd ? zstd_put(sink, from, bytes, false) : all_write(sink->fd, from, bytes);
}

static int sink_close(struct sink *sink)
{
    if (sink->zstd && sink->result == 0) sink->result = zstd_put(sink, NULL, 0, true);
    if (sink->gzip && gzclose(sink->gzip) != Z_OK && sink->result == 0) sink->result = -EIO;
    ZSTD_freeCCtx(sink->zstd);
    free(sink->out);
    if (sink->fd >= 0 && fdatasync(sink->fd) < 0 && sink->result == 0) sink->result = -errno;
    if (sink->fd >= 0) close(sink->fd);
    return sink->result;
}

/* Writes a row as text: CSV with a point in the price, or a line with a JSON object. */
static size_t row_text(const struct form *form, const struct sale *s, char line[LINE_MOST])
{
    return (size_t)snprintf(line, LINE_MOST,
                            form_is(form, "csv")
                                ? "%u,%u,%.2f,%u,%u,%.16s\n"
                                : "{\"id\":%u,\"customer\":%u,\"price\":%.2f,"
                                  "\"quantity\":%u,\"day\":%u,\"note\":\"%.16s\"}\n",
                            s->id, s->customer, s->price, s->quantity, s->day, s->note);
}

/* Writes one row, or one field of it, as it is in the file. Returns its bytes. */
static size_t row_put(const struct form *form, unsigned field, uint64_t row, char into[LINE_MOST])
{
    struct sale sale = sale_of(row);
    if (form_is(form, "csv") || form_is(form, "jsonl")) return row_text(form, &sale, into);
    bool all = field == TABLE_FIELDS;
    size_t bytes = all ? sizeof sale : table_field_bytes[field];
    memcpy(into, (const char *)&sale + (all ? 0 : table_field_at[field]), bytes);
    return bytes;
}

/* Makes one file of the table; field TABLE_FIELDS means all fields. */
static int file_make(const struct form *form, const char *path, unsigned field)
{
    static char piece[PIECE];
    struct sink sink;
    char part[360];
    size_t used = 0;
    snprintf(part, sizeof part, "%s.part", path);
    sink_open(&sink, part, form->packing);
    for (uint64_t row = 0; row < form->rows && sink.result == 0; row++) {
        used += row_put(form, field, row, piece + used);
        if (used < sizeof piece - LINE_MOST && row < form->rows - 1) continue;
        sink_put(&sink, piece, used);
        used = 0;
        if (measure_stopped) sink.result = -EINTR;
    }
    int result = sink_close(&sink);
    if (result == 0 && rename(part, path) < 0) result = -errno;
    if (result < 0) unlink(part);
    return result;
}

int form_make(const struct form *form)
{
    char path[TABLE_FIELDS][340];
    bool columns = form_is(form, "columns");
    unsigned files = form_files(form, false, path);
    int result = 0;
    if (columns && mkdir(form->path, 0755) < 0 && errno != EEXIST) return -errno;
    for (unsigned f = 0; f < files && result == 0; f++)
        if (access(path[f], R_OK) < 0)
            result = file_make(form, path[f], columns ? f : TABLE_FIELDS);
    return result;
}

double form_row_bytes(const struct form *form, bool one_column)
{
    char line[LINE_MOST];
    double bytes = 0, lines = 0;
    if (form_is(form, "columns") || form_is(form, "parquet"))
        return one_column ? (double)table_field_bytes[PRICE] : (double)sizeof(struct sale);
    if (form_is(form, "rows")) return sizeof(struct sale);
    for (uint64_t row = 0; row < form->rows; row += form->rows / 100 + 1) {
        struct sale sale = sale_of(row);
        bytes += (double)row_text(form, &sale, line);
        lines++;
    }
    return lines > 0 ? bytes / lines : 0;
}
