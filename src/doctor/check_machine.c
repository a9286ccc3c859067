/*
 * Memory, disk and clock of the machine. How much a setting costs, only measuring tells (zclab
 * advise).
 */
#include "doctor/check.h"

#include <stdlib.h>
#include <string.h>

#include "tool/format.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)

#define MEMORY_SHARE_MAX 0.5      /* of memory for the cache: files also need the page cache    */
#define SWAP_USED_MIN 0.05        /* share of memory that has to be swapped out to be a finding */
#define SWAPPINESS_LOW 10         /* up to here the kernel prefers to drop page cache           */
#define DIRTY_BYTES_MAX (4 * GIB) /* a disk of 200 MB/s writes them in 20 s                     */
#define READ_AHEAD_KIB_MIN 64     /* below it, a cold large file comes in small pieces          */
#define READ_AHEAD_KIB_MAX 8192   /* above it, a cold part of a file brings much that is unused */

/* ---- memory ---------------------------------------------------------------------------------- */

/* Reads a line of /proc/meminfo, in bytes. */
static bool memory_read(const struct facts *facts, const char *key, uint64_t *bytes)
{
    char value[64];
    if (!kernel_key(facts->tree, "/proc/meminfo", key, value, sizeof(value))) return false;
    *bytes = strtoull(value, NULL, 10) * KIB;
    return true;
}

/*
 * Returns the least memory.max of the process's control group and those above it (cgroup v2);
 * UINT64_MAX when there is no limit, or version 1.
 */
static uint64_t group_limit(const struct facts *facts)
{
    char path[96], group[512], file[640];
    uint64_t least = UINT64_MAX, limit;
    snprintf(path, sizeof(path), "%s/cgroup", facts->subject.directory);
    if (!kernel_key(facts->tree, path, "0::", group, sizeof(group))) return least;
    for (;;) {
        snprintf(file, sizeof(file), "/sys/fs/cgroup%s/memory.max",
                 strcmp(group, "/") ? group : "");
        if (kernel_number(facts->tree, file, &limit) && limit < least) least = limit;
        char *slash = strrchr(group, '/');
        if (!slash) return least;
        *slash = '\0';
    }
}

const char *check_memory(const struct facts *facts, struct findings *findings)
{
    uint64_t total, limit = group_limit(facts), cache = facts->config->cache_size;
    format_space wanted, there;
    if (!memory_read(facts, "MemTotal:", &total)) return "/proc/meminfo";
    bool of_group = limit < total;
    uint64_t memory = of_group ? limit : total;
    const char *whose = of_group ? "of its control group (memory.max)" : "of this machine";
    format_bytes(wanted, (double)cache);
    format_bytes(there, (double)memory);
    if (cache >= memory) {
        finding_add(
            findings, SEVERITY_HARM,
            "cache.size is %s, and the memory %s is %s: the kernel kills a worker before its "
            "cache is full",
            wanted, whose, there);
        finding_remedy(findings, "cache { size = %llum }",
                       (unsigned long long)(memory / 4 / MIB > 0 ? memory / 4 / MIB : 1));
    } else if ((double)cache > MEMORY_SHARE_MAX * (double)memory) {
        finding_add(findings, SEVERITY_WARN,
                    "cache.size is %s of the %s of memory %s: little is left for the page cache, "
                    "from which larger files are sent",
                    wanted, there, whose);
        finding_remedy(findings, "a smaller cache.size, or more memory");
    }
    return NULL;
}

const char *check_swap(const struct facts *facts, struct findings *findings)
{
    uint64_t memory, total, unused, swappiness;
    format_space used;
    if (!memory_read(facts, "MemTotal:", &memory) || !memory_read(facts, "SwapTotal:", &total) ||
        !memory_read(facts, "SwapFree:", &unused))
        return "/proc/meminfo";
    if (!kernel_number(facts->tree, "/proc/sys/vm/swappiness", &swappiness))
        return "/proc/sys/vm/swappiness";
    uint64_t bytes = total > unused ? total - unused : 0;
    if (swappiness <= SWAPPINESS_LOW || (double)bytes < SWAP_USED_MIN * (double)memory) return NULL;
    finding_add(findings, SEVERITY_WARN,
                "%s are swapped out (vm.swappiness is %llu): what is swapped out of the cache is "
                "read from the disk while all other connections of the worker wait",
                format_bytes(used, (double)bytes), (unsigned long long)swappiness);
    finding_remedy(findings, "MemorySwapMax=0 in the unit of systemd, or sysctl vm.swappiness=1");
    return NULL;
}

/* Sets how many bytes may wait to be written before a writer has to wait. */
static bool dirty_limit(const struct facts *facts, uint64_t *bytes)
{
    uint64_t available, ratio;
    if (kernel_number(facts->tree, "/proc/sys/vm/dirty_bytes", bytes) && *bytes > 0) return true;
    if (!kernel_number(facts->tree, "/proc/sys/vm/dirty_ratio", &ratio) ||
        !memory_read(facts, "MemAvailable:", &available))
        return false;
    *bytes = available / 100 * ratio;
    return true;
}

const char *check_dirty(const struct facts *facts, struct findings *findings)
{
    uint64_t bytes;
    format_space size;
    if (!dirty_limit(facts, &bytes)) return "/proc/sys/vm/dirty_ratio";
    if (bytes <= DIRTY_BYTES_MAX) return NULL;
    finding_add(findings, SEVERITY_NOTE,
                "%s may wait to be written (vm.dirty_ratio): after a large deploy, files that are "
                "not in memory wait behind it, and so do logs",
                format_bytes(size, (double)bytes));
    finding_remedy(findings,
                   "sysctl vm.dirty_background_bytes=268435456 vm.dirty_bytes=1073741824");
    return NULL;
}

