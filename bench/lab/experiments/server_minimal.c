/* What the minimal servers share: just as much of HTTP/1.1 (RFC 9112) as a client needs to measure them. */
#include "server_minimal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

size_t minimal_request(const char *text, size_t length)
{
    const char *end = memmem(text, length, "\r\n\r\n", 4);
    return end ? (size_t)(end - text) + 4 : 0;
}

/* Work for the CPU. It ends after a fixed CPU time, however often it is interrupted. */
static void compute(void)
{
    struct timespec begun, now;
    double ms = 0;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begun);
    while (ms < MINIMAL_COMPUTE_MS) {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        ms =
            (double)(now.tv_sec - begun.tv_sec) * 1e3 + (double)(now.tv_nsec - begun.tv_nsec) / 1e6;
    }
}

/* Opens the regular file with this path below the root; -1: there is none. */
static int file_open(int root, const char *path, size_t *bytes)
{
    struct stat status;
    bool leaves = path[0] == '/' || strstr(path, "..");
    int file = leaves ? -1 : openat(root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file >= 0 && (fstat(file, &status) < 0 || !S_ISREG(status.st_mode))) {
        close(file);
        file = -1;
    }
    *bytes = file >= 0 ? (size_t)status.st_size : 0;
    return file;
}

void minimal_answer(struct minimal_answer *answer, int root, const char *request, size_t bytes)
{
    char path[256] = "";
    *answer = (struct minimal_answer){.file = -1};
    answer->last = memmem(request, bytes, "\r\nConnection: close\r\n", 21) != NULL;
    bool is_get = sscanf(request, "GET /%255[^ \r\n]", path) == 1;
    bool computes = is_get && !strcmp(path, "compute");
    if (computes) compute();
    if (is_get && !computes) answer->file = file_open(root, path, &answer->left);
    answer->head_bytes = (size_t)snprintf(
        answer->head, sizeof answer->head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n",
        computes || answer->file >= 0 ? "200 OK" : "404 Not Found", answer->left,
        answer->last ? "Connection: close\r\n" : "");
}

void minimal_answer_drop(struct minimal_answer *answer)
{
    if (answer->file >= 0) close(answer->file);
    answer->file = -1;
    answer->left = 0;
}

int minimal_answer_send(struct minimal_answer *answer, int connection)
{
    while (answer->head_sent < answer->head_bytes || answer->left > 0) {
        bool is_head = answer->head_sent < answer->head_bytes;
        ssize_t sent = is_head ? send(connection, answer->head + answer->head_sent,
                                      answer->head_bytes - answer->head_sent,
                                      MSG_NOSIGNAL | (answer->left > 0 ? MSG_MORE : 0))
                               : sendfile(connection, answer->file, NULL, answer->left);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) return 0;
        if (sent <= 0) return -1; /* 0: the file is now shorter than its announced length */
        if (is_head)
            answer->head_sent += (size_t)sent;
        else
            answer->left -= (size_t)sent;
    }
    minimal_answer_drop(answer);
    return 1;
}

void minimal_converse(int connection, int root)
{
    char text[MINIMAL_REQUEST_MAX];
    struct minimal_answer answer = {.file = -1};
    size_t have = 0, request = 0;
    while (!answer.last && have < sizeof text) {
        ssize_t received = recv(connection, text + have, sizeof text - have, 0);
        if (received < 0 && errno == EINTR) continue;
        if (received <= 0) break;
        have += (size_t)received;
        while (!answer.last && (request = minimal_request(text, have)) > 0) {
            minimal_answer(&answer, root, text, request);
            if (minimal_answer_send(&answer, connection) < 0) answer.last = true;
            have -= request;
            memmove(text, text + request, have);
        }
    }
    minimal_answer_drop(&answer);
    close(connection);
}
