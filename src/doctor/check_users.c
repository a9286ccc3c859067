/* Files of users: who else can read the hashes of their passwords, and guess from them. */
#include "doctor/check.h"

const char *check_users(const struct facts *facts, struct findings *findings)
{
    for (unsigned i = 0; i < facts->users_files; i++) {
        const struct facts_users *users = &facts->users[i];
        if (users->below_root) {
            finding_add(findings, SEVERITY_HARM,
                        "users %s is below a root: clients may fetch the hashes of its passwords",
                        users->path);
            finding_remedy(findings, "move it out of the root, such as to /etc/zcserve");
        }
        if (users->open) {
            finding_add(
                findings, SEVERITY_WARN,
                "users %s can be read by every user of this machine, who can then guess its "
                "passwords",
                users->path);
            finding_remedy(findings, "chmod o-r; only the supervisor reads it");
        }
    }
    return NULL;
}
