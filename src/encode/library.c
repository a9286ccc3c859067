/* Loads the libraries with dlopen(3), and finds their functions. They stay loaded. */
#include "encode/library.h"
#include "encode/encode.h"
#include "base/symbol.h"

#include <stdio.h>

struct encoders encoders;

/* The names that the dynamic linker knows, and the package that has them. */
static const struct {
    const char *name, *package;
} libraries[CODING_COUNT] = {
    [CODING_GZIP] = {"libdeflate.so.0", "libdeflate0"},
    [CODING_BR] = {"libbrotlienc.so.1", "libbrotli1"},
    [CODING_ZSTD] = {"libzstd.so.1", "libzstd1"},
};

static const struct {
    enum coding coding;
    const char *name;
    size_t place;
} functions[] = {
#define X(coding, name) {coding, #name, offsetof(struct encoders, name)},
    ENCODER_FUNCTIONS(X)
#undef X
};
enum { FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

bool encode_load(enum coding coding, char *problem, size_t size)
{
    void *library = dlopen(libraries[coding].name, RTLD_NOW | RTLD_LOCAL);
    bool found = library;
    for (int i = 0; i < FUNCTIONS && found; i++)
        if (functions[i].coding == coding)
            found = symbol_find(library, functions[i].name, (char *)&encoders + functions[i].place);
    if (!found)
        snprintf(problem, size, "%s needs %s (Debian: %s); install it: %s", coding_name(coding),
                 libraries[coding].name, libraries[coding].package, dlerror());
    return found;
}