const char *check_huge_pages(const struct facts *facts, struct findings *findings)
{
    static const char directory[] = "/sys/kernel/mm/transparent_hugepage";
    char path[96], enabled[32], defrag[32];
    snprintf(path, sizeof(path), "%s/enabled", directory);
    if (!kernel_chosen(facts->tree, path, enabled, sizeof(enabled))) return directory;
    snprintf(path, sizeof(path), "%s/defrag", directory);
    if (!kernel_chosen(facts->tree, path, defrag, sizeof(defrag))) return directory;
    if (strcmp(enabled, "always") != 0 || strcmp(defrag, "always") != 0) return NULL;
    finding_add(
        findings, SEVERITY_WARN,
        "transparent huge pages are on for all programs, and a page fault waits while memory is "
        "compacted (enabled and defrag are always): a worker may stop for milliseconds");
    finding_remedy(findings, "echo madvise > %s/defrag", directory);
    return NULL;
}

/* ---- disk ------------------------------------------------------------------------------------ */

/* Returns whether this is a disk, and no earlier file system is on the same. */
static bool is_new_disk(const struct facts *facts, unsigned number)
{
    if (facts->device[number].in_memory) return false;
    for (unsigned i = 0; i < number; i++)
        if (strcmp(facts->device[i].name, facts->device[number].name) == 0) return false;
    return true;
}

/* Returns false when the disk does not tell. */
static bool read_ahead_look(const struct device *device, struct findings *findings)
{
    char text[128];
    unsigned long kib = strtoul(device_setting(device, "read_ahead_kb", text), NULL, 10);
    if (*text == '\0') return false;
    if (kib < READ_AHEAD_KIB_MIN) {
        finding_add(findings, SEVERITY_WARN,
                    "%s: the kernel reads %lu KiB ahead (read_ahead_kb), so large files come from "
                    "the disk in small pieces",
                    device->name, kib);
        finding_remedy(findings, "echo 128 > %s/read_ahead_kb; 'zclab advise' measures",
                       device->queue);
    } else if (kib > READ_AHEAD_KIB_MAX) {
        finding_add(findings, SEVERITY_NOTE,
                    "%s: the kernel reads %lu KiB ahead (read_ahead_kb), which pushes much out of "
                    "the page cache for a small range",
                    device->name, kib);
        finding_remedy(findings, "echo 1024 > %s/read_ahead_kb; 'zclab advise' measures",
                       device->queue);
    }
    return true;
}

const char *check_read_ahead(const struct facts *facts, struct findings *findings)
{
    bool told = false;
    for (unsigned i = 0; i < facts->survey.systems; i++)
        if (is_new_disk(facts, i)) told |= read_ahead_look(&facts->device[i], findings);
    return told ? NULL : "no disk tells its read_ahead_kb";
}

/* Returns the word in brackets of "none [mq-deadline] kyber", which it cuts; "" without such. */
static const char *word_in_brackets(char text[128])
{
    char *begin = strchr(text, '['), *end = strchr(text, ']');
    if (!begin || !end || end < begin) return "";
    *end = '\0';
    return begin + 1;
}

/* Returns whether reads are put in order elsewhere: by the host, or by the disks below. */
static bool is_virtual(const struct device *device)
{
    static const char *const names[] = {"vd", "xvd", "loop", "dm-", "md", "nbd"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(device->name, names[i], strlen(names[i])) == 0) return true;
    return false;
}

/* Returns false when the disk does not tell. */
static bool scheduler_look(const struct device *device, struct findings *findings)
{
    char text[128], rotational[128];
    if (*device_setting(device, "scheduler", text) == '\0') return false;
    const char *scheduler = word_in_brackets(text); /* "": there is nothing to choose */
    bool turns = strcmp(device_setting(device, "rotational", rotational), "1") == 0;
    if (!turns && strcmp(scheduler, "bfq") == 0) {
        finding_add(
            findings, SEVERITY_NOTE,
            "%s: the I/O scheduler is bfq, which costs CPU time for each read, and this disk "
            "does not turn",
            device->name);
        finding_remedy(findings, "echo none > %s/scheduler", device->queue);
    } else if (turns && !is_virtual(device) && strcmp(scheduler, "none") == 0) {
        finding_add(findings, SEVERITY_WARN,
                    "%s: this disk turns, and has no I/O scheduler that puts reads in order",
                    device->name);
        finding_remedy(findings, "echo mq-deadline > %s/scheduler", device->queue);
    }
    return true;
}

const char *check_scheduler(const struct facts *facts, struct findings *findings)
{
    bool told = false;
    for (unsigned i = 0; i < facts->survey.systems; i++)
        if (is_new_disk(facts, i)) told |= scheduler_look(&facts->device[i], findings);
    return told ? NULL : "no disk tells its scheduler";
}

/* ---- clock ----------------------------------------------------------------------------------- */

const char *check_clock(const struct facts *facts, struct findings *findings)
{
    static const char path[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    static const char *const slow[] = {"hpet", "acpi_pm", "jiffies", "refined-jiffies",
                                       "pit",  "xen"};
    char source[64];
    if (!kernel_line(facts->tree, path, source, sizeof(source))) return path;
    for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
        if (strcmp(source, slow[i]) != 0) continue;
        finding_add(
            findings, SEVERITY_WARN,
            "the clock source is %s, so reading the time %s a system call (vdso(7)), and it "
            "is read several times for each request",
            source, strcmp(source, "xen") != 0 ? "is" : "may be");
        finding_remedy(findings, "clocksource=tsc on the kernel's command line, if the CPU's is "
                                 "stable (available_clocksource lists it)");
    }
    return NULL;
}
