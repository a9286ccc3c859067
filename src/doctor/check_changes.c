/* How the server learns that a file has changed, and what of it is in memory. */
#include "doctor/check.h"

#include <errno.h>
#include <string.h>

#include "tool/format.h"

static const char *path_of(const struct survey_system *system)
{
    return system->path ? system->path : "a directory below a root";
}

const char *check_notification(const struct facts *facts, struct findings *findings)
{
    for (unsigned i = 0; i < facts->survey.systems; i++) {
        const struct survey_system *system = &facts->survey.system[i];
        const char *kind = facts->device[i].file_system;
        if (system->reports_changes) continue;
        finding_add(findings, SEVERITY_WARN,
                    "%s: this file system%s%s%s does not report changes, so each hit costs the "
                    "system calls that compare the file",
                    path_of(system), *kind ? " (" : "", kind, *kind ? ")" : "");
        finding_remedy(findings, "serve a copy on a local disk, if hits are to cost less");
    }
    return NULL;
}

/* ---- watches --------------------------------------------------------------------------------- */

/* Returns how many watches a worker adds for all directories, and for the path of each root. */
static uint64_t watches_wanted(const struct facts *facts)
{
    uint64_t watches = facts->survey.directories;
    for (unsigned i = 0; i < facts->roots; i++)
        for (const char *at = facts->root[i].path; (at = strchr(at, '/')); at++)
            watches++;
    return watches;
}

static void watches_look(const struct facts *facts, struct findings *findings)
{
    uint64_t wanted = watches_wanted(facts), most = facts->config->cache_watches, allowed;
    format_space a, b;
    if (wanted > most) {
        finding_add(findings, SEVERITY_WARN,
                    "%s directories are to be watched, and a worker watches %s (cache.watches): "
                    "files in the others are compared on each request",
                    format_count(a, (double)wanted), format_count(b, (double)most));
        finding_remedy(findings, "cache { watches = %llu }", (unsigned long long)wanted);
    }
    uint64_t all = (wanted < most ? wanted : most) * facts->service.workers;
    if (!kernel_number(facts->tree, "/proc/sys/fs/inotify/max_user_watches", &allowed)) return;
    if (all <= allowed) return;
    finding_add(findings, SEVERITY_WARN,
                "all workers together watch %s directories, and a user may have %s watches "
                "(fs.inotify.max_user_watches): files in the others are compared on each request",
                format_count(a, (double)all), format_count(b, (double)allowed));
    finding_remedy(findings, "sysctl fs.inotify.max_user_watches=%llu",
                   2 * (unsigned long long)all);
}

const char *check_watches(const struct facts *facts, struct findings *findings)
{
    static const char path[] = "/proc/sys/fs/inotify/max_user_instances";
    uint64_t most, wanted = facts->service.workers; /* each has a store of its own */
    format_space a, b;
    watches_look(facts, findings);
    if (!kernel_number(facts->tree, path, &most)) return path;
    if (wanted <= most) return NULL;
    finding_add(findings, SEVERITY_WARN,
                "%s workers need an inotify instance each, and a user may have %s "
                "(fs.inotify.max_user_instances): the others compare files on each request",
                format_count(a, (double)wanted), format_count(b, (double)most));
    finding_remedy(findings, "sysctl fs.inotify.max_user_instances=%llu",
                   2 * (unsigned long long)wanted);
    return NULL;
}

/* ---- residency ------------------------------------------------------------------------------- */

static void samples_show(const struct survey_system *system, struct findings *findings)
{
    if (system->error == 0) { /* overlayfs */
        finding_add(findings, SEVERITY_WARN,
                    "%s: on overlayfs the kernel tells of a few pages only whether they are in "
                    "memory, so an event loop may wait for the disk",
                    path_of(system));
        finding_remedy(findings, "keep the files on a volume, not in the image of a container");
    } else if (system->error == ENOSYS) {
        finding_add(
            findings, SEVERITY_NOTE,
            "%s: this kernel has no cachestat(2), so only one page of each 128 KiB is asked "
            "for",
            path_of(system));
        finding_remedy(findings, "Linux 6.5 or later, if large files often come from the disk");
    } else {
        finding_add(findings, SEVERITY_NOTE,
                    "%s: cachestat(2) fails (%s), so only one page of each 128 KiB is "
                    "asked for",
                    path_of(system), strerror(system->error));
        finding_remedy(findings, "none is needed while large files stay in memory; recent kernels "
                                 "answer only users who may write to the file, and a seccomp "
                                 "filter may have to allow cachestat");
    }
}

const char *check_residency(const struct facts *facts, struct findings *findings)
{
    for (unsigned i = 0; i < facts->survey.systems; i++) {
        const struct survey_system *system = &facts->survey.system[i];
        if (!system->probed || system->means == RESIDENT_WHOLE) continue;
        if (system->means == RESIDENT_SAMPLES) {
            samples_show(system, findings);
            continue;
        }
        finding_add(
            findings, SEVERITY_WARN,
            "%s: the kernel does not tell what of a file is in memory, so an event loop may "
            "wait for the disk",
            path_of(system));
        finding_remedy(findings, "serve a copy on a local disk, or model = threadpool");
    }
    return NULL;
}
