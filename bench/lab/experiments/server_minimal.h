/*
 * Three minimal web servers, to be read side by side: server_fork.c has a process for each connection, server_thread.c a
 * thread, server_loop.c one loop over epoll(7) for all of them. They answer the same requests with the same
 * code, which is this: a GET is answered with a file, or, for /compute, after so much work of the CPU. What they differ
 * in is who waits for whom, and that is the lesson. They are no servers for the world: no time limits, no caching, no ranges.
 */
#ifndef LAB_SERVER_MINIMAL_H
#define LAB_SERVER_MINIMAL_H

#include <stdbool.h>
#include <stddef.h>

enum { MINIMAL_REQUEST_MAX = 2048, MINIMAL_COMPUTE_MS = 20 };

/*
 * Each serves what connects to `listener` with files of the directory `root`, for at most `at_most` connections at
 * once (others wait in the kernel), until its process is killed.
 */
void minimal_fork_serve(int listener, int root, unsigned at_most);
void minimal_thread_serve(int listener, int root, unsigned at_most);
void minimal_loop_serve(int listener, int root, unsigned at_most);

/* Bytes of the request that the text begins with, its empty line included; 0: it is not whole yet. */
size_t minimal_request(const char *text, size_t length);

/* An answer on its way: a head, then what is left of a file. */
struct minimal_answer {
    char head[128];
    size_t head_bytes, head_sent;
    int file; /* -1: none */
    size_t left;
    bool last; /* the client asked to close the connection after it */
};

/* Works out the answer to a whole request of `bytes`. It may wait for the disk, and /compute takes its time. */
void minimal_answer(struct minimal_answer *answer, int root, const char *request, size_t bytes);

/* Sends it or, when the socket may not wait, a part of it. 1: it is sent; 0: go on when there is room; -1: the peer is gone. */
int minimal_answer_send(struct minimal_answer *answer, int connection);
void minimal_answer_drop(struct minimal_answer *answer);

/* The whole life of one connection, for those who may wait: read, answer, until the client has enough. */
void minimal_converse(int connection, int root);

#endif
