/* Experiment 10, files and formats: what its figures mean. Pure; the lesson is in formats.c. */
#include "formats.h"

#include "../text.h"

#include <math.h>

static struct comparison compared(const struct table *t, const char *figure, const char *a,
                                  const char *b, bool *both)
{
    struct sample x = table_sample(t, figure, "%s", a), y = table_sample(t, figure, "%s", b);
    *both = x.count > 0 && y.count > 0;
    return compare(&x, &y);
}

static void expect(const struct table *t, struct findings *into, const char *figure, const char *a,
                   const char *b, enum verdict wanted, const char *expectation,
                   const char *explanation)
{
    bool both;
    struct comparison c = compared(t, figure, a, b, &both);
    if (both) finding_expect(into, expectation, wanted, &c, explanation);
}

static void files_find(const struct table *t, struct findings *into)
{
    static const char many[] = "sweep=files format=many-files cache=warm";
    static const char one[] = "sweep=files format=one-file cache=warm";
    finding_ratio(into, t, "mb_per_s", "reading 4 KiB of one file (warm)", one,
                  "opening and reading many files of 4 KiB", many);
    finding_ratio(into, t, "mb_per_s", "reading 4 KiB of one file (cold)",
                  "sweep=files format=one-file cache=cold",
                  "opening and reading many files of 4 KiB",
                  "sweep=files format=many-files cache=cold");
    expect(t, into, "mb_per_s", many, one, LESS,
           "many small files are read more slowly than one large one of the same size",
           "Here opening costs almost nothing compared with the copy.");
}

static void names_find(const struct table *t, struct findings *into)
{
    static const char *const cache[] = {"warm", "cold"};
    for (int i = 0; i < 2; i++) {
        char where[96], expectation[160];
        snprintf(where, sizeof where, "sweep=names question=open cache=%s", cache[i]);
        struct curve curve = curve_of(t, "directories", "mean_us", where);
        if (curve.count < 2) continue;
        unsigned last = curve.count - 1;
        struct comparison c = compare(&curve.y[last], &curve.y[0]);
        snprintf(expectation, sizeof expectation,
                 "with a %s name cache a file below %.0f directories is opened more slowly than "
                 "below %.0f",
                 cache[i], curve.x[last], curve.x[0]);
        finding_expect(into, expectation, MORE, &c,
                       "The other costs of an open hide it, or the directories are next to each "
                       "other on the device and come with one read.");
    }
    finding_ratio(into, t, "mean_us", "opening a name that is in no cache (depth 4)",
                  "sweep=names question=open cache=cold directories=4", "one that is",
                  "sweep=names question=open cache=warm directories=4");
    finding_ratio(into, t, "mean_us", "open and close (warm, depth 4)",
                  "sweep=names question=open cache=warm directories=4", "stat",
                  "sweep=names question=stat cache=warm directories=4");
}

static void table_find(const struct table *t, struct findings *into)
{
    static const char *const other[] = {"csv", "jsonl", "columns", "parquet"};
    static const char scan_rows[] =
        "sweep=table question=scan cache=warm packing=plain format=rows";
    for (unsigned o = 0; o < 4; o++) {
        char where[120], name[48];
        snprintf(where, sizeof where,
                 "sweep=table question=scan cache=warm packing=plain format=%s", other[o]);
        snprintf(name, sizeof name, "a scan of %s (warm, plain)", other[o]);
        finding_ratio(into, t, "million_rows_per_s", name, where, "one of binary rows", scan_rows);
    }
    expect(t, into, "million_rows_per_s",
           "sweep=table question=scan cache=warm packing=plain format=csv", scan_rows, LESS,
           "parsed text gives fewer rows per second than binary rows",
           "The table was not in memory, or something else than parsing takes the time.");
    expect(t, into, "million_rows_per_s",
           "sweep=table question=column cache=cold packing=plain format=columns",
           "sweep=table question=column cache=cold packing=plain format=rows", MORE,
           "one column, cold, is read faster from columns than from rows, which bring the other "
           "columns too",
           "The file is so small that the device gives both with a few reads.");
    finding_ratio(into, t, "median_us", "one row out of CSV (warm, plain)",
                  "sweep=table question=row packing=plain format=csv", "one out of fixed rows",
                  "sweep=table question=row packing=plain format=rows");
    finding_ratio(into, t, "median_us", "one row out of columns (warm, plain)",
                  "sweep=table question=row packing=plain format=columns", "one out of fixed rows",
                  "sweep=table question=row packing=plain format=rows");
}

/*
 * Says where packing is worth it: compares the plain rows that the device reads with those that the CPU
 * unpacks, both in bytes of the table per second; and says whether it was so, cold.
 */
static void packing_find(const struct table *t, struct findings *into, const char *packing)
{
    char warm[120], cold[120], expectation[200];
    static const char plain[] = "sweep=table question=scan cache=cold packing=plain format=rows";
    snprintf(warm, sizeof warm, "sweep=table question=scan cache=warm packing=%s format=rows",
             packing);
    snprintf(cold, sizeof cold, "sweep=table question=scan cache=cold packing=%s format=rows",
             packing);
    bool unpacks, came;
    struct comparison cpu = compared(t, "mb_per_s", warm, plain, &unpacks);
    struct comparison c = compared(t, "million_rows_per_s", cold, plain, &came);
    struct sample by_cpu = table_sample(t, "mb_per_s", "%s", warm);
    struct sample by_device = table_sample(t, "mb_per_s", "%s", plain);
    struct sample packed = table_sample(t, "size_on_disk_bytes", "%s", warm);
    struct sample whole = table_sample(t, "size_on_disk_bytes", "%s", plain);
    if (!unpacks || !came) return;
    text a, b;
    text_figure(a, summarise(&by_cpu).median, "MB/s");
    text_figure(b, summarise(&by_device).median, "MB/s");
    if (packed.count > 0 && whole.count > 0)
        finding_add(into, FINDING_FACT,
                    "Binary rows packed by %s have %.0f %% of the size; unpacked from memory they "
                    "come at %s, plain ones from the device at %s.",
                    packing, 100 * summarise(&packed).median / summarise(&whole).median, a, b);
    if (cpu.verdict == UNKNOWN || cpu.verdict == SAME) {
        finding_add(
            into, FINDING_OPEN,
            "Whether the CPU unpacks %s faster than this device reads cannot be told: the two "
            "are alike, or too noisy.",
            packing);
        return;
    }
    bool pays = cpu.verdict == MORE;
    snprintf(expectation, sizeof expectation,
             pays ? "since the CPU unpacks %s faster than the device reads, a cold scan of packed "
                    "rows is quicker than of plain ones"
                  : "since the CPU unpacks %s more slowly than the device reads, a cold scan of "
                    "packed rows is no quicker than of plain ones",
             packing);
    /* "No quicker" holds when it is slower, and also when there is no difference. */
    finding_expect(into, expectation,
                   pays                ? MORE
                   : c.verdict == SAME ? SAME
                                       : LESS,
                   &c,
                   "Reading and unpacking follow each other here, so their times add up unless the "
                   "kernel reads ahead; and the packed file may be too small for that.");
}

void formats_find(const struct table *t, struct findings *into)
{
    files_find(t, into);
    names_find(t, into);
    table_find(t, into);
    packing_find(t, into, "zstd");
    packing_find(t, into, "gzip");
    finding_ratio(into, t, "million_rows_per_s", "zstd (a warm scan of binary rows)",
                  "sweep=table question=scan cache=warm packing=zstd format=rows", "gzip",
                  "sweep=table question=scan cache=warm packing=gzip format=rows");
}
