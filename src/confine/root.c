/*
 * Makes a directory the "/" of the process (chroot(2)). Whoever holds a directory outside, or may
 * call chroot again, can leave it. So it is done before the process opens any directory, and what
 * follows takes CAP_SYS_CHROOT away.
 */
#define _GNU_SOURCE
#include "confine/attempt.h"
#include "zcserve/confine.h"
#include "zcserve/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The working directory must not stay outside. */
static int enter(const char *directory)
{
    return chdir(directory) == 0 && chroot(".") == 0 && chdir("/") == 0 ? 0 : -errno;
}

struct entering {
    const char *directory, *inside;
};

static int enter_try(const void *of)
{
    const struct entering *entering = of;
    int error = enter(entering->directory);
    if (error != 0) return error;
    return open(entering->inside, O_PATH | O_DIRECTORY | O_CLOEXEC) >= 0 ? 0 : -errno;
}

int confine_root_try(const char *directory, const char *inside)
{
    struct entering entering = {directory, inside};
    return attempt(enter_try, &entering);
}

bool confine_root(const struct confinement *confinement)
{
    if (!confinement->chroot) return true;
    tzset(); /* its files are not there inside */
    int error = enter(confinement->chroot);
    if (error != 0) log_error("cannot enter %s: %s", confinement->chroot, strerror(-error));
    return error == 0;
}
