/*
 * Listening sockets: IPv4, IPv6 and Unix.
 */
#ifndef ZCSERVE_LISTENER_H
#define ZCSERVE_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Who may connect to a Unix socket: whoever may write to its file (unix(7)). */
struct listen_access {
    bool has_mode; /* else the file gets what the umask leaves  */
    mode_t mode;   /* 0 to 0777                                 */
    uid_t owner;   /* (uid_t)-1: whoever made it                */
    gid_t group;   /* (gid_t)-1: the same                       */
};

/*
 * Where to listen. Text forms: "8080", ":8080", "*:8080" (every IPv4 and IPv6 address),
 * "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (which is 127.0.0.1), "unix:/path".
 * No other names: what a server listens on must not depend on a resolver. Port 0 lets the kernel
 * choose.
 */
struct listen_address {
    struct sockaddr_storage address;
    socklen_t length;
    bool every; /* one socket for IPv6 and IPv4; just IPv4 where there is no IPv6 */
    struct listen_access access; /* of a Unix socket; as parsed: the umask's, nobody else's */
};

/* Reads `text`. 0, or -1 with one line in `problem` that says what is wrong and what would be right. */
int listen_address_parse(const char *text, struct listen_address *address, char *problem,
                         size_t size);

/* "127.0.0.1:8080", "[::1]:8080", "*:8080", "unix:/path"; always ends with a NUL. */
void listen_address_format(const struct listen_address *address, char *text, size_t size);
#define LISTEN_ADDRESS_TEXT_MAX 128

/*
 * Opens a non-blocking, close-on-exec listening socket. `share`: several sockets may be bound to
 * the address (SO_REUSEPORT), one a worker; no meaning for Unix sockets. The port that the kernel
 * chose, and 0.0.0.0 where there is no IPv6, are written back to `address`. "[::]:8080" is IPv6 alone.
 * The file of a Unix socket gets what `access` says before anybody can connect; -EPERM when its owner may not be
 * given. Until it listens, the umask of the process is changed for a moment. A stale one, on which nobody
 * listens, is replaced; one that is listened on is -EADDRINUSE, any other kind of file -EEXIST.
 * The descriptor, or -errno.
 */
int listener_open(struct listen_address *address, bool share, int backlog);

/*
 * Would an unshared socket find the address free? 0, or -errno: -EADDRINUSE when anybody listens
 * there. To be asked once before sharing, for SO_REUSEPORT lets a second server of the same user
 * join unnoticed and take a part of the connections. Always 0 for Unix sockets.
 */
int listener_probe(const struct listen_address *address);

/* Closes it, and removes the file of a Unix socket when `remove` says so. */
void listener_close(int fd, const struct listen_address *address, bool remove);

/*
 * Accepts one connection: non-blocking when `nonblocking`, close-on-exec. TCP_NODELAY is inherited
 * from the listening socket, however one accepts. `peer` (may be NULL) gets the address; its family is
 * AF_UNIX or AF_UNSPEC for a Unix socket. The descriptor or -errno:
 *
 *     -EAGAIN                             none is waiting, or a blocking listener's time ran out
 *     -ECONNABORTED                       trouble of this one connection (accept(2) passes pending
 *                                         network errors on): try the next
 *     -EMFILE, -ENFILE, -ENOBUFS, -ENOMEM the system has no room: pause accepting, try later; the
 *                                         connection stays queued and the socket readable
 */
int listener_accept(int listener, bool nonblocking, struct sockaddr_storage *peer);

/* Whether that error says that descriptors ran out, so that closing one would help. */
bool listener_lacks_descriptor(int error);

/* Whether a connection waits to be accepted. One system call. */
bool listener_is_awaited(int listener);

/* Which errors of accept(2), as errno has them, belong to the one connection at the head of the queue? */
bool listener_is_trouble_of_one(int error);

#endif
