/*
 * Reads the files of users, when the server starts and at each reload, so that no worker needs the right to
 * read them. To serve to everyone what only some users may see would be worse than not to start: any
 * fault of a file is an error.
 */
#include "start/rules.h"
#include "zcserve/guard.h"
#include "zcserve/log.h"

#include <string.h>

/* Returns the users of this file if it was read before. */
static const struct users *file_find(const struct users_files *files, const char *name)
{
    for (uint32_t i = 0; i < files->count; i++)
        if (strcmp(files->file[i].name, name) == 0) return files->file[i].users;
    return NULL;
}

static void open_warn(const char *name)
{
    log_warn("%s can be read by every user of this machine, who can then guess the passwords: "
             "chmod o-r",
             name);
}

/* Reads a file. Returns NULL after it reported what is wrong. */
static const struct users *file_read(const struct rules_making *m, const char *name)
{
    struct users_files *files = m->files;
    char problem[RULE_PATH_SHOWN + 128];
    bool open = false;
    if (files->count == USERS_FILES_MAX) {
        rule_problem(m, "users", &m->rule->users, "all rules together name more than %d files",
                     USERS_FILES_MAX);
        return NULL;
    }
    struct users *users = NULL;
    if (guard_load(problem, sizeof(problem)))
        users = htpasswd_load(name, files->count, &open, problem, sizeof(problem));
    if (!users) {
        rule_problem(m, "users", &m->rule->users, "%s", problem);
        return NULL;
    }
    if (open) open_warn(name);
    files->file[files->count++] = (struct users_file){name, users};
    return users;
}

bool rule_users_make(const struct rules_making *m)
{
    const char *name = m->rule->users;
    if (!config_rule_place(m->rule, &m->rule->users)) return true;
    m->made->sets |= (uint16_t)(1U << RULE_USERS);
    if (strcmp(name, "off") == 0) return true;
    m->made->users = file_find(m->files, name);
    if (!m->made->users) m->made->users = file_read(m, name);
    return m->made->users;
}

void users_files_free(struct users_files *files)
{
    for (uint32_t i = 0; i < files->count; i++)
        users_free(files->file[i].users);
    files->count = 0;
}
