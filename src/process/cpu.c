/*
 * Counts the CPUs that this process may use. The affinity mask says which CPUs; the quotas of the
 * control groups say how much of them, on every level of the tree (version 2, and version 1 where
 * it is still mounted). What cannot be read sets no limit.
 */
#define _GNU_SOURCE
#include "zcserve/supervise.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define CGROUP_MOUNT "/sys/fs/cgroup"
#define CGROUP_MEMBERSHIP "/proc/self/cgroup"

/* A mask of up to 8192 CPUs. */
struct affinity {
    cpu_set_t set[8];
};

static bool cpu_read_affinity(struct affinity *affinity)
{
    CPU_ZERO_S(sizeof(affinity->set), affinity->set);
    return sched_getaffinity(0, sizeof(affinity->set), affinity->set) == 0;
}

static uint32_t cpu_least(uint32_t a, uint32_t b)
{
    return b != 0 && (a == 0 || b < a) ? b : a;
}

/* Returns quota / period (both in µs) as a number of CPUs, rounded up; 0: no limit. */
static uint32_t cpu_round_up(long long quota, long long period)
{
    if (quota <= 0 || period <= 0) return 0;
    long long cpus = (quota - 1) / period + 1;
    return cpus > UINT32_MAX ? 0 : (uint32_t)cpus;
}

/* Reads up to two numbers from a file; "max" is not one. Returns how many there were. */
static int cpu_read_numbers(const char *directory, const char *file, long long number[2])
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", directory, file) >= (int)sizeof(path)) return 0;
    FILE *in = fopen(path, "re");
    if (!in) return 0;
    int count = fscanf(in, "%lld %lld", &number[0], &number[1]);
    fclose(in);
    return count > 0 ? count : 0;
}

/* Returns the limit that one directory sets, of either version; 0: none. */
static uint32_t cpu_count_in(const char *directory)
{
    long long number[2] = {0, 0};
    long long quota = 0;

    if (cpu_read_numbers(directory, "cpu.max", number) == 2)
        return cpu_round_up(number[0], number[1]);
    if (cpu_read_numbers(directory, "cpu.cfs_quota_us", number) == 0) return 0;
    quota = number[0];
    if (cpu_read_numbers(directory, "cpu.cfs_period_us", number) == 0) return 0;
    return cpu_round_up(quota, number[0]);
}

/*
 * Returns the least limit on the way from `path` up to the root of `hierarchy`; 0: none. In a
 * container `path` may be a path of the host, which does not exist: then only the root has a limit.
 */
static uint32_t cpu_count_upwards(const char *mount, const char *hierarchy, const char *path)
{
    char directory[PATH_MAX];
    uint32_t least = 0;
    int length = snprintf(directory, sizeof(directory), "%s%s%s", mount, hierarchy, path);
    size_t root_length = strlen(mount) + strlen(hierarchy);

    if (length >= (int)sizeof(directory)) return 0;
    for (;;) {
        least = cpu_least(least, cpu_count_in(directory));
        char *slash = strrchr(directory, '/');
        if (!slash || slash < directory + root_length) return least;
        *slash = '\0';
    }
}

/* Returns whether `cpu` is one of the controllers, which are separated by commas. */
static bool cpu_is_controller(const char *controllers)
{
    for (const char *at = controllers; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, "cpu", 3) == 0 && (at[3] == ',' || at[3] == '\0')) return true;
    }
    return false;
}

/*
 * Returns the limit for one line of the membership file, "ID:CONTROLLERS:PATH"; 0: none. Version 2
 * has the ID 0 and no controllers.
 */
static uint32_t cpu_count_of_line(const char *mount, char *line)
{
    char hierarchy[NAME_MAX];
    char *controllers = strchr(line, ':');
    char *path = !controllers ? NULL : strchr(controllers + 1, ':');

    if (!path) return 0;
    *controllers++ = '\0';
    *path++ = '\0';
    path[strcspn(path, "\n")] = '\0';
    if (strcmp(line, "0") == 0 && *controllers == '\0') {
        return cpu_least(cpu_count_upwards(mount, "", path),
                         cpu_count_upwards(mount, "/unified", path));
    }
    if (!cpu_is_controller(controllers) || strlen(controllers) + 2 > sizeof(hierarchy)) return 0;
    snprintf(hierarchy, sizeof(hierarchy), "/%s", controllers);
    return cpu_least(cpu_count_upwards(mount, hierarchy, path),
                     cpu_count_upwards(mount, "/cpu", path));
}

uint32_t cpu_count_quota(const char *mount, const char *membership)
{
    char line[PATH_MAX];
    uint32_t least = 0;
    FILE *in = fopen(membership, "re");

    if (!in) return 0;
    while (fgets(line, sizeof(line), in))
        least = cpu_least(least, cpu_count_of_line(mount, line));
    fclose(in);
    return least;
}

uint32_t cpu_count_usable(void)
{
    struct affinity affinity;
    uint32_t allowed = 1;

    if (cpu_read_affinity(&affinity)) {
        int count = CPU_COUNT_S(sizeof(affinity.set), affinity.set);
        allowed = count > 0 ? (uint32_t)count : 1;
    }
    return cpu_least(allowed, cpu_count_quota(CGROUP_MOUNT, CGROUP_MEMBERSHIP));
}

int cpu_nth_usable(uint32_t index)
{
    struct affinity affinity;
    uint32_t count = 0;

    if (!cpu_read_affinity(&affinity)) return -1;
    count = (uint32_t)CPU_COUNT_S(sizeof(affinity.set), affinity.set);
    if (count == 0) return -1;
    index %= count;
    for (int cpu = 0; cpu < (int)sizeof(affinity.set) * CHAR_BIT; cpu++)
        if (CPU_ISSET_S((size_t)cpu, sizeof(affinity.set), affinity.set) && index-- == 0)
            return cpu;
    return -1;
}
