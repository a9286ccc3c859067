/*
 * The second of the minimal servers: a thread for each connection.
 *
 * What is good: the code of a connection is the same straight line as with processes, and it may wait for
 * anything. A thread is cheaper: no page tables are copied, and a switch from one to another keeps the
 * address space.
 *
 * What it costs: each connection holds a stack (here 64 KiB of addresses, of which only touched pages are
 * memory) and a kernel stack of 16 KiB. Each request wakes a thread, which is a switch; a loop takes many
 * requests with one call. A crash ends all connections, and shared data need locks (here there are none).
 */
#include "server_minimal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK_BYTES = 64 << 10 };

static sem_t room; /* how many more threads there may be */
static int served_root;

static void *connection_run(void *context)
{
    minimal_converse((int)(intptr_t)context, served_root);
    sem_post(&room);
    return NULL;
}

static void room_wait(void)
{
    while (sem_wait(&room) < 0 && errno == EINTR) {
    }
}

void minimal_thread_serve(int listener, int root, unsigned at_most)
{
    pthread_attr_t attributes;
    pthread_t thread;
    served_root = root;
    sem_init(&room, 0, at_most);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (;;) {
        room_wait();
        int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        bool started = connection >= 0 && pthread_create(&thread, &attributes, connection_run,
                                                         (void *)(intptr_t)connection) == 0;
        if (started) continue;
        sem_post(&room);
        if (connection >= 0) close(connection); /* no memory: the client sees the connection end */
        if (connection < 0 && errno != EINTR && errno != ECONNABORTED) poll(NULL, 0, 10);
    }
}
