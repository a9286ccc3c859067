/*
 * Who may connect to Unix sockets: reads the block `unix_socket` of the configuration. What is
 * neither the name of a user or group nor a number is reported.
 */
#include "start/program.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Reads three or four octal digits, without setuid, setgid and sticky, which have no meaning here.
 */
static bool mode_read(const char *text, struct listen_access *access)
{
    size_t length = strlen(text);
    if (length < 3 || length > 4 || strspn(text, "01234567") != length) return false;
    access->mode = (mode_t)strtoul(text, NULL, 8);
    access->has_mode = access->mode <= 0777;
    return access->has_mode;
}

/* Reads the number of a user or group. UINT32_MAX is not one: to chown(2) it means "unchanged". */
static bool number_read(const char *text, uint32_t *number)
{
    size_t length = strlen(text);
    if (length == 0 || length > 10 || strspn(text, "0123456789") != length) return false;
    unsigned long value = strtoul(text, NULL, 10);
    if (value >= UINT32_MAX) return false;
    *number = (uint32_t)value;
    return true;
}

static bool owner_read(const char *name, uid_t *owner)
{
    if (*name == '\0') return false;
    const struct passwd *user = getpwnam(name);
    if (user) *owner = user->pw_uid;
    return user || number_read(name, owner);
}

static bool group_read(const char *name, gid_t *number)
{
    if (*name == '\0') return false;
    const struct group *group = getgrnam(name);
    if (group) *number = group->gr_gid;
    return group || number_read(name, number);
}

/* Returns whether the value is empty or right; otherwise prints it with the problem. */
static bool is_right(const struct program *p, const char *option, const char *const *value,
                     bool right, const char *wanted)
{
    char problem[512];
    if (**value == '\0' || right) return true;
    snprintf(problem, sizeof(problem), "'%.255s' is %s", *value, wanted);
    config_problem(p, option, value, problem);
    return false;
}

bool unix_access_read(const struct program *p, struct listen_access *access)
{
    const struct config *c = p->config;
    *access = (struct listen_access){.owner = (uid_t)-1, .group = (gid_t)-1};
    return is_right(p, "unix_socket.mode", &c->unix_socket_mode,
                    mode_read(c->unix_socket_mode, access),
                    "not a mode of three or four octal digits up to 0777, such as 0660") &&
           is_right(p, "unix_socket.owner", &c->unix_socket_owner,
                    owner_read(c->unix_socket_owner, &access->owner),
                    "no user name of this system and no number") &&
           is_right(p, "unix_socket.group", &c->unix_socket_group,
                    group_read(c->unix_socket_group, &access->group),
                    "no group name of this system and no number");
}
