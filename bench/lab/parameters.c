/* Parameters: the value of --set, else the value for this scale of run. */
#include "lab.h"
#include "text.h"

#include <string.h>
#include <unistd.h>
#include <sched.h>
#include <sys/statvfs.h>

const struct parameter frame_parameters[] = {
    {"repetitions", "how often each case is measured", "5", "3", "2"},
    {"seconds", "of one measurement; 0: as the experiment's minutes allow", "0", "0", "0"},
    {"spread", "by how much in % repetitions may differ before they are repeated", "25", "25",
     "1000"},
    {"max", "the largest file; 0: by memory and free space", "0", "0", "0"},
    {NULL, NULL, NULL, NULL, NULL}};

static const struct parameter *parameter_in(const struct parameter *list, const char *name)
{
    for (; list && list->name; list++)
        if (!strcmp(list->name, name)) return list;
    return NULL;
}

const char *parameter_text(const struct experiment *experiment, const struct options *options,
                           const char *name)
{
    const struct parameter *p = parameter_in(experiment->parameters, name);
    if (!p) p = parameter_in(frame_parameters, name);
    if (!p) return NULL;
    for (unsigned i = options->settings; i-- > 0;)
        if (!strcmp(options->setting[i].name, name)) return options->setting[i].value;
    return options->scale == SCALE_FULL    ? p->full
           : options->scale == SCALE_QUICK ? p->quick
                                           : p->smallest;
}

/* Takes the item of a comma-separated list that begins at *at. Returns false at the end. */
static bool item_next(const char **at, char item[64])
{
    size_t length = strcspn(*at, ",");
    if (length == 0 || length > 63) return false;
    memcpy(item, *at, length);
    item[length] = '\0';
    *at += length + ((*at)[length] == ',');
    return true;
}

/* A value is right when it has the form of the default: numbers where the default has numbers. */
static bool value_fits(const struct parameter *p, const char *value)
{
    double number;
    char item[64];
    bool numbers = true;
    const char *at = p->full;
    while (item_next(&at, item))
        numbers &= text_size_read(item, &number) || !strcmp(item, "max");
    at = value;
    unsigned items = 0;
    for (; item_next(&at, item); items++)
        if (numbers && !text_size_read(item, &number) && strcmp(item, "max") != 0) return false;
    return items > 0 && *at == '\0';
}

int parameters_check(const struct options *options, const struct experiment *const list[],
                     unsigned count)
{
    for (unsigned s = 0; s < options->settings; s++) {
        const char *name = options->setting[s].name;
        const struct parameter *p = parameter_in(frame_parameters, name);
        for (unsigned e = 0; e < count && !p; e++)
            p = parameter_in(list[e]->parameters, name);
        if (!p) {
            fprintf(
                stderr,
                "zclab: --set %s: none of these experiments has this parameter (zclab list NAME)\n",
                name);
            return -1;
        }
        if (!value_fits(p, options->setting[s].value)) {
            fprintf(stderr, "zclab: --set %s=%s: a value like %s is needed\n", name,
                    options->setting[s].value, p->full);
            return -1;
        }
    }
    return 0;
}

unsigned lab_numbers(const struct lab *lab, const char *name, uint64_t into[], unsigned most)
{
    const char *at = parameter_text(lab->experiment, lab->options, name);
    char item[64];
    unsigned count = 0;
    while (at && count < most && item_next(&at, item)) {
        double value = 0;
        uint64_t number = !strcmp(item, "max")           ? lab_largest(lab)
                          : text_size_read(item, &value) ? (uint64_t)value
                                                         : 0;
        bool known = false; /* "64m,max" where max is 64m */
        for (unsigned i = 0; i < count; i++)
            known |= into[i] == number;
        if (!known) into[count++] = number;
    }
    return count;
}

uint64_t lab_number(const struct lab *lab, const char *name)
{
    uint64_t number[1] = {0};
    lab_numbers(lab, name, number, 1);
    return number[0];
}

unsigned lab_words(const struct lab *lab, const char *name, const char *into[], unsigned most)
{
    static char words[128][64]; /* used in turn: several lists may be in use at once */
    static unsigned used;
    const char *at = parameter_text(lab->experiment, lab->options, name);
    unsigned count = 0;
    while (at && count < most && item_next(&at, words[used % 128]))
        into[count++] = words[used++ % 128];
    return count;
}

uint64_t lab_seed(const struct lab *lab)
{
    return lab->options->seed;
}

const struct device *lab_device(const struct lab *lab)
{
    return &lab->device;
}

bool lab_is_root(void)
{
    return geteuid() == 0;
}

unsigned lab_cpus(int into[], unsigned most)
{
    cpu_set_t set;
    unsigned count = 0;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) < 0) CPU_SET(0, &set);
    for (int cpu = 0; cpu < CPU_SETSIZE && count < most; cpu++)
        if (CPU_ISSET((size_t)cpu, &set)) into[count++] = cpu;
    return count;
}

/* A quarter of memory, so that it can be warm; at most a tenth of the free disk space; a power of two. */
uint64_t lab_largest(const struct lab *lab)
{
    static const uint64_t most[] = {1 << 30, 256 << 20, 4 << 20};
    char item[64];
    double asked = 0;
    const char *said = parameter_text(lab->experiment, lab->options, "max");
    if (said && item_next(&said, item) && text_size_read(item, &asked) && asked >= 4096)
        return (uint64_t)asked & ~UINT64_C(4095);
    uint64_t bytes = most[lab->options->scale];
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    struct statvfs system;
    uint64_t room = UINT64_MAX;
    if (statvfs(lab->options->data, &system) == 0) room = system.f_bavail * system.f_frsize;
    while (bytes > (1 << 20) && (bytes > memory / 4 || bytes > room / 10))
        bytes /= 2;
    return bytes;
}
