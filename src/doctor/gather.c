/*
 * Finds out what only trying tells: which addresses are this machine's, which files can be written,
 * whether rings work, what is below the roots. Nothing that is tried leaves a trace: no port of the
 * configuration is bound, and no file is made or opened for writing.
 */
#include "doctor/facts.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "model/ring.h"
#include "zcserve/utf8.h"

static int wrong(const char *what, const char *name)
{
    fputs("zcserve doctor: ", stderr);
    utf8_print(stderr, name);
    fprintf(stderr, ": %s\n", what);
    return -1;
}

/* ---- files that would be made ---------------------------------------------------------------- */

/* Copies the directory that holds a file. */
static void holding_directory(char directory[PATH_MAX], const char *path)
{
    snprintf(directory, PATH_MAX, "%s", path);
    char *slash = strrchr(directory, '/');
    if (slash)
        slash[slash == directory] = '\0'; /* the slash itself is the root's name */
    else
        snprintf(directory, PATH_MAX, ".");
}

/* Returns the errno of making a file of this name; 0 when it can be made. */
static int making_error(const char *path)
{
    char directory[PATH_MAX];
    holding_directory(directory, path);
    return faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* Returns the errno of opening a log, which is made when it is not there. */
static int log_error_of(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) return errno == ENOENT ? making_error(path) : errno;
    if (S_ISDIR(status.st_mode)) return EISDIR;
    return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 ? 0 : errno;
}

static bool is_below(const char *path, const char *root)
{
    char directory[PATH_MAX], real[PATH_MAX], top[PATH_MAX];
    holding_directory(directory, path);
    if (!realpath(directory, real) || !realpath(root, top)) return false;
    size_t length = strcmp(top, "/") != 0 ? strlen(top) : 0;
    return strncmp(real, top, length) == 0 && (real[length] == '/' || real[length] == '\0');
}

static void logs_look(struct facts *facts)
{
    for (unsigned i = 0; i < facts->logs; i++) {
        struct facts_log *log = &facts->log[i];
        log->error = log_error_of(log->path);
        for (unsigned r = 0; r < facts->roots; r++)
            log->below_root |= is_below(log->path, facts->root[r].path);
    }
}

static void users_look(struct facts *facts)
{
    for (unsigned i = 0; i < facts->users_files; i++) {
        struct facts_users *users = &facts->users[i];
        struct stat status;
        users->open = stat(users->path, &status) == 0 && (status.st_mode & S_IROTH) != 0;
        for (unsigned r = 0; r < facts->roots; r++)
            users->below_root |= is_below(users->path, facts->root[r].path);
    }
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* Binds a socket to the address, but to a port that the kernel chooses. */
static int ip_error(const struct listen_address *address)
{
    struct listen_address other = *address;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    if (address->address.ss_family == AF_INET) {
        memcpy(&in, &address->address, sizeof(in));
        in.sin_port = 0;
        memcpy(&other.address, &in, sizeof(in));
    } else {
        memcpy(&in6, &address->address, sizeof(in6));
        in6.sin6_port = 0;
        memcpy(&other.address, &in6, sizeof(in6));
    }
    return -listener_probe(&other);
}

static int unix_error(const struct listen_address *address)
{
    struct sockaddr_un name;
    struct stat status;
    if (!listen_address_is_file(address)) return 0; /* whoever likes may take an abstract name */
    memcpy(&name, &address->address, sizeof(name));
    if (lstat(name.sun_path, &status) == 0 && !S_ISSOCK(status.st_mode)) return EEXIST;
    return making_error(name.sun_path);
}

/* With all rights: to see whose sockets others are. */
static void holders_look(struct facts *facts)
{
    for (unsigned i = 0; i < facts->addresses; i++)
        holder_find(&facts->address[i].holder, facts->tree, facts->subject.directory,
                    &facts->address[i].address);
}

static void addresses_try(struct facts *facts)
{
    for (unsigned i = 0; i < facts->addresses; i++) {
        struct facts_address *address = &facts->address[i];
        bool is_unix = address->address.address.ss_family == AF_UNIX;
        address->error = is_unix ? unix_error(&address->address) : ip_error(&address->address);
    }
}

/* Returns whether the server's program has CAP_NET_BIND_SERVICE from its file (capabilities(7)). */
static bool has_file_capability(void)
{
    static const char name[] = "zcserve";
    char path[PATH_MAX];
    struct vfs_cap_data data = {0};
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - sizeof(name));
    while (length > 0 && path[length - 1] != '/')
        length--;
    memcpy(path + (length > 0 ? length : 0), name, sizeof(name));
    if (getxattr(path, "security.capability", &data, sizeof(data)) < (ssize_t)XATTR_CAPS_SZ_1)
        return false;
    bool effective = le32toh(data.magic_etc) & VFS_CAP_FLAGS_EFFECTIVE;
    return effective && (le32toh(data.data[0].permitted) >> CAP_NET_BIND_SERVICE & 1);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static void roots_look(struct facts *facts)
{
    for (unsigned i = 0; i < facts->roots; i++) {
        struct facts_root *root = &facts->root[i];
        int fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        root->error = fd < 0 ? errno : 0;
        if (fd >= 0 && faccessat(fd, ".", F_OK, AT_EACCESS) != 0) root->error = errno;
        root->unlisted = root->error == 0 && faccessat(fd, ".", R_OK, AT_EACCESS) != 0;
        if (fd >= 0) close(fd);
    }
}

/* With as much locked memory as is allowed: how much the server may lock is another question. */
static void rings_try(struct facts_ring *ring)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_MEMLOCK, &limit);
    }
    ring->problem = ring_problem();
    if (!ring->problem) ring->memory_counts = ring_memory_counts();
}

