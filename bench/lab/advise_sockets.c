/*
 * What sending costs on this machine, over loopback, in CPU time of the thread that sends: other programs
 * disturb CPU time less than elapsed time. The ways take turns, repetition by repetition.
 */
#include "advise.h"

#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LARGEST = 1 << 20, PAIRS = 16, FILES = 64 };
static const struct {
    unsigned repetitions, each_ms;
} scales[] = {{9, 40}, {5, 20}, {3, 4}};

static uint64_t cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

void advise_left_out(struct advise_figures *into, const char *what, const char *why)
{
    if (into->lefts < sizeof into->left_out / sizeof *into->left_out)
        snprintf(into->left_out[into->lefts++], sizeof into->left_out[0], "%s: %s", what, why);
}

static void sample_add(struct sample *sample, double value)
{
    if (sample->count < SAMPLE_MAX) sample->value[sample->count++] = value;
}

/* ---- sockets ----------------------------------------------------------------------------------- */

/* Opens both ends of a connection over loopback. Returns 0 or -errno. */
static int pair_open(int end[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    end[0] = end[1] = -1;
    if (listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0 &&
        listen(listener, 1) == 0 &&
        getsockname(listener, (struct sockaddr *)&address, &length) == 0) {
        end[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(end[1], (struct sockaddr *)&address, length) == 0)
            end[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    }
    int result = end[0] < 0 ? -errno : 0;
    if (listener >= 0) close(listener);
    for (int i = 0; i < 2 && result == 0; i++)
        setsockopt(end[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return result;
}

static void pair_close(int end[2])
{
    for (int i = 0; i < 2; i++)
        if (end[i] >= 0) close(end[i]);
}

/* Throws away what arrives, without copying it, until the other end is closed. */
static void *drain_run(void *context)
{
    int fd = *(int *)context;
    while (recv(fd, NULL, LARGEST, MSG_TRUNC) > 0) {
    }
    return NULL;
}

/* ---- from memory, by sendfile, after a miss ----------------------------------------------------- */

struct sender {
    int to, file;
    char *memory;
};

static bool memory_send(const struct sender *s, const char *from, uint64_t bytes)
{
    for (uint64_t at = 0; at < bytes;) {
        ssize_t sent = send(s->to, from + at, bytes - at, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        at += (uint64_t)sent;
    }
    return true;
}

static bool file_send(const struct sender *s, uint64_t bytes)
{
    off_t at = 0;
    while ((uint64_t)at < bytes)
        if (sendfile(s->to, s->file, &at, bytes - (uint64_t)at) <= 0) return false;
    return true;
}

/*
 * Returns µs of CPU for one send; NAN when the socket failed. It sends at least four times, for `ms` ms of
 * CPU time.
 */
static double way_measure(const struct sender *s, uint64_t bytes, bool by_file, unsigned ms)
{
    uint64_t begun = cpu_ns(), until = begun + ms * UINT64_C(1000000), now = begun, count = 0;
    do {
        if (!(by_file ? file_send(s, bytes) : memory_send(s, s->memory, bytes))) return 0;
        now = cpu_ns();
        count++;
    } while ((now < until || count < 4) && !measure_stopped);
    return (double)(now - begun) / 1e3 / (double)count;
}

static void sizes_measure(struct advise_figures *into, const struct sender *s, unsigned repetitions,
                          unsigned ms)
{
    for (into->sizes = 0; into->sizes < ADVISE_SIZES; into->sizes++)
        into->size[into->sizes].bytes = UINT64_C(8192) << into->sizes;
    for (unsigned r = 0; r < repetitions; r++)
        for (unsigned i = 0; i < into->sizes && !measure_stopped; i++) {
            uint64_t bytes = into->size[i].bytes;
            sample_add(&into->size[i].memory, way_measure(s, bytes, false, ms));
            sample_add(&into->size[i].sendfile, way_measure(s, bytes, true, ms));
        }
}

struct kept {
    char path[SITE_PATH_MAX];
    uint64_t bytes;
    char *content;
};

/* What a worker does for a file that it does not keep: find, open, look, read, close. */
static bool miss_read(const struct kept *k, char *into)
{
    struct stat status;
    int fd = open(k->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool whole =
        fd >= 0 && fstat(fd, &status) == 0 && pread(fd, into, k->bytes, 0) == (ssize_t)k->bytes;
    if (fd >= 0) close(fd);
    return whole;
}

/*
 * Takes files of the site that may be kept, spread over their sizes. Their contents are then in memory and
 * in the page cache.
 */
static unsigned files_take(const struct site *site, uint64_t file_max, struct kept kept[FILES])
{
    unsigned fitting = site_between(site, 0, file_max < LARGEST ? file_max : LARGEST), count = 0;
    unsigned step = fitting / FILES + 1;
    for (unsigned i = 0; i < fitting && count < FILES; i += step) {
        struct kept *k = &kept[count];
        if (!site_path(site, i, k->path)) continue;
        k->bytes = site->file[i].bytes;
        k->content = malloc(k->bytes);
        if (k->content && miss_read(k, k->content))
            count++;
        else
            free(k->content);
    }
    return count;
}

static double files_send(const struct sender *s, const struct kept *kept, unsigned count, bool miss,
                         unsigned ms)
{
    uint64_t begun = cpu_ns(), until = begun + ms * UINT64_C(1000000), now = begun, sent = 0;
    do {
        for (unsigned i = 0; i < count; i++, sent++) {
            if (miss && !miss_read(&kept[i], s->memory)) return 0; /* the file changed meanwhile */
            if (!memory_send(s, miss ? s->memory : kept[i].content, kept[i].bytes)) return 0;
        }
        now = cpu_ns();
    } while (now < until && !measure_stopped);
    return (double)(now - begun) / 1e3 / (double)sent;
}

static void misses_measure(struct advise_figures *into, const struct sender *s,
                           const struct site *site, uint64_t file_max, unsigned repetitions,
                           unsigned ms)
{
    static struct kept kept[FILES];
    uint64_t bytes = 0;
    unsigned count = files_take(site, file_max, kept);
    for (unsigned i = 0; i < count; i++)
        bytes += kept[i].bytes / count;
    into->missed_bytes = bytes;
    for (unsigned r = 0; r < repetitions && count > 0 && !measure_stopped; r++) {
        sample_add(&into->hit, files_send(s, kept, count, false, ms));
        sample_add(&into->miss, files_send(s, kept, count, true, ms));
    }
    for (unsigned i = 0; i < count; i++)
        free(kept[i].content);
    if (count == 0) advise_left_out(into, "a miss", "no file there may be kept in memory");
}

static int sends_measure(struct advise_figures *into, const struct site *site, uint64_t file_max,
                         unsigned repetitions, unsigned ms)
{
    int end[2], result = pair_open(end);
    pthread_t drain;
    struct sender s = {end[0], memfd_create("zclab", MFD_CLOEXEC), malloc(LARGEST)};
    if (result == 0 && (s.file < 0 || !s.memory)) result = -ENOMEM;
    if (s.memory)
        for (unsigned i = 0; i < LARGEST; i++)
            s.memory[i] = (char)(i * 2654435761U >> 24);
    if (result == 0 && write(s.file, s.memory, LARGEST) != LARGEST) result = -EIO;
    if (result == 0) result = -pthread_create(&drain, NULL, drain_run, &end[1]);
    if (result == 0) {
        sizes_measure(into, &s, repetitions, ms);
        misses_measure(into, &s, site, file_max, repetitions, ms);
        shutdown(end[0], SHUT_WR);
        pthread_join(drain, NULL);
    }
    if (s.file >= 0) close(s.file);
    free(s.memory);
    pair_close(end);
    return result;
}

/* ---- calls, wake-ups ---------------------------------------------------------------------------- */

static double call_measure(void)
{
    enum { CALLS = 20000 };
    uint64_t begun = cpu_ns();
    for (unsigned i = 0; i < CALLS; i++)
        syscall(SYS_getppid);
    return (double)(cpu_ns() - begun) / 1e3 / CALLS;
}

enum { WAKES = 200 };

static void *echo_run(void *context)
{
    int *fd = context;
    uint64_t one = 1;
    for (unsigned i = 0; i < WAKES; i++)
        if (read(fd[0], &one, sizeof one) < 0 || write(fd[1], &one, sizeof one) < 0) break;
    return NULL;
}

/* Returns half of the way there and back: one thread wakes another one, which sleeps. */
static double wake_measure(void)
{
    int fd[2] = {eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC)};
    pthread_t echo;
    uint64_t one = 1, begun = measure_now();
    double each = 0;
    if (fd[0] >= 0 && fd[1] >= 0 && pthread_create(&echo, NULL, echo_run, fd) == 0) {
        for (unsigned i = 0; i < WAKES; i++)
            if (write(fd[0], &one, sizeof one) < 0 || read(fd[1], &one, sizeof one) < 0) break;
        pthread_join(echo, NULL);
        each = (double)(measure_now() - begun) / 1e3 / (2 * WAKES);
    }
    for (int i = 0; i < 2; i++)
        if (fd[i] >= 0) close(fd[i]);
    return each;
}

/* ---- a ring against epoll ----------------------------------------------------------------------- */

struct crowd {
    int end[PAIRS][2];
    int epoll;
    bool has_ring;
    struct io_uring ring;
    char text[PAIRS][256];
};

static bool by_epoll(struct crowd *c)
{
    struct epoll_event event[PAIRS];
    for (int done = 0; done < PAIRS;) {
        int count = epoll_wait(c->epoll, event, PAIRS, 1000);
        if (count <= 0) return false;
        for (int i = 0; i < count; i++, done++) {
            unsigned p = event[i].data.u32;
            if (recv(c->end[p][0], c->text[p], sizeof c->text[p], 0) <= 0 ||
                send(c->end[p][0], c->text[p], sizeof c->text[p], MSG_NOSIGNAL) <= 0)
                return false;
        }
    }
    return true;
}

/* Makes all receives with one system call, then all sends with another one. */
static bool by_ring(struct crowd *c)
{
    bool good = true;
    for (int sends = 0; sends < 2; sends++) {
        struct io_uring_cqe *cqe;
        for (int p = 0; p < PAIRS; p++) {
            struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);
            if (!sqe) return false;
            if (sends)
                io_uring_prep_send(sqe, c->end[p][0], c->text[p], sizeof c->text[p], MSG_NOSIGNAL);
            else
                io_uring_prep_recv(sqe, c->end[p][0], c->text[p], sizeof c->text[p], 0);
        }
        if (io_uring_submit_and_wait(&c->ring, PAIRS) < 0) return false;
        for (int p = 0; p < PAIRS; p++) {
            if (io_uring_peek_cqe(&c->ring, &cqe) < 0) return false;
            good &= cqe->res > 0;
            io_uring_cqe_seen(&c->ring, cqe);
        }
    }
    return good;
}

/* Returns µs of CPU for 16 requests. What the clients do is not counted. */
static double crowd_measure(struct crowd *c, bool (*serve)(struct crowd *c), unsigned ms)
{
    uint64_t used = 0, rounds = 0, wanted = ms * UINT64_C(1000000);
    char request[100] = "GET / HTTP/1.1\r\n";
    do {
        for (int p = 0; p < PAIRS; p++)
            if (send(c->end[p][1], request, sizeof request, MSG_NOSIGNAL) <= 0) return 0;
        uint64_t begun = cpu_ns();
        if (!serve(c)) return 0;
        used += cpu_ns() - begun;
        rounds++;
        for (int p = 0; p < PAIRS; p++)
            if (recv(c->end[p][1], c->text[p], sizeof c->text[p], 0) <= 0) return 0;
    } while (used < wanted && !measure_stopped);
    return (double)used / 1e3 / (double)rounds;
}

static int crowd_open(struct crowd *c)
{
    int result = 0;
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned p = 0; p < PAIRS; p++)
        c->end[p][0] = c->end[p][1] = -1;
    for (unsigned p = 0; p < PAIRS && result == 0; p++) {
        struct epoll_event wanted = {.events = EPOLLIN, .data.u32 = p};
        result = pair_open(c->end[p]);
        if (result == 0 && epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->end[p][0], &wanted) < 0)
            result = -errno;
    }
    return result;
}

static void crowd_close(struct crowd *c)
{
    if (c->has_ring) io_uring_queue_exit(&c->ring);
    for (unsigned p = 0; p < PAIRS; p++)
        pair_close(c->end[p]);
    if (c->epoll >= 0) close(c->epoll);
}

static void ring_measure(struct advise_figures *into, unsigned repetitions, unsigned ms)
{
    static struct crowd c;
    int result = io_uring_queue_init(2 * PAIRS, &c.ring, 0);
    c.has_ring = into->ring_permitted = result == 0;
    if (result < 0) {
        advise_left_out(into, "a ring", strerror(-result));
        return;
    }
    result = crowd_open(&c);
    if (result < 0) advise_left_out(into, "a ring against epoll", strerror(-result));
    for (unsigned r = 0; r < repetitions && result == 0 && !measure_stopped; r++) {
        sample_add(&into->by_epoll, crowd_measure(&c, by_epoll, ms));
        sample_add(&into->by_ring, crowd_measure(&c, by_ring, ms));
    }
    crowd_close(&c);
}

void advise_sockets_measure(struct advise_figures *into, const struct site *site,
                            const struct advise_now *now, const struct options *options)
{
    unsigned repetitions = scales[options->scale].repetitions;
    unsigned ms = scales[options->scale].each_ms;
    for (unsigned r = 0; r < repetitions && !measure_stopped; r++) {
        sample_add(&into->call, call_measure());
        sample_add(&into->wake, wake_measure());
    }
    int result = sends_measure(into, site, now->file_max, repetitions, ms);
    if (result < 0) advise_left_out(into, "sending", strerror(-result));
    ring_measure(into, repetitions, ms);
}
