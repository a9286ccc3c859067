/*
 * HOW TO ADD AN EXPERIMENT. Write one file, bench/lab/experiments/NAME.c; no other file is edited. The
 * Makefile finds it by its place, and EXPERIMENT() below puts it on the list. Good examples: sequential.c
 * and random.c.
 *
 *  1. A header comment, which is the lesson: the question, the expected shape and the source of that expectation,
 *     what to vary (--set), the oldest kernel that it needs.
 *  2. Factors (what is varied) and figures of its own, as lists of struct column that end with {0}. The common
 *     figures (common.def: latencies, MB/s, CPU, system calls, device, faults, …) come from the frame.
 *  3. Parameters, each with a value for a full, a quick and a smallest run. A smallest run must take 1 to 3
 *     seconds in all on a disk of 50 MB/s, and must still try every method once.
 *  4. run(): goes through all cases and calls lab_measure() for each. It is called SEVERAL TIMES. The first call
 *     plans: nothing is measured, the files that it asks for are noted, and their size is announced. Then it is
 *     called once for each repetition, so that the repetitions of a case are not next to each other in time, and
 *     the methods take turns. So:
 *       - it makes the same calls in the same order every time;
 *       - it touches no file, starts no thread and opens no socket itself: work.open, work.run and work.close do;
 *       - it keeps nothing between calls except constants.
 *  5. work.open (not timed) prepares. work.run does the work, with the loop shown in measure.h. work.close (not
 *     timed) undoes what open did. It is called once for each open, even when open or run failed. They return 0
 *     or -errno. A failure is printed once, in one line, and the other cases go on; when no case succeeds, the
 *     exit code is 77. The frame evicts or warms work.data before open.
 *  6. Plots: which column over which, one line for each value of `series`, from rows that match `where`.
 *  7. find(): pure. It takes figures (a table) and makes sentences, with the helpers of findings.h. It says
 *     whether the expectation held, and if not what may explain it. It never reports a difference within the noise.
 *  8. tests/unit/test_lab_NAME.c: made-up figures of every outcome (see test_lab_sequential.c). `tests/lab/run`
 *     runs the experiment at its smallest size and checks its CSV against its columns.
 *
 * What the frame cannot see:
 * - the CPU time of a child process for which run() has not waited before it returns (measure_figure() sets
 *   user_us_per_op and the like);
 * - on which CPU the two sides of a socket were (guard_same_cpu() of guards.h).
 *
 * What is slow to start (threads, a ring) goes before measure_restart().
 *
 * Times: the frame divides `minutes` by cases × repetitions. So more cases mean shorter measurements,
 * between 10 ms and 2 s (--set seconds=S overrides). Fewer, well-chosen cases show more.
 */
#ifndef LAB_EXPERIMENT_H
#define LAB_EXPERIMENT_H

#include "findings.h"
#include "measure.h"
#include "table.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lab; /* one run of one experiment; it belongs to the frame */

/*
 * A value that --set NAME=VALUE changes: a number, a size ("64k"), words, or a list of one of these:
 * "4k,64k,1m".
 */
struct parameter {
    const char *name; /* NULL ends the list */
    const char *meaning;
    const char *full, *quick, *smallest;
};

/*
 * A plot of `y` over `x`: medians, with bars from the least to the most. The units of the columns label the
 * axes.
 */
struct plot {
    const char *name; /* NULL ends the list; the file is EXPERIMENT-NAME.svg */
    const char *title;
    const char *x, *y;  /* columns; y is a figure */
    const char *series; /* a column: one line (or colour) for each value; NULL: one line */
    const char *where;  /* the rows that are drawn: "sweep=block cache=cold"; "": all */
    bool bars;          /* bars from zero over words of x; else lines */
    bool log_x, log_y;  /* for lines: log_x for sizes and counts that double */
};

enum {
    NEEDS_ROOT = 1,     /* for other users it is skipped, with the reason */
    NEEDS_TWO_CPUS = 2, /* CPUs that this process may use */
    NEEDS_DISK = 4,     /* refused where the data are in memory (tmpfs, zram, brd) */
};

