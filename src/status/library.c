/* Loads libmicrohttpd with dlopen(3), and finds its functions. */
#include "status/library.h"
#include "base/symbol.h"

#include <stdio.h>

/* The interface that microhttpd.h declares, from version 0.9.60 on. */
#define NAME "libmicrohttpd.so.12"

struct http http;

static const struct {
    const char *name;
    size_t place;
} functions[] = {
#define X(name) {"MHD_" #name, offsetof(struct http, name)},
    HTTP_FUNCTIONS(X)
#undef X
};
enum { FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

bool library_load(char *problem, size_t size)
{
    if (http.run) return true;
    void *library = dlopen(NAME, RTLD_NOW | RTLD_LOCAL);
    bool found = library;
    for (int i = 0; i < FUNCTIONS && found; i++)
        found = symbol_find(library, functions[i].name, (char *)&http + functions[i].place);
    if (!found)
        snprintf(
            problem, size,
            "the status needs %s (Debian: libmicrohttpd12); install it, or set status = off: %s",
            NAME, dlerror());
    return found;
}
