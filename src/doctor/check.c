/* The table of checks, in the order in which they are shown. */
#include "doctor/check.h"

#include <assert.h>

const struct check checks[] = {
    {"root", 0, check_root, "the directories to serve are there"},
    {"user", 0, check_user, "with whose rights doctor looks"},
    {"listen", 0, check_listen, "addresses: of this machine, and free"},
    {"privileged", NEEDS_TCP, check_privileged, "ports below net.ipv4.ip_unprivileged_port_start"},
    {"logs", NEEDS_LOGS, check_logs, "logs can be written, and are not below a root"},
    {"users", NEEDS_USERS, check_users, "files of users cannot be read by others, or fetched"},
    {"descriptors", 0, check_descriptors,
     "RLIMIT_NOFILE and fs.file-max against connections and open files"},
    {"io_uring", NEEDS_RINGS, check_io_uring, "rings: forbidden by what, or too old a kernel"},
    {"memlock", NEEDS_RINGS, check_memlock, "RLIMIT_MEMLOCK against the rings of all workers"},
    {"backlog", 0, check_backlog, "net.core.somaxconn against backlog"},
    {"ports", NEEDS_TCP, check_ports,
     "net.ipv4.ip_local_port_range against ports that are listened on"},
    {"conntrack", NEEDS_TCP, check_conntrack,
     "net.netfilter.nf_conntrack_max against connections, when it is loaded"},
    {"survey", NEEDS_FILES, check_survey, "whether all files were looked at"},
    {"readable", NEEDS_FILES | NEEDS_USER, check_readable,
     "files that the user cannot read, directories that it cannot enter"},
    {"owners", NEEDS_FILES, check_owners, "files and directories that every user may change"},
    {"own", NEEDS_FILES | NEEDS_USER | NEEDS_SERVER, check_own,
     "files and directories that the server itself may change"},
    {"links", NEEDS_FILES, check_links, "symbolic links that lead nowhere or out of the root"},
    {"sidecars", NEEDS_FILES | NEEDS_SIDECARS, check_sidecars,
     "precompressed files that are stale, empty, or not smaller"},
    {"notification", NEEDS_FILES | NEEDS_WATCHES, check_notification,
     "file systems that do not report changes"},
    {"watches", NEEDS_FILES | NEEDS_WATCHES, check_watches,
     "cache.watches and fs.inotify.* against directories"},
    {"residency", NEEDS_FILES | NEEDS_LOOPS | NEEDS_LARGE, check_residency,
     "whether the kernel tells what is in the page cache"},
    {"memory", NEEDS_CACHE, check_memory,
     "cache.size against the memory of machine and control group"},
    {"swap", NEEDS_CACHE, check_swap, "swap in use against vm.swappiness"},
    {"dirty", NEEDS_DISK, check_dirty, "vm.dirty_ratio against memory"},
    {"huge_pages", 0, check_huge_pages, "transparent huge pages: waiting for compaction"},
    {"read_ahead", NEEDS_DISK | NEEDS_LARGE, check_read_ahead, "read-ahead of the disk"},
    {"scheduler", NEEDS_DISK, check_scheduler, "I/O scheduler against the kind of disk"},
    {"clock", 0, check_clock, "clock source: whether reading the time needs a system call"},
    {0},
};

/* ---- needs ----------------------------------------------------------------------------------- */

static bool has_files(const struct facts *facts)
{
    return facts->survey.directories > 0;
}

static bool is_user(const struct facts *facts)
{
    return facts->subject.user != 0;
}

static bool is_server_known(const struct facts *facts)
{
    return facts->subject.is_server;
}

static bool has_disk(const struct facts *facts)
{
    for (unsigned i = 0; i < facts->survey.systems; i++)
        if (facts->device[i].queue[0] && !facts->device[i].in_memory) return true;
    return false;
}

static bool has_large(const struct facts *facts)
{
    return facts->survey.large_files > 0;
}

static bool has_cache(const struct facts *facts)
{
    return facts->config->cache_size > 0;
}

static bool has_watches(const struct facts *facts)
{
    return facts->config->cache_watches > 0;
}

static bool has_logs(const struct facts *facts)
{
    return facts->logs > 0;
}

static bool has_sidecars(const struct facts *facts)
{
    return facts->config->sidecars.count > 0;
}

static bool has_users(const struct facts *facts)
{
    return facts->users_files > 0;
}

static const struct {
    bool (*is_met)(const struct facts *facts);
    const char *why_not;
} needs[NEEDS_COUNT] = {
    {facts_has_tcp, "all addresses are Unix sockets"},
    {facts_has_loops, "the model has no event loop"},
    {facts_may_have_rings, "the model uses no io_uring"},
    {has_files, "no root could be looked at"},
    {is_user, "root may do everything; -u USER looks as another user"},
    {is_server_known, "-u USER or --pid PID says who serves"},
    {has_disk, "no file system is on one disk that is known"},
    {has_large, "no file is larger than cache.file_max"},
    {has_cache, "cache.size is 0"},
    {has_watches, "cache.watches is 0"},
    {has_logs, "no log is a file"},
    {has_sidecars, "sidecars are switched off"},
    {has_users, "no rule has users"},
};

static const char *need_missing(const struct facts *facts, unsigned wanted)
{
    for (unsigned i = 0; i < NEEDS_COUNT; i++)
        if ((wanted >> i & 1) && !needs[i].is_met(facts)) return needs[i].why_not;
    return NULL;
}

unsigned checks_run(const struct facts *facts, struct findings *findings,
                    const char *why_not[CHECKS_MAX])
{
    unsigned looked = 0;
    for (unsigned i = 0; checks[i].name; i++) {
        assert(i < CHECKS_MAX);
        findings->check = checks[i].name;
        why_not[i] = need_missing(facts, checks[i].needs);
        if (!why_not[i]) why_not[i] = checks[i].look(facts, findings);
        looked += !why_not[i];
    }
    return looked;
}
