/*
 * Experiment 10: files and formats.
 *
 * Question.  What do many small files cost, compared with one large file? And what does the same table cost
 *            as text, as binary rows, as columns, packed and not packed?
 *
 * Expected.  A small file is opened, read and closed: that is three system calls and a lookup of its name,
 *            where the same bytes of a large file cost one call. Cold, each file has an inode and a place
 *            of its own on the device, and nothing is read ahead from one file to the next. A name costs a
 *            look into the name cache for each directory above it (Documentation/filesystems/path-lookup),
 *            and, cold, one read or more for each. Text must be parsed, so the CPU limits it. With rows of
 *            fixed length, one pread gives one row. With columns, one column is read without the others
 *            (Stonebraker et al., "C-Store", VLDB 2005). Packed files have fewer bytes to read, and cost
 *            CPU. They are worth it when the CPU unpacks faster than the device reads (zstd unpacks about
 *            four times as fast as gzip: Collet and Kucherawy, RFC 8878). No single row can be found in
 *            them without unpacking what is before it. Parquet packs columns in groups of rows, so it can
 *            do all three (Vohra, "Practical Hadoop Ecosystem", 2016), but only libraries can read the
 *            format.
 *
 * Vary.      --set rows=1m   --set formats=csv,rows   --set packings=plain,zstd   --set depths=1,32   --set
 *            small_files=4k
 *            --set node_modules=DIR: where DIR/node_modules has hyparquet and hyparquet-writer (npm install).
 *
 * Needs.     Any Linux; root for a cold name cache; Node 18 and two packages for Parquet.
 *
 * One operation of a scan is a batch of 4,096 rows; when Node reads, it is the complete answer. MB/s are of
 * the unpacked bytes that are read out of the file. The sum of every pass is compared with the sum that it
 * must give.
 */
#include "formats.h"

#include "../residency.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST = 16 };

static const struct column factors[] = {
    {"sweep", "text", "which question the row belongs to: table, files or names"},
    {"format", "text",
     "csv, jsonl (JSON lines), rows (fixed, binary), columns (binary), parquet; or many-files, "
     "one-file"},
    {"packing", "text", "plain, zstd (level 3), gzip (level 6) or snappy (Parquet's usual one)"},
    {"question", "text",
     "scan (all columns), column (one), row (one, at a random place); read; stat or open"},
    {"directories", "count", "directories above a file"},
    {"cache", "text", "cold or warm: the page cache; of names: the caches of names"},
    {0}};

static const struct column figures[] = {
    {"million_rows_per_s", "count", "millions of rows of the table answered per second"},
    {"size_on_disk_bytes", "bytes", "size on disk of what the question must read"},
    {0}};

static const struct parameter parameters[] = {
    {"rows", "rows of the table, of 40 bytes", "500000", "100000", "4096"},
    {"formats", "of: csv jsonl rows columns parquet", "csv,jsonl,rows,columns,parquet",
     "csv,jsonl,rows,columns,parquet", "csv,jsonl,rows,columns,parquet"},
    {"packings", "of: plain zstd gzip", "plain,zstd,gzip", "plain,zstd,gzip", "plain,zstd"},
    {"parquet_packings", "of: plain snappy gzip zstd (which Node 22 has)", "plain,snappy,gzip",
     "plain,snappy", "plain"},
    {"small_files", "how many small files of 4 KiB", "2048", "512", "64"},
    {"names", "how many names are looked up at each depth", "256", "64", "24"},
    {"depths", "directories above a file", "1,2,4,8,16,32", "1,4,16", "1,4"},
    {"node_modules", "directory that holds node_modules with hyparquet", ".", ".", "."},
    {0}};

static const struct plot plots[] = {
    {"scan-warm", "The whole table, warm: millions of rows per second", "format",
     "million_rows_per_s", "packing", "sweep=table question=scan cache=warm", true, false, false},
    {"scan-cold", "The whole table, cold: millions of rows per second", "format",
     "million_rows_per_s", "packing", "sweep=table question=scan cache=cold", true, false, false},
    {"column-warm", "One column, warm: millions of rows per second", "format", "million_rows_per_s",
     "packing", "sweep=table question=column cache=warm", true, false, false},
    {"column-cold", "One column, cold: millions of rows per second", "format", "million_rows_per_s",
     "packing", "sweep=table question=column cache=cold", true, false, false},
    {"row", "One row, warm: median latency", "format", "median_us", "packing",
     "sweep=table question=row", true, false, false},
    {"size", "Size on disk", "format", "size_on_disk_bytes", "packing",
     "sweep=table question=scan cache=warm", true, false, false},
    {"files", "4 KiB each: many files or one", "format", "mb_per_s", "cache", "sweep=files", true,
     false, false},
    {"names-warm", "A name whose directories are in memory", "directories", "mean_us", "question",
     "sweep=names cache=warm", false, true, false},
    {"names-cold", "A name that must be read from the disk", "directories", "mean_us", "question",
     "sweep=names cache=cold", false, true, false},
    {0}};

