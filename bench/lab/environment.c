/* The machine: kernel, CPU, memory, file system, device, limits, mitigations. */
#include "environment.h"

#include "calls.h"
#include "device.h"
#include "experiment.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void line_put(json_t *into, const char *name, const char *path)
{
    char line[256] = "";
    kernel_line(MACHINE_ITSELF, path, line, sizeof line);
    for (char *c = line; *c; c++)
        if (*c == '\t') *c = ' ';
    json_object_set_new(into, name, *line ? json_string(line) : json_null());
}

/* Reads the rest of the first line of a file that begins with `key`. */
static void key_put(json_t *into, const char *name, const char *path, const char *key)
{
    char value[KERNEL_LINE_MAX];
    bool found = kernel_key(MACHINE_ITSELF, path, key, value, sizeof value);
    json_object_set_new(into, name, found ? json_string(value) : json_null());
}

static json_t *system_json(void)
{
    struct utsname name;
    char date[40], host[65] = "";
    time_t now = time(NULL);
    struct tm local;
    uname(&name);
    gethostname(host, sizeof host - 1);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S%z", localtime_r(&now, &local));
    json_t *into =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:b}", "date", date, "host", host, "kernel", name.release,
                  "kernel_version", name.version, "machine", name.machine, "root", lab_is_root());
    key_put(into, "system", "/etc/os-release", "PRETTY_NAME=");
    line_put(into, "kernel_command_line", "/proc/cmdline");
    line_put(into, "load_average", "/proc/loadavg");
    return into;
}

static json_t *cpu_json(void)
{
    int cpus[1024];
    char flags[4096] = "";
    json_t *into = json_object();
    key_put(into, "model", "/proc/cpuinfo", "model name");
    key_put(into, "flags", "/proc/cpuinfo", "flags");
    const char *said = json_string_value(json_object_get(into, "flags"));
    snprintf(flags, sizeof flags, " %s ", said ? said : "");
    json_object_del(into, "flags");
    json_object_set_new(into, "online", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    json_object_set_new(into, "usable", json_integer(lab_cpus(cpus, 1024)));
    json_object_set_new(into, "virtual", json_boolean(strstr(flags, " hypervisor ") != NULL));
    line_put(into, "vendor", "/sys/class/dmi/id/sys_vendor");
    line_put(into, "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    line_put(into, "smt", "/sys/devices/system/cpu/smt/active");
    return into;
}

static json_t *mitigations_json(void)
{
    static const char directory[] = "/sys/devices/system/cpu/vulnerabilities";
    json_t *into = json_object();
    DIR *listing = opendir(directory);
    struct dirent *entry;
    while (listing && (entry = readdir(listing))) {
        char path[320];
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (entry->d_name[0] == '.') continue;
        line_put(into, entry->d_name, path);
        const char *said = json_string_value(json_object_get(into, entry->d_name));
        if (said && !strcmp(said, "Not affected")) json_object_del(into, entry->d_name);
    }
    if (listing) closedir(listing);
    return into;
}

static json_t *memory_json(void)
{
    json_t *into = json_object();
    key_put(into, "total", "/proc/meminfo", "MemTotal:");
    key_put(into, "available", "/proc/meminfo", "MemAvailable:");
    key_put(into, "swap", "/proc/meminfo", "SwapTotal:");
    line_put(into, "transparent_huge_pages", "/sys/kernel/mm/transparent_hugepage/enabled");
    line_put(into, "cgroup_limit", "/sys/fs/cgroup/memory.max");
    json_object_set_new(into, "page_bytes", json_integer(sysconf(_SC_PAGESIZE)));
    return into;
}

static json_t *limits_json(void)
{
    static const struct {
        const char *name;
        int resource;
    } limit[] = {{"open_files", RLIMIT_NOFILE},
                 {"locked_bytes", RLIMIT_MEMLOCK},
                 {"processes", RLIMIT_NPROC},
                 {"file_bytes", RLIMIT_FSIZE}};
    json_t *into = json_object();
    for (unsigned i = 0; i < sizeof limit / sizeof *limit; i++) {
        struct rlimit now;
        if (getrlimit((__rlimit_resource_t)limit[i].resource, &now) < 0) continue;
        json_object_set_new(into, limit[i].name,
                            now.rlim_cur == RLIM_INFINITY ? json_string("unlimited")
                                                          : json_integer((json_int_t)now.rlim_cur));
    }
    line_put(into, "io_uring_disabled", "/proc/sys/kernel/io_uring_disabled");
    line_put(into, "perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid");
    line_put(into, "dirty_ratio", "/proc/sys/vm/dirty_ratio");
    line_put(into, "dirty_background_ratio", "/proc/sys/vm/dirty_background_ratio");
    line_put(into, "swappiness", "/proc/sys/vm/swappiness");
    line_put(into, "aio_max_nr", "/proc/sys/fs/aio-max-nr");
    line_put(into, "pipe_max_size", "/proc/sys/fs/pipe-max-size");
    return into;
}

static json_t *device_json(const char *data)
{
    static const char *const setting[] = {
        "scheduler",      "read_ahead_kb",      "nr_requests",
        "max_sectors_kb", "logical_block_size", "physical_block_size",
        "rotational",     "write_cache",        "io_poll"};
    struct device device;
    char value[128], path[192];
    device_of(&device, MACHINE_ITSELF, data);
    json_t *into = json_pack("{s:s,s:s,s:s,s:b,s:b}", "name", device.name, "file_system",
                             device.file_system, "mount_options", device.options, "counters",
                             device.counted, "in_memory", device.in_memory);
    for (unsigned i = 0; i < sizeof setting / sizeof *setting; i++) {
        device_setting(&device, setting[i], value);
        json_object_set_new(into, setting[i], *value ? json_string(value) : json_null());
    }
    if (device.queue[0]) {
        snprintf(path, sizeof path, "%s/../device/model", device.queue);
        line_put(into, "model", path);
        snprintf(path, sizeof path, "%s/../device/queue_depth", device.queue);
        line_put(into, "queue_depth", path);
        snprintf(path, sizeof path, "%s/../size", device.queue);
        line_put(into, "sectors_of_512", path);
    }
    return into;
}

json_t *environment_read(const char *data)
{
    const char *why_not = "";
    bool counted = calls_open(&why_not);
    json_t *into = json_object();
    json_object_set_new(into, "version", json_integer(1));
    json_object_set_new(into, "system", system_json());
    json_object_set_new(into, "cpu", cpu_json());
    json_object_set_new(into, "memory", memory_json());
    json_object_set_new(into, "device", device_json(data));
    json_object_set_new(into, "limits", limits_json());
    json_object_set_new(into, "mitigations", mitigations_json());
    json_object_set_new(into, "syscalls_counted_by",
                        counted ? json_string("tracepoint raw_syscalls:sys_enter")
                                : json_sprintf("the program itself (no tracepoint: %s)", why_not));
    json_object_set_new(into, "clock", json_string("CLOCK_MONOTONIC"));
    return into;
}
