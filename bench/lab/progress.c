/* Progress, with the time left. */
#include "progress.h"

#include "measure.h"
#include "text.h"

#include <stdio.h>
#include <unistd.h>

void progress_begin(struct progress *progress, const char *name)
{
    *progress = (struct progress){.name = name, .terminal = isatty(2), .told_ns = measure_now()};
}

/* Returns true when it is time for another line. */
static bool is_due(struct progress *progress)
{
    uint64_t now = measure_now(), every = progress->terminal ? NS_PER_S / 10 : 10 * NS_PER_S;
    if (now - progress->told_ns < every) return false;
    progress->told_ns = now;
    return true;
}

static void line_write(struct progress *progress, const char *line)
{
    fprintf(stderr, progress->terminal ? "\r%-12s %.66s\033[K" : "%-12s %s\n", progress->name,
            line);
    progress->shown = progress->terminal;
}

void progress_measuring(struct progress *progress, unsigned done, unsigned total, double left_s,
                        const char *what)
{
    char line[160];
    if (!is_due(progress)) return;
    snprintf(line, sizeof line, "%3u %%  %.0f:%02.0f left  %.100s", total ? 100 * done / total : 0,
             (double)((int)left_s / 60), (double)((int)left_s % 60), what);
    line_write(progress, line);
}

void progress_making(struct progress *progress, uint64_t done, uint64_t total)
{
    char line[160];
    text of, all;
    if (!is_due(progress)) return;
    snprintf(line, sizeof line, "making data: %s of %s", text_bytes(of, (double)done),
             text_bytes(all, (double)total));
    line_write(progress, line);
}

void progress_end(struct progress *progress)
{
    if (progress->shown) fputs("\r\033[K", stderr);
    progress->shown = false;
}