struct experiment {
    unsigned number;  /* its place in the list: the number in the book, 1 to 15 */
    const char *name; /* a word for the command line */
    const char *title;
    const char *question;    /* ends with a question mark */
    const char *expectation; /* the expected shape and its source, in sentences */
    const char *floor;       /* "Linux 5.1 for io_uring; else any" */
    unsigned needs;
    double full_minutes, quick_minutes; /* time for it; all quick ones together: 10 minutes */
    const char *figure; /* the main column: noise is judged by it, and runs are compared by it */
    const struct column *factors, *figures; /* figures may be NULL */
    const struct parameter *parameters;
    const struct plot *plots;
    void (*run)(struct lab *lab);
    void (*find)(const struct table *table, struct findings *into);
};

#define EXPERIMENT(variable)                                 \
    extern const struct experiment *const variable##_listed; \
    const struct experiment *const variable##_listed         \
        __attribute__((used, section("zclab_experiments"))) = &variable

/* ---- what a run is about ----------------------------------------------------------------------- */

/* Returns the value of a parameter. For lists: fills in `into`, at most `most`, and returns how many. */
uint64_t lab_number(const struct lab *lab, const char *name);
unsigned lab_numbers(const struct lab *lab, const char *name, uint64_t into[], unsigned most);
unsigned lab_words(const struct lab *lab, const char *name, const char *into[], unsigned most);

/*
 * Returns the value of "max" in a list of sizes: the largest sensible file here, by memory, free space and
 * kind of run.
 */
uint64_t lab_largest(const struct lab *lab);
uint64_t lab_seed(const struct lab *lab);

/* The device below the data, and its settings (device.h). */
struct device;
const struct device *lab_device(const struct lab *lab);

/* Returns how many CPUs this process may use; into[] gets their numbers. */
unsigned lab_cpus(int into[], unsigned most);
bool lab_is_root(void);

/* Reports once that something is left out and why: "IOPOLL", "the device has no polled queues". */
void lab_skip(struct lab *lab, const char *what, const char *why);

/* ---- data -------------------------------------------------------------------------------------- */

/* A file, or `count` files of the same size in a directory. Their contents cannot be compressed. */
struct data {
    char path[256]; /* the file, or the directory; files are PATH/0 … PATH/(count-1) */
    uint64_t bytes; /* of each */
    unsigned count; /* 0: one file */
    bool
        scratch; /* the experiment writes it: it does not exist before, and is removed after the run */
    bool asked; /* this run needs it; used by the frame */
};

/* Data sets: made before anything is measured, and kept between runs. Valid for the whole run. */
const struct data *lab_file(struct lab *lab, uint64_t bytes);
const struct data *lab_files(struct lab *lab, unsigned count, uint64_t bytes);
/*
 * A name to write at most `bytes` to, with everything below it. It counts for the disk use that is
 * announced.
 */
const struct data *lab_scratch(struct lab *lab, const char *name, uint64_t bytes);

/* ---- one case ---------------------------------------------------------------------------------- */

enum cache {
    CACHE_AS_IT_IS, /* nothing is done or verified */
    CACHE_COLD,     /* evicted and verified before; else the measurement fails */
    CACHE_WARM,     /* read in, and verified before and after; else the measurement fails */
};

struct work {
    void *context;              /* passed to the three functions */
    int (*open)(void *context); /* may be NULL */
    int (*run)(void *context, struct measure *m);
    void (*close)(void *context); /* may be NULL */
    const struct data *data;      /* the data that `cache` is about, and whose device is counted */
    enum cache cache;
    uint64_t operations_max;  /* 0: until the time is over */
    bool time_is_not_limited; /* run() ends by itself (100,000 requests), within 30 s */
    bool no_warm_up;          /* run() is not called before the measurement */
};

/*
 * Measures one case, once (see 4. above). The values of the factors are written as in
 * lab_measure(lab, &work, "method=%s block_bytes=%" PRIu64, "read", block): they name the case and fill its row.
 */
void lab_measure(struct lab *lab, const struct work *work, const char *factors, ...)
    __attribute__((format(printf, 3, 4)));

#endif
