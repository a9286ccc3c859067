/*
 * Opens listening sockets and accepts connections. TCP_NODELAY is set on the listening socket: on Linux
 * an accepted socket inherits it, which saves one system call for each connection.
 *
 * Two options are left out on purpose:
 * - TCP_DEFER_ACCEPT: a connection that sends nothing would escape the deadline for the request head, and
 *   connections would not be accepted in the order in which they came.
 * - TCP_FASTOPEN: the same request could arrive twice, and only few clients use it.
 *
 * The only file that is ever unlinked is a Unix socket on which nobody listens.
 */
#define _GNU_SOURCE
#include "zcserve/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool listener_is_unix(const struct listen_address *address)
{
    return address->address.ss_family == AF_UNIX;
}

static int listener_switch_on(int fd, int level, int option)
{
    int on = 1;
    return setsockopt(fd, level, option, &on, sizeof(on)) < 0 ? -errno : 0;
}

/* Always sets IPV6_V6ONLY, to 0 or to 1, because its default depends on the system (net.ipv6.bindv6only). */
static int listener_set_options(int fd, const struct listen_address *address, bool share)
{
    int result = 0;

    if (listener_is_unix(address)) return 0;
    if (address->address.ss_family == AF_INET6) {
        int alone = address->every ? 0 : 1;
        if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &alone, sizeof(alone)) < 0) return -errno;
    }
    if ((result = listener_switch_on(fd, SOL_SOCKET, SO_REUSEADDR)) == 0 && share)
        result = listener_switch_on(fd, SOL_SOCKET, SO_REUSEPORT);
    return result < 0 ? result : listener_switch_on(fd, IPPROTO_TCP, TCP_NODELAY);
}

/* Returns 0 when nobody listens on this Unix socket any more, so that it may be removed; else -errno. */
static int listener_check_stale(const struct listen_address *address)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&address->address;
    struct stat file;

    if (lstat(un->sun_path, &file) < 0) return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(file.st_mode)) return -EEXIST;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int result = connect(fd, (const struct sockaddr *)un, address->length) < 0 ? -errno : 0;
    close(fd);
    switch (result) {
    case -ECONNREFUSED:
    case -ENOENT: return 0;
    case -EACCES: return -EACCES;
    default: /* connected, its queue is full, or it has another type: somebody uses it */
        return -EADDRINUSE;
    }
}

/*
 * Binds the socket. The kernel creates the file of a Unix socket with the mode of the socket itself, less
 * the umask. So the mode is set before bind(), and the file has no other mode at any time.
 */
static int listener_bind_once(int fd, const struct listen_address *address)
{
    const struct sockaddr *name = (const struct sockaddr *)&address->address;

    if (!listen_address_is_file(address) || !address->access.has_mode)
        return bind(fd, name, address->length);
    if (fchmod(fd, address->access.mode) < 0) return -1;
    mode_t before = umask(0);
    int result = bind(fd, name, address->length);
    umask(before);
    return result;
}

/*
 * Gives the file of a Unix socket to its configured owner and group. It uses a descriptor of the file, because
 * another file may have taken the name by now.
 */
static int listener_give(const struct listen_address *address)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&address->address;
    const struct listen_access *access = &address->access;
    struct stat file;

    if (!listen_address_is_file(address) ||
        (!access->has_mode && access->owner == (uid_t)-1 && access->group == (gid_t)-1))
        return 0;
    int fd = open(un->sun_path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -errno;
    int result = fstat(fd, &file) < 0 ? -errno : 0;
    bool is_right =
        S_ISSOCK(file.st_mode) && (!access->has_mode || (file.st_mode & ALLPERMS) == access->mode);
    if (result == 0 && !is_right)
        result = -EOPNOTSUPP; /* the kernel ignored the socket's mode, or this is another file */
    if (result == 0 && fchownat(fd, "", access->owner, access->group, AT_EMPTY_PATH) < 0)
        result = -errno;
    close(fd);
    return result;
}

static int listener_bind(int fd, const struct listen_address *address)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&address->address;

    if (listener_bind_once(fd, address) == 0) return 0;
    if (errno != EADDRINUSE || !listen_address_is_file(address)) return -errno;
    int result = listener_check_stale(address);
    if (result < 0) return result;
    if (unlink(un->sun_path) < 0 && errno != ENOENT) return -errno;
    return listener_bind_once(fd, address) < 0 ? -errno : 0;
}

/*
 * Returns a socket that is bound to exactly this address, or -errno. When the kernel chose the port, it is
 * written to `address`.
 */
static int listener_make(struct listen_address *address, bool share)
{
    int fd = socket(address->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int result = listener_set_options(fd, address, share);
    if (result == 0) result = listener_bind(fd, address);
    if (result == 0 && (result = listener_give(address)) < 0) {
        listener_close(fd, address, true);
        return result;
    }
    if (result == 0 && !listener_is_unix(address)) {
        socklen_t length = sizeof(address->address);
        result = getsockname(fd, (struct sockaddr *)&address->address, &length) < 0 ? -errno : 0;
    }
    if (result < 0) {
        close(fd);
        return result;
    }
    return fd;
}

/* Where the kernel has no IPv6, "every address" is 0.0.0.0. */
static void listener_fall_back(struct listen_address *address)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->address;
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = in6->sin6_port, .sin_addr.s_addr = htonl(INADDR_ANY)};

    memcpy(&address->address, &in, sizeof(in));
    address->length = sizeof(in);
}

static int listener_make_or_fall_back(struct listen_address *address, bool share)
{
    int fd = listener_make(address, share);

    if ((fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) && address->every &&
        address->address.ss_family == AF_INET6) {
        listener_fall_back(address);
        fd = listener_make(address, share);
    }
    return fd;
}

int listener_open(struct listen_address *address, bool share, int backlog)
{
    int fd = listener_make_or_fall_back(address, share);

    if (fd >= 0 && listen(fd, backlog) < 0) {
        int result = -errno;
        listener_close(fd, address, true);
        return result;
    }
    return fd;
}

int listener_probe(const struct listen_address *address)
{
    struct listen_address copy = *address;

    if (listener_is_unix(address)) return 0;
    int fd = listener_make_or_fall_back(&copy, false);
    if (fd < 0) return fd;
    close(fd);
    return 0;
}

bool listener_is_sharable(int fd)
{
    int on = 0;
    socklen_t length = sizeof(on);
    return getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, &length) == 0 && on;
}

void listener_close(int fd, const struct listen_address *address, bool remove)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&address->address;

    if (remove && listen_address_is_file(address)) unlink(un->sun_path);
    close(fd);
}

bool listener_is_trouble_of_one(int error)
{
    switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case EPERM: /* a firewall forbids this connection */
    case ETIMEDOUT:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH: return true;
    default: return false;
    }
}

bool listener_lacks_descriptor(int error)
{
    return error == -EMFILE || error == -ENFILE;
}

bool listener_is_awaited(int listener)
{
    struct pollfd poll_listener = {.fd = listener, .events = POLLIN};

    return poll(&poll_listener, 1, 0) == 1 && (poll_listener.revents & POLLIN) != 0;
}

int listener_accept(int listener, bool nonblocking, struct sockaddr_storage *peer)
{
    int flags = SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
    int fd = -1;

    do {
        socklen_t length = sizeof(*peer);
        if (peer) peer->ss_family = AF_UNSPEC;
        fd = accept4(listener, (struct sockaddr *)peer, !peer ? NULL : &length, flags);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) return listener_is_trouble_of_one(errno) ? -ECONNABORTED : -errno;
    return fd;
}
