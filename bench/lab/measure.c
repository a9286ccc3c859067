/* Joins tallies, and computes the common figures of a row from what was counted. */
#include "measuring.h"

#include <math.h>
#include <string.h>

atomic_bool measure_stopped;

void measure_join(struct measure *m, const struct tally *tally)
{
    struct tally *sum = &m->tally;
    if (tally->operations == 0) {
        sum->calls += tally->calls;
        return;
    }
    for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++)
        sum->histogram.bucket[b] += tally->histogram.bucket[b];
    if (sum->operations == 0 || tally->least_ns < sum->least_ns) sum->least_ns = tally->least_ns;
    if (tally->most_ns > sum->most_ns) sum->most_ns = tally->most_ns;
    sum->operations += tally->operations;
    sum->bytes += tally->bytes;
    sum->sum_ns += tally->sum_ns;
    sum->sum_of_squares += tally->sum_of_squares;
    sum->calls += tally->calls;
}

void row_set(struct measuring *on, const char *name, double value)
{
    int column = table_column(on->table, name);
    if (column < 0 || !isfinite(value)) return;
    struct cell *cell = &on->row[column];
    if (isnan(cell->number)) cell->number = value;
}

void measure_figure(struct measure *m, const char *name, double value)
{
    struct measuring *on = m->row;
    int column = on && !m->warming ? table_column(on->table, name) : -1;
    if (column >= 0 && isnan(value) && isnan(on->row[column].number))
        on->row[column].number =
            INFINITY; /* written as an empty cell, and left as it is by row_set() */
    else if (column >= 0)
        row_set(on, name, value);
}

void measure_word(struct measure *m, const char *name, const char *word)
{
    struct measuring *on = m->row;
    int column = on && !m->warming ? table_column(on->table, name) : -1;
    if (column >= 0) snprintf(on->row[column].text, CELL_TEXT_MAX, "%s", word);
}

void measure_restart(struct measure *m)
{
    struct measuring *on = m->row;
    memset(&m->tally, 0, sizeof m->tally);
    if (on) measuring_begin(on);
    m->deadline_ns = measure_now() + (on ? on->seconds_ns : 0);
}

static void latencies_fill(struct measuring *on, const struct tally *tally)
{
    static struct distribution distribution;
    memset(&distribution, 0, sizeof distribution);
    distribution_add(&distribution, &tally->histogram, 0);
    double n = (double)tally->operations, mean = (double)tally->sum_ns / n;
    double variance = n > 1 ? (tally->sum_of_squares - n * mean * mean) / (n - 1) : 0;
    static const struct {
        const char *name;
        double share;
    } percentile[] = {{"median_us", 0.5}, {"p95_us", 0.95}, {"p99_us", 0.99}, {"p999_us", 0.999}};
    row_set(on, "mean_us", mean / 1e3);
    row_set(on, "sd_us", sqrt(fmax(0, variance)) / 1e3);
    row_set(on, "min_us", (double)tally->least_ns / 1e3);
    row_set(on, "max_us", (double)tally->most_ns / 1e3);
    for (unsigned i = 0; i < 4; i++) { /* the middle of a bucket may be outside of the extremes */
        double ns = distribution_percentile(&distribution, percentile[i].share) * HISTOGRAM_UNIT_NS;
        ns = fmin(fmax(ns, (double)tally->least_ns), (double)tally->most_ns);
        row_set(on, percentile[i].name, ns / 1e3);
    }
}

static void usage_fill(struct measuring *on, const struct tally *tally, const struct usage *used)
{
    double n = (double)tally->operations, mib = (double)tally->bytes / (1 << 20);
    row_set(on, "user_us_per_op", used->user_s * 1e6 / n);
    row_set(on, "system_us_per_op", used->system_s * 1e6 / n);
    if (mib > 0) {
        row_set(on, "user_us_per_mib", used->user_s * 1e6 / mib);
        row_set(on, "system_us_per_mib", used->system_s * 1e6 / mib);
    }
    row_set(on, "minor_faults", used->minor_faults);
    row_set(on, "major_faults", used->major_faults);
    row_set(on, "switches", used->switches);
    if (used->seconds >= 0.1) { /* the kernel counts these in ticks of 10 ms */
        row_set(on, "io_wait", used->io_wait);
        row_set(on, "steal", used->steal);
        row_set(on, "others_cpu",
                fmax(0, used->busy_s - used->user_s - used->system_s) / used->seconds);
    }
}

static void device_fill(struct measuring *on, const struct tally *tally,
                        const struct device_counts *counts, double seconds)
{
    if (!on->device || !on->device->counted) return;
    row_set(on, "device_reads", counts->reads);
    row_set(on, "device_read_bytes", counts->read_bytes);
    row_set(on, "device_writes", counts->writes);
    row_set(on, "device_write_bytes", counts->write_bytes);
    row_set(on, "depth", counts->queue_s / seconds);
    if (tally->bytes > 0)
        row_set(on, "amplification",
                (counts->read_bytes + counts->write_bytes) / (double)tally->bytes);
}

static void calls_fill(struct measuring *on, const struct tally *tally, double seen)
{
    int by = table_column(on->table, "syscalls_by");
    double calls = seen >= 0 ? seen : tally->calls > 0 ? (double)tally->calls : NAN;
    if (by < 0 || isnan(calls) || on->row[by].text[0]) return;
    row_set(on, "syscalls_per_op", calls / (double)tally->operations);
    strcpy(on->row[by].text, seen >= 0 ? "tracepoint" : "code");
}

void measuring_begin(struct measuring *on)
{
    if (on->device) device_counts_read(on->device, &on->device_before);
    usage_read(&on->usage_before);
    on->calls_before = calls_read();
    on->begun_ns = measure_now();
}

void measuring_end(struct measuring *on, const struct measure *m)
{
    uint64_t ended = measure_now();
    double calls = calls_read();
    struct usage used;
    usage_read(&used);
    usage_since(&used, &on->usage_before);
    struct device_counts counts = {0};
    if (on->device) {
        device_counts_read(on->device, &counts);
        device_counts_since(&counts, &on->device_before);
    }
    const struct tally *tally = &m->tally;
    double seconds = (double)(ended - on->begun_ns) / 1e9, n = (double)tally->operations;
    used.seconds = seconds;
    row_set(on, "seconds", seconds);
    row_set(on, "operations", n);
    row_set(on, "bytes", (double)tally->bytes);
    if (n == 0) return;
    row_set(on, "iops", n / seconds);
    if (tally->bytes > 0) row_set(on, "mb_per_s", (double)tally->bytes / 1e6 / seconds);
    latencies_fill(on, tally);
    usage_fill(on, tally, &used);
    device_fill(on, tally, &counts, seconds);
    calls_fill(on, tally, calls >= 0 && on->calls_before >= 0 ? calls - on->calls_before : -1);
    if (on->null_ns > 0) row_set(on, "null_ratio", seconds * 1e9 / n / on->null_ns);
}
