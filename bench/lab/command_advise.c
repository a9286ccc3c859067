/*
 * zclab advise [-c FILE] DIR: measures what matters for serving DIR on this machine. It proposes options
 * with the difference that each would make, never one within the noise, and checks one of them by really
 * serving. It changes nothing.
 */
#include "command.h"

#include "advise.h"
#include "experiments/servers_child.h"
#include "measure.h"
#include "text.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_signal(int number)
{
    measure_stopped = true;
    signal(number, SIG_DFL);
}

/* ---- what was measured -------------------------------------------------------------------------- */

static char *median_text(text into, const struct sample *sample, const char *unit)
{
    if (sample->count == 0)
        snprintf(into, TEXT_MAX, "?");
    else
        text_figure(into, summarise(sample).median, unit);
    return into;
}

static const char *verdict_words(const struct comparison *c)
{
    return c->verdict == LESS   ? "less"
           : c->verdict == MORE ? "more"
           : c->verdict == SAME ? "the same within the noise"
                                : "too noisy to tell";
}

static void sizes_print(const struct advise_figures *f)
{
    text size, memory, file;
    if (f->sizes > 0) puts("  sending it costs so much CPU, from memory and by sendfile:");
    for (unsigned i = 0; i < f->sizes; i++) {
        struct comparison c = compare(&f->size[i].sendfile, &f->size[i].memory);
        printf("    %-8s %9s %9s  sendfile: %s\n", text_bytes(size, (double)f->size[i].bytes),
               median_text(memory, &f->size[i].memory, "us"),
               median_text(file, &f->size[i].sendfile, "us"), verdict_words(&c));
    }
}

static void disk_print(const struct advise_figures *f)
{
    text a, b, c;
    unsigned enough = f->depths ? f->depths - 1 : 0;
    double most = 0;
    for (unsigned i = 0; i < f->depths; i++)
        most = fmax(most, summarise(&f->cold[i].per_s).median);
    for (unsigned i = f->depths; i-- > 0;)
        if (summarise(&f->cold[i].per_s).median >= 0.9 * most) enough = i;
    for (unsigned i = 0; i < f->depths; i++)
        printf("%s%s/s with %u", i ? ", " : "  cold reads of 16 KiB at random places: ",
               text_number(a, summarise(&f->cold[i].per_s).median), f->cold[i].depth);
    if (f->depths > 0)
        printf(" under way; %u are enough (a worker has 4 under way; no option changes that)\n",
               f->cold[enough].depth);
    if (f->ahead_usual.count > 0)
        printf("  a cold file from its beginning: %s; with no read-ahead %s, with twice as much %s "
               "(blockdev --setra)\n",
               median_text(a, &f->ahead_usual, "MB/s"), median_text(b, &f->ahead_off, "MB/s"),
               median_text(c, &f->ahead_double, "MB/s"));
}

static void figures_print(const struct advise_figures *f, const struct site *site,
                          const struct advise_now *now)
{
    text a, b, c;
    printf("Served: %u files, %s; %s of them in files that may be kept in memory%s\n", site->count,
           text_bytes(a, (double)site_bytes(site, UINT64_MAX)),
           text_bytes(b, (double)site_bytes(site, now->file_max)),
           site->cut ? " (there are more)" : "");
    printf("Now: model %s, %u workers, cache.size %s, cache.file_max %s\n\nMeasured:\n", now->model,
           now->workers, text_bytes(a, (double)now->cache_bytes),
           text_bytes(b, (double)now->file_max));
    printf("  a system call %s, waking another thread up %s\n", median_text(a, &f->call, "us"),
           median_text(b, &f->wake, "us"));
    printf("  io_uring is %s here\n", f->ring_permitted ? "permitted" : "not permitted");
    if (f->by_ring.count > 0)
        printf("  16 requests received and answered: %s by epoll, %s through a ring\n",
               median_text(a, &f->by_epoll, "us"), median_text(b, &f->by_ring, "us"));
    if (f->hit.count > 0)
        printf("  a file of the site (%s on average): %s when it is kept, %s when it is opened and "
               "read first\n",
               text_bytes(c, (double)f->missed_bytes), median_text(a, &f->hit, "us"),
               median_text(b, &f->miss, "us"));
    sizes_print(f);
    disk_print(f);
    for (unsigned i = 0; i < f->lefts; i++)
        printf("  not measured: %s\n", f->left_out[i]);
}

