/*
 * What this process used (getrusage(2): all its threads, and children for which it has waited), and what
 * the machine did (proc(5): /proc/stat).
 */
#ifndef LAB_USAGE_H
#define LAB_USAGE_H

struct usage {
    double seconds; /* set by the caller */
    double user_s, system_s;
    double minor_faults, major_faults, switches;
    double busy_s;         /* of all CPUs and all programs */
    double io_wait, steal; /* before usage_since(): seconds; after: shares of all CPU time */
    double total_s;
};

void usage_read(struct usage *usage);
void usage_since(struct usage *now, const struct usage *before);

#endif
