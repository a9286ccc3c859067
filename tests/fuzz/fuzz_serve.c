/*
 * A whole connection served with calls that wait (src/worker/serve.c), as in the models prefork
 * and threadpool: see whole_connection.c for the input. Between two ticks the choices say, too,
 * whether others wait and whether the server stops.
 */
#include "simulated_socket.c"

#define TICKS_MAX 20000

static struct worker worker;
static struct served served;

/* From the first mention of it on the server is stopping, as in the models. */
static enum pressure pressure_choose(enum pressure before)
{
    if (before == PRESSURE_DRAINING) return choose(8) == 1 ? PRESSURE_STOPPING : PRESSURE_DRAINING;
    switch (choose(32)) {
    case 1:
    case 2: return PRESSURE_CROWDED;
    case 3: return PRESSURE_DRAINING;
    case 4: return PRESSURE_STOPPING;
    default: return PRESSURE_NONE;
    }
}

/*
 * Serves to the end. Returns whether responses may say that they are the last, which the core does
 * not know of.
 */
static bool serve_all(void)
{
    enum pressure pressure = PRESSURE_NONE;
    bool pressed = false;
    unsigned ticks = 0;
    do {
        holds(++ticks < TICKS_MAX);
        pressure = pressure_choose(pressure);
        pressed |= pressure == PRESSURE_CROWDED || pressure == PRESSURE_DRAINING;
    } while (!serve(&worker, &served, pressure));
    return pressed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!input_begin(data, size)) return 0;
    holds(worker_open(&worker, &site.service, DRIVEN) == 0);
    socket_begin(true);
    serve_open(&served, &worker, sock.fd, NULL);
    bool pressed = serve_all();
    holds(sock.fd < 0 && worker.works.used == 0);
    worker_close(&worker);
    if (!pressed) outcome_compare(true);
    return 0;
}