/* ---- one measurement of the table -------------------------------------------------------------- */

struct asked {
    struct form form;
    const struct data *place;
    const char *question;
    bool cold, by_node;
    uint64_t seed;
    int64_t wanted; /* the sum that a pass must give */
    double resident, file_bytes;
    struct node node;
    int node_failed;
};

/* Makes the same table as plain CSV, from which Parquet is made. */
static int csv_make(const struct asked *a, char path[300])
{
    struct form csv = a->form;
    csv.format = "csv";
    csv.packing = "plain";
    snprintf(csv.path, sizeof csv.path, "%.240s/table.csv.plain", a->place->path);
    snprintf(path, 300, "%s", csv.path);
    return form_make(&csv);
}

static int node_start(struct asked *a)
{
    char csv[300];
    int result = csv_make(a, csv);
    if (result == 0) a->node_failed = node_open(&a->node, &a->form, csv);
    return result;
}

/* Evicts or reads in each file, and verifies it. */
static int cache_prepare(struct asked *a)
{
    char path[TABLE_FIELDS][340];
    unsigned files = form_files(&a->form, !strcmp(a->question, "column"), path);
    int result = 0;
    a->resident = a->file_bytes = 0;
    for (unsigned f = 0; f < files && result == 0; f++) {
        struct stat status;
        double share = NAN;
        int fd = open(path[f], O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0) return -errno;
        uint64_t bytes = (uint64_t)status.st_size;
        if (a->cold && fdatasync(fd) < 0) result = -errno;
        if (result == 0) result = (a->cold ? residency_evict : residency_warm)(fd, bytes, &share);
        close(fd);
        a->resident += share / files;
        a->file_bytes += (double)bytes;
        if (result == 0 && !(a->cold ? share <= 0.01 : share >= 0.99)) result = -EBUSY;
    }
    return result;
}

static int asked_open(void *context)
{
    struct asked *a = context;
    char real[PATH_MAX];
    a->node = (struct node){.pid = -1, .to = -1, .from = -1};
    a->node_failed = 0;
    if (mkdir(a->place->path, 0755) < 0 && errno != EEXIST) return -errno;
    if (!realpath(a->place->path, real)) return -errno; /* Node may run in another directory */
    snprintf(a->form.path, sizeof a->form.path, "%.240s/table.%s.%s", real, a->form.format,
             a->form.packing);
    int result = a->by_node ? node_start(a) : form_make(&a->form);
    if (result < 0 || a->node_failed < 0) return result;
    a->wanted = table_sum(a->form.rows, !strcmp(a->question, "column"));
    return cache_prepare(a);
}

static void asked_close(void *context)
{
    struct asked *a = context;
    if (a->by_node) node_close(&a->node);
}

static uint64_t random_row(const struct asked *a, uint64_t i)
{
    uint64_t z = (a->seed + i) * 0x9e3779b97f4a7c15U;
    return (z ^ z >> 29) * 0xbf58476d1ce4e5b9U % a->form.rows;
}

static int row_run(struct asked *a, struct measure *m)
{
    uint64_t now = measure_now();
    do {
        int result = form_row(&a->form, random_row(a, m->tally.operations));
        if (result < 0) return result;
        now = tally_add(&m->tally, now, sizeof(struct sale));
    } while (!measure_over(m, now));
    return 0;
}

/* Makes one pass over the table, or a part of it when the time is over. *whole: the pass was complete. */
static int pass_run(struct asked *a, struct measure *m, bool *whole, uint64_t *rows)
{
    bool one_column = !strcmp(a->question, "column");
    double row_bytes = form_row_bytes(&a->form, one_column);
    int result;
    int64_t sum = 0, got = 0;
    uint64_t now = measure_now(), pass = 0;
    struct reader *reader = reader_open(&a->form, one_column, &result);
    *whole = false;
    while (result == 0 && (m->tally.operations == 0 || !measure_over(m, now))) {
        got = reader_batch(reader, &sum);
        if (got <= 0) break;
        pass += (uint64_t)got;
        now = tally_add(&m->tally, now, (uint64_t)((double)got * row_bytes));
    }
    reader_close(reader);
    *rows += pass;
    if (result < 0 || got < 0) return result < 0 ? result : (int)got;
    *whole = pass == a->form.rows;
    return *whole && sum != a->wanted ? -EBADMSG : 0;
}

static int scan_run(struct asked *a, struct measure *m)
{
    uint64_t rows = 0, begun = measure_now();
    bool whole = true;
    int result;
    do
        result = pass_run(a, m, &whole, &rows);
    while (result == 0 && whole && !a->cold && !measure_over(m, measure_now()));
    measure_figure(m, "million_rows_per_s", (double)rows * 1e3 / (double)(measure_now() - begun));
    return result;
}

