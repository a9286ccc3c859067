/* Guards against figures without meaning: they write into a row what makes it doubtful. */
#include "guards.h"

#include "lab.h"
#include "warnings.h"

#include <math.h>
#include <string.h>

void guard_warn(const struct table *table, struct cell *row, const char *word)
{
    int c = table_column(table, "warnings");
    if (c < 0 || strstr(row[c].text, word)) return;
    size_t used = strlen(row[c].text);
    snprintf(row[c].text + used, sizeof row[c].text - used, used ? " %s" : "%s", word);
}

void guard_same_cpu(struct measure *m, int cpu, int other)
{
    struct measuring *on = m->row;
    if (on && !m->warming && cpu == other)
        guard_warn(on->table, on->row, warning_word[WARNING_SAME_CPU]);
}

static double figure(const struct table *table, const struct cell *row, const char *name)
{
    int c = table_column(table, name);
    return c >= 0 && isfinite(row[c].number) ? row[c].number : NAN;
}

void guards_apply(const struct lab *lab, struct cell *row, bool has_data)
{
    const struct table *t = &lab->table;
    const bool broken[WARNINGS] = {
        [WARNING_LOAD] = figure(t, row, "others_cpu") > 0.1,
        [WARNING_STEAL] = figure(t, row, "steal") > 0.02,
        [WARNING_NEAR_NULL] = figure(t, row, "null_ratio") < 3,
        [WARNING_FEW] = figure(t, row, "operations") < 20,
        [WARNING_RAM] = has_data && lab->device.in_memory,
    };
    for (unsigned w = 0; w < WARNINGS; w++)
        if (broken[w]) guard_warn(t, row, warning_word[w]);
}

const char *lab_hindrance(const struct lab *lab)
{
    int cpu[2];
    unsigned needs = lab->experiment->needs;
    if ((needs & NEEDS_ROOT) && !lab_is_root()) return "it needs root";
    if ((needs & NEEDS_TWO_CPUS) && lab_cpus(cpu, 2) < 2) return "it needs two CPUs";
    if ((needs & NEEDS_DISK) && lab->device.in_memory)
        return "its data would be in memory, not on a disk (choose another place with --data DIR)";
    return NULL;
}
