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

/* Who may connect to a Unix socket: every user who may write to its file (unix(7)). */
struct listen_access {
    bool has_mode; /* false: the umask decides the mode of the file */
    mode_t mode;   /* 0 to 0777                                     */
    uid_t owner;   /* (uid_t)-1: the user of this process           */
    gid_t group;   /* (gid_t)-1: the group of this process          */
};

/*
 * Where to listen. Text forms: "8080", ":8080", "*:8080" (every IPv4 and IPv6 address),
 * "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (which is 127.0.0.1), "unix:/path", and
 * "unix:@name", which is abstract: it has no file (unix(7)). " proxy" may follow each of them.
 * Other names are refused: the addresses of a server must not depend on a resolver. With port 0 the
 * kernel chooses the port.
 */
struct listen_address {
    struct sockaddr_storage address;
    socklen_t length;
    bool every; /* one socket for IPv6 and IPv4; only IPv4 where there is no IPv6 */
    bool proxy; /* each connection begins with a header of the PROXY protocol     */
    struct listen_access access; /* of a Unix socket; after parsing: mode by the umask, own user */
};

/*
 * Reads `text`. Returns 0, or -1 with one line in `problem` that says what is wrong and the remedy.
 */
int listen_address_parse(const char *text, struct listen_address *address, char *problem,
                         size_t size);

/* Returns whether both are the same address, with the same port; `proxy` does not count. */
bool listen_address_equals(const struct listen_address *a, const struct listen_address *b);

/*
 * Returns which of `count` listening addresses a connection came to whose own address is `local`, as
 * getsockname(2) gives it; NULL: to none of them. One that names this address goes before one for
 * every address, as in the kernel.
 */
const struct listen_address *listen_address_find(const struct listen_address *addresses,
                                                 uint32_t count, const struct sockaddr *local,
                                                 socklen_t length);

/* Returns whether this is a Unix socket with a file, which is not so for an abstract address. */
bool listen_address_is_file(const struct listen_address *address);

/*
 * Writes "127.0.0.1:8080", "[::1]:8080", "*:8080", "unix:/path" or "unix:@name", without " proxy",
 * and a NUL.
 */
void listen_address_format(const struct listen_address *address, char *text, size_t size);
#define LISTEN_ADDRESS_TEXT_MAX 128

/*
 * Opens a non-blocking, close-on-exec listening socket. Returns the descriptor, or -errno.
 * `share`: several sockets, one for each worker, may be bound to the address (SO_REUSEPORT); it has
 * no meaning for Unix sockets. The port that the kernel chose, and 0.0.0.0 where there is no IPv6,
 * are written back to `address`. "[::]:8080" is IPv6 only.
 * The file of a Unix socket has the mode and owner of `access` before a peer can connect; the
 * result is -EPERM when this owner is not permitted. The umask of the process is changed for a
 * moment before the socket listens. A file on which no process listens is replaced. A file on which
 * a process listens gives -EADDRINUSE; any other kind of file gives -EEXIST.
 */
int listener_open(struct listen_address *address, bool share, int backlog);

/*
 * Checks whether an unshared socket could use the address. Returns 0, or -errno: -EADDRINUSE when a
 * process listens there. It must be called once before sharing, because SO_REUSEPORT would let a
 * second server of the same user join silently and take some of the connections. Always 0 for Unix
 * sockets.
 */
int listener_probe(const struct listen_address *address);

/* Returns whether several sockets may be bound to the address of this one (SO_REUSEPORT). */
bool listener_is_sharable(int fd);

/* Closes the listener, and with `remove` deletes the file of a Unix socket. */
void listener_close(int fd, const struct listen_address *address, bool remove);

/*
 * Accepts one connection: close-on-exec, and non-blocking if `nonblocking`. It inherits TCP_NODELAY
 * from the listening socket. `peer` (may be NULL) gets the address; its family is AF_UNIX or
 * AF_UNSPEC for a Unix socket. Returns the descriptor or -errno:
 *
 *     -EAGAIN                             none waits, or the time of a blocking listener is over
 *     -ECONNABORTED                       a fault of this one connection (accept(2) passes pending
 *                                         network errors on): try the next
 *     -EMFILE, -ENFILE, -ENOBUFS, -ENOMEM the system has no room: pause accepting, try later; the
 *                                         connection stays queued and the socket readable
 */
int listener_accept(int listener, bool nonblocking, struct sockaddr_storage *peer);

/* Returns whether this error means that descriptors ran out, so that closing one helps. */
bool listener_lacks_descriptor(int error);

/* Returns whether a connection waits to be accepted. Makes one system call. */
bool listener_is_awaited(int listener);

/* Returns whether this error of accept(2), as errno has it, concerns only the first connection. */
bool listener_is_trouble_of_one(int error);

#endif