/* ---- what follows ------------------------------------------------------------------------------- */

static void proposals_print(const struct proposal *p, unsigned count)
{
    puts("\nProposed:");
    if (count == 0) puts("  nothing: no option makes a difference here beyond the noise.");
    for (unsigned i = 0; i < count; i++)
        printf("  %s = %s    (now %s)\n      %s\n", p[i].option, p[i].value, p[i].now, p[i].why);
}

/* Chooses the proposal that promises most, of those that change the speed. */
static const struct proposal *proposal_choose(const struct proposal *p, unsigned count)
{
    const struct proposal *best = NULL;
    for (unsigned i = 0; i < count; i++)
        if (isfinite(p[i].difference.ratio) &&
            (!best || p[i].difference.ratio < best->difference.ratio))
            best = &p[i];
    return best;
}

static void check_print(const struct advise_check *check, const struct proposal *p)
{
    struct comparison c = compare(&check->cpu_with, &check->cpu_without);
    text a, b, with, without, low, high;
    printf("\nChecked by serving, in turns, with and without %s = %s:\n  %s of CPU a request with "
           "it, %s without; %s and %s requests (ratio of CPU %s to %s)\n",
           p->option, p->value, median_text(a, &check->cpu_with, "us"),
           median_text(b, &check->cpu_without, "us"), median_text(with, &check->per_s_with, "1/s"),
           median_text(without, &check->per_s_without, "1/s"), text_number(low, c.low),
           text_number(high, c.high));
    puts(c.verdict == LESS   ? "  It is confirmed: a request costs less."
         : c.verdict == MORE ? "  It is refuted: a request costs more. Leave it as it is."
         : c.verdict == SAME ? "  It is not confirmed: no difference beyond the noise. Leave it as "
                               "it is."
                             : "  It is too noisy to tell. Try again on a quiet machine.");
}

static int advise(const struct options *options, const struct site *site,
                  const struct advise_now *now)
{
    static struct advise_figures figures;
    static struct advise_check check;
    struct proposal proposal[PROPOSALS_MAX];
    advise_sockets_measure(&figures, site, now, options);
    if (!measure_stopped) advise_disk_measure(&figures, site, options);
    if (measure_stopped) return EXIT_INTERRUPTED;
    figures_print(&figures, site, now);
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    unsigned count = advise_propose(&figures, now, site, memory, proposal);
    proposals_print(proposal, count);
    fflush(stdout);
    const struct proposal *chosen = proposal_choose(proposal, count);
    int result = chosen ? advise_serve(&check, chosen, now, site, options) : 0;
    if (measure_stopped) return EXIT_INTERRUPTED;
    if (result < 0)
        printf("\nNot checked by serving: %s\n", strerror(-result));
    else if (chosen)
        check_print(&check, chosen);
    puts("\nNothing was changed.");
    return 0;
}

int command_advise(const struct options *options, char **words)
{
    struct site site;
    struct advise_now now;
    struct sigaction action = {.sa_handler = on_signal};
    if (!words[0] || words[1]) {
        fputs(
            "zclab: advise needs the directory that is to be served: zclab advise [-c FILE] DIR\n",
            stderr);
        return EXIT_USAGE;
    }
    if (!child_zcserve()) {
        fputs("zclab: advise: there is no zcserve beside zclab (make all)\n", stderr);
        return EXIT_NOTHING_RAN;
    }
    if (advise_now_read(&now, options->configuration, words[0]) < 0) return EXIT_FAILED;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    int result = site_read(&site, words[0]);
    if (result < 0) fprintf(stderr, "zclab: %s: %s\n", words[0], strerror(-result));
    int code = result < 0 ? EXIT_FAILED : advise(options, &site, &now);
    if (result == 0) site_free(&site);
    return code;
}
