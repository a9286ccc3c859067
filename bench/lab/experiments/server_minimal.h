/*
 * Three minimal web servers, to be read side by side. server_fork.c has a process for each connection,
 * server_thread.c a thread, and server_loop.c one loop over epoll(7) for all of them. They answer the same
 * requests with the same code, which is here: a GET gets a file, or, for /compute, a response after some
 * work of the CPU. They differ in who waits for whom, and that is the lesson. They are not for real use:
 * they have no time limits, no caching and no ranges.
 */
#ifndef LAB_SERVER_MINIMAL_H
#define LAB_SERVER_MINIMAL_H

#include <stdbool.h>
#include <stddef.h>

enum { MINIMAL_REQUEST_MAX = 2048, MINIMAL_COMPUTE_MS = 20 };

/*
 * Each serves connections to `listener` with files of the directory `root`, at most `at_most` connections
 * at once (others wait in the kernel), until its process is killed.
 */
void minimal_fork_serve(int listener, int root, unsigned at_most);
void minimal_thread_serve(int listener, int root, unsigned at_most);
void minimal_loop_serve(int listener, int root, unsigned at_most);

/*
 * Returns the bytes of the request at the beginning of the text, with its empty line; 0: it is not complete
 * yet.
 */
size_t minimal_request(const char *text, size_t length);

/* A response that is being sent: a head, then the rest of a file. */
struct minimal_answer {
    char head[128];
    size_t head_bytes, head_sent;
    int file; /* -1: none */
    size_t left;
    bool last; /* the client asked to close the connection after this response */
};

/*
 * Makes the response to a complete request of `bytes`. It may wait for the disk, and /compute takes its
 * time.
 */
void minimal_answer(struct minimal_answer *answer, int root, const char *request, size_t bytes);

/*
 * Sends it, or a part of it when the socket may not wait. Returns 1: it is sent; 0: go on when there is
 * room; -1: the peer is gone.
 */
int minimal_answer_send(struct minimal_answer *answer, int connection);
void minimal_answer_drop(struct minimal_answer *answer);

/*
 * Serves one connection completely, for servers that may wait: reads and answers until the client has
 * enough.
 */
void minimal_converse(int connection, int root);

#endif
