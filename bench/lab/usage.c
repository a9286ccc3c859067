/* What this process used, and what the machine did meanwhile. */
#include "usage.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static double seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static void machine_read(struct usage *usage)
{
    FILE *file = fopen("/proc/stat", "re");
    double user, nice, system, idle, wait, irq, softirq, steal, hz = (double)sysconf(_SC_CLK_TCK);
    if (!file) return;
    if (fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &user, &nice, &system, &idle, &wait,
               &irq, &softirq, &steal) == 8) {
        usage->busy_s = (user + nice + system + irq + softirq) / hz;
        usage->io_wait = wait / hz;
        usage->steal = steal / hz;
        usage->total_s = usage->busy_s + (idle + wait + steal) / hz;
    }
    fclose(file);
}

void usage_read(struct usage *usage)
{
    static const int who[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
    memset(usage, 0, sizeof *usage);
    for (unsigned i = 0; i < 2; i++) {
        struct rusage used;
        getrusage(who[i], &used);
        usage->user_s += seconds_of(&used.ru_utime);
        usage->system_s += seconds_of(&used.ru_stime);
        usage->minor_faults += (double)used.ru_minflt;
        usage->major_faults += (double)used.ru_majflt;
        usage->switches += (double)(used.ru_nvcsw + used.ru_nivcsw);
    }
    machine_read(usage);
}

void usage_since(struct usage *now, const struct usage *before)
{
    now->user_s -= before->user_s;
    now->system_s -= before->system_s;
    now->minor_faults -= before->minor_faults;
    now->major_faults -= before->major_faults;
    now->switches -= before->switches;
    now->busy_s -= before->busy_s;
    now->total_s -= before->total_s;
    now->io_wait = now->total_s > 0 ? (now->io_wait - before->io_wait) / now->total_s : 0;
    now->steal = now->total_s > 0 ? (now->steal - before->steal) / now->total_s : 0;
}