static void files_look(struct facts *facts, const struct facts_wanted *wanted)
{
    const struct config *config = facts->config;
    const char *root[FACTS_ROOTS_MAX + 1] = {NULL};
    struct survey_options options = {.root = root,
                                     .hidden = config->hidden,
                                     .links = config->symlinks != SYMLINKS_NEVER,
                                     .large_bytes = config->cache_file_max,
                                     .entries_max = wanted->entries_max,
                                     .seconds_max = wanted->seconds_max,
                                     .progress = wanted->progress};
    for (unsigned i = 0; i < facts->roots; i++)
        root[i] = facts->root[i].path;
    for (enum coding coding = CODING_GZIP; coding < CODING_COUNT; coding++)
        options.sidecar[coding] =
            config_list_has(&config->sidecars, coding_file_suffix(coding).base + 1);
    survey_take(&facts->survey, &options);
    for (unsigned i = 0; i < facts->survey.systems; i++)
        if (facts->survey.system[i].path)
            device_of(&facts->device[i], facts->tree, facts->survey.system[i].path);
}

/* ---- who looks ------------------------------------------------------------------------------- */

static int subject_look(struct facts *facts, const struct facts_wanted *wanted)
{
    struct subject *subject = &facts->subject;
    char pid[24];
    snprintf(subject->directory, sizeof(subject->directory), "/proc/self");
    subject->is_server = wanted->user || wanted->pid;
    if (wanted->pid) {
        snprintf(pid, sizeof(pid), "%ld", wanted->pid);
        snprintf(subject->directory, sizeof(subject->directory), "/proc/%s", pid);
        return subject_read(subject, facts->tree) == 0 ? 0 : wrong("no such process", pid);
    }
    if (!wanted->user) return 0;
    return subject_find(subject, wanted->user) == 0 ? 0 : wrong("no such user", wanted->user);
}

static int subject_turn(struct facts *facts, const struct facts_wanted *wanted)
{
    struct subject *subject = &facts->subject;
    int result = subject->is_server ? subject_become(subject) : 0;
    if (result == -EPERM) return wrong("only root can look as another user", subject->name);
    if (result != 0) return wrong(strerror(-result), subject->name);
    if (wanted->pid) return 0;
    return subject_read(subject, facts->tree) == 0 ? 0 : wrong("is not mounted", "/proc");
}

int facts_gather(struct facts *facts, const struct facts_wanted *wanted)
{
    const struct config_override root = {.name = "root", .value = wanted->root, .from = "DIR"};
    *facts = (struct facts){.tree = MACHINE_ITSELF};
    if (subject_look(facts, wanted) != 0) return -1;
    const struct config *config = config_load(wanted->file, &root, wanted->root ? 1 : 0, stderr);
    if (!config || facts_of_config(facts, config) != 0) return -1;
    holders_look(facts);
    facts->file_capability = has_file_capability();
    if (subject_turn(facts, wanted) != 0) return -1;
    addresses_try(facts);
    logs_look(facts);
    users_look(facts);
    roots_look(facts);
    if (facts_may_have_rings(facts)) rings_try(&facts->ring);
    files_look(facts, wanted);
    return 0;
}

void facts_free(struct facts *facts)
{
    survey_free(&facts->survey);
    config_free((struct config *)(uintptr_t)facts->config);
    facts->config = NULL;
}
