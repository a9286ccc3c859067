/*
 * libmicrohttpd, which only the status process loads, when it begins. The library needs a dozen
 * others, GnuTLS among them, which would cost 6 ms at every start and memory in every worker. Its
 * functions are called as in `http.run(daemon)`.
 */
#ifndef ZCSERVE_STATUS_LIBRARY_H
#define ZCSERVE_STATUS_LIBRARY_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

/* The functions that are used; MHD_run is http.run. */
#define HTTP_FUNCTIONS(X)          \
    X(add_response_header)         \
    X(create_response_from_buffer) \
    X(destroy_response)            \
    X(get_connection_info)         \
    X(get_connection_values)       \
    X(get_daemon_info)             \
    X(get_timeout)                 \
    X(lookup_connection_value)     \
    X(queue_response)              \
    X(run)                         \
    X(start_daemon)                \
    X(stop_daemon)

extern struct http {
#define X(name) __typeof__(MHD_##name) *name;
    HTTP_FUNCTIONS(X)
#undef X
} http;

/*
 * Loads the library; must be called before its functions. Returns false with one line in `problem`,
 * which says what to install. A second call does nothing.
 */
bool library_load(char *problem, size_t size);

#endif