static int node_run(struct asked *a, struct measure *m)
{
    char question[64];
    bool row = !strcmp(a->question, "row"), column = !strcmp(a->question, "column");
    double user = 0, system = 0, n;
    uint64_t begun = measure_now(), now = begun,
             bytes = (uint64_t)((double)a->form.rows * form_row_bytes(&a->form, column));
    do {
        double sum, user_us, system_us;
        uint64_t number = random_row(a, m->tally.operations);
        snprintf(question, sizeof question, "%s", a->question);
        if (row) snprintf(question, sizeof question, "row %" PRIu64, number);
        int result = node_ask(&a->node, question, &sum, &user_us, &system_us);
        if (result < 0) return result;
        if (sum != (row ? (double)number : (double)a->wanted)) return -EBADMSG;
        user += user_us;
        system += system_us;
        now = tally_add(&m->tally, now, row ? sizeof(struct sale) : bytes);
    } while (!a->cold && !measure_over(m, now));
    n = (double)m->tally.operations;
    measure_figure(m, "user_us_per_op", user / n);
    measure_figure(m, "system_us_per_op", system / n);
    if (!row)
        measure_figure(m, "million_rows_per_s",
                       (double)a->form.rows * n * 1e3 / (double)(now - begun));
    return 0;
}

static int asked_run(void *context, struct measure *m)
{
    struct asked *a = context;
    if (a->node_failed == -ENOPKG)
        lab_skip(m->lab, "parquet",
                 "Node or its packages are not installed: npm install hyparquet hyparquet-writer "
                 "(--set node_modules=DIR)");
    if (a->node_failed < 0) return a->node_failed;
    measure_figure(m, "resident_before", a->resident);
    measure_figure(m, "size_on_disk_bytes", a->file_bytes);
    return a->by_node                    ? node_run(a, m)
           : !strcmp(a->question, "row") ? row_run(a, m)
                                         : scan_run(a, m);
}

/* ---- the cases --------------------------------------------------------------------------------- */

static const char *node_modules_of(struct lab *lab)
{
    const char *directory[1] = {"."};
    lab_words(lab, "node_modules", directory, 1);
    return directory[0];
}

static void asked_measure(struct lab *lab, const char *format, const char *packing,
                          const char *question, bool cold)
{
    static struct asked a;
    uint64_t rows = lab_number(lab, "rows");
    /*
     * Two text formats of about 35 and 90 bytes a row, two binary ones, packed in three ways, and Parquet.
     */
    const struct data *place = lab_scratch(lab, "table", rows * 420);
    a = (struct asked){.form = {.format = format,
                                .packing = packing,
                                .rows = rows ? rows : 1,
                                .node_modules = node_modules_of(lab)},
                       .place = place,
                       .question = question,
                       .cold = cold,
                       .by_node = !strcmp(format, "parquet"),
                       .seed = lab_seed(lab)};
    struct work work = {.context = &a,
                        .open = asked_open,
                        .run = asked_run,
                        .close = asked_close,
                        .data = place,
                        .no_warm_up = cold || a.by_node,
                        .time_is_not_limited = cold};
    lab_measure(lab, &work, "sweep=table format=%s packing=%s question=%s cache=%s", format,
                packing, question, cold ? "cold" : "warm");
}

static void table_walk(struct lab *lab)
{
    const char *format[LIST], *packing[LIST];
    unsigned formats = lab_words(lab, "formats", format, LIST);
    for (unsigned f = 0; f < formats; f++) {
        bool parquet = !strcmp(format[f], "parquet");
        unsigned packings =
            lab_words(lab, parquet ? "parquet_packings" : "packings", packing, LIST);
        for (unsigned p = 0; p < packings; p++) {
            for (int cold = 1; cold >= 0; cold--) {
                asked_measure(lab, format[f], packing[p], "scan", cold);
                asked_measure(lab, format[f], packing[p], "column", cold);
            }
            asked_measure(lab, format[f], packing[p], "row", false);
        }
    }
}

static void run(struct lab *lab)
{
    files_walk(lab);
    names_walk(lab);
    table_walk(lab);
}

static const struct experiment formats = {
    .number = 10,
    .name = "formats",
    .title = "Files and formats",
    .question = "What do many small files cost, and what does the same table cost as text, rows or "
                "columns, packed or not?",
    .expectation = "A small file costs three system calls and a lookup of its name. Text is "
                   "limited by the CPU that parses it; fixed rows give one row for one read, "
                   "columns one column without the others (Stonebraker et al., C-Store, 2005); "
                   "packing pays when the CPU unpacks faster than the device reads (RFC 8878).",
    .floor = "any Linux; a cold name cache needs root; Parquet needs Node and hyparquet",
    .full_minutes = 5.8,
    .quick_minutes = 0.6,
    .figure = "iops",
    .factors = factors,
    .figures = figures,
    .parameters = parameters,
    .plots = plots,
    .run = run,
    .find = formats_find,
};
EXPERIMENT(formats);
