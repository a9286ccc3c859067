/*
 * The first of the minimal servers: a process for each connection, like inetd and the first web servers (W.
 * R. Stevens, "UNIX Network Programming", 1990).
 *
 * What is good: the code is as simple as possible. Each process serves one client, and may wait for it, for
 * the disk, or for the CPU; nobody else has to wait. A crash ends one connection.
 *
 * What it costs: fork(2) copies the page tables, so a new connection costs some 100 µs before the first
 * byte. Each connection holds a process, whether idle or not (its kernel stack, page tables, and every page
 * that it has written to). And with many of them, the kernel switches address spaces at each request.
 */
#include "server_minimal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Reaps children that have ended. When there are as many as allowed, waits until one ends. */
static unsigned children_reap(unsigned children, unsigned at_most)
{
    while (children > 0) {
        pid_t ended = waitpid(-1, NULL, children < at_most ? WNOHANG : 0);
        if (ended <= 0) break;
        children--;
    }
    return children;
}

void minimal_fork_serve(int listener, int root, unsigned at_most)
{
    unsigned children = 0;
    for (;;) {
        children = children_reap(children, at_most);
        int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0) {
            if (errno != EINTR && errno != ECONNABORTED) poll(NULL, 0, 10); /* no descriptors */
            continue;
        }
        pid_t child = fork();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* so that nothing is left running */
            close(listener);
            minimal_converse(connection, root);
            _exit(0);
        }
        if (child > 0) children++;
        close(connection); /* the child has it; without one, the client sees the end */
    }
}
