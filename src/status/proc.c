/*
 * Reads figures of processes from /proc. The files are opened each time, because processes come and
 * go. What cannot be read is 0.
 */
#define _GNU_SOURCE
#include "status/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 64
#define TEXT_BYTES 4096 /* more than any file that is read here */

static const char *place = "/proc";

void proc_at(const char *path)
{
    place = path;
}

/* Reads the file's text, as far as it fits. Returns false when it cannot be read. */
static bool text_read(const char *path, char text[TEXT_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t length = read(fd, text, TEXT_BYTES - 1);
    close(fd);
    text[length < 0 ? 0 : length] = '\0';
    return length > 0;
}

/* Returns the number after `name`, which has its colon, in a text of lines; 0 when it is absent. */
static uint64_t number_after(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/*
 * Since Linux 6.2 the size of the directory is the number; before, it is 0, and entries are
 * counted.
 */
static uint64_t descriptors_count(pid_t pid)
{
    char path[PATH_BYTES];
    struct stat status;
    uint64_t count = 0;
    snprintf(path, sizeof(path), "%s/%d/fd", place, (int)pid);
    if (stat(path, &status) == 0 && status.st_size > 0) return (uint64_t)status.st_size;
    DIR *directory = opendir(path);
    if (!directory) return 0;
    for (const struct dirent *one; (one = readdir(directory)) != NULL;)
        count += one->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void switches_add(struct proc *proc, const char *path)
{
    char text[TEXT_BYTES];
    if (!text_read(path, text)) return;
    proc->voluntary_switches += number_after(text, "\nvoluntary_ctxt_switches:");
    proc->involuntary_switches += number_after(text, "\nnonvoluntary_ctxt_switches:");
}

/* Adds up all threads, because /proc/PID/status is about the first thread only. */
static void switches_read(pid_t pid, struct proc *proc)
{
    char path[PATH_BYTES + NAME_MAX];
    snprintf(path, sizeof(path), "%s/%d/task", place, (int)pid);
    DIR *directory = opendir(path);
    if (!directory) return;
    for (const struct dirent *one; (one = readdir(directory)) != NULL;) {
        if (one->d_name[0] == '.') continue;
        snprintf(path, sizeof(path), "%s/%d/task/%s/status", place, (int)pid, one->d_name);
        switches_add(proc, path);
    }
    closedir(directory);
}

bool proc_read(pid_t pid, struct proc *proc)
{
    char path[PATH_BYTES], text[TEXT_BYTES];
    unsigned long long user = 0, system = 0, threads = 0;
    long long resident = 0;
    *proc = (struct proc){0};
    snprintf(path, sizeof(path), "%s/%d/stat", place, (int)pid);
    if (pid <= 0 || !text_read(path, text)) return false;
    const char *after_name = strrchr(text, ')'); /* the name may contain ")" */
    if (!after_name ||
        sscanf(after_name, /* fields 3 to 24 of proc_pid_stat(5) */
               ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %llu %*d "
               "%*u %*u %lld",
               &user, &system, &threads, &resident) != 4)
        return false;
    proc->cpu_user_seconds = (double)user / (double)sysconf(_SC_CLK_TCK);
    proc->cpu_system_seconds = (double)system / (double)sysconf(_SC_CLK_TCK);
    proc->threads = threads;
    proc->resident_bytes = (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
    proc->descriptors = descriptors_count(pid);
    switches_read(pid, proc);
    return true;
}

bool proc_read_proportional(pid_t pid, uint64_t *bytes)
{
    char path[PATH_BYTES], text[TEXT_BYTES];
    snprintf(path, sizeof(path), "%s/%d/smaps_rollup", place, (int)pid);
    if (pid <= 0 || !text_read(path, text) || !strstr(text, "\nPss:")) return false;
    *bytes = number_after(text, "\nPss:") * 1024;
    return true;
}
