/* Functions of libraries that are loaded with dlopen(3) when they are needed. */
#ifndef ZCSERVE_BASE_SYMBOL_H
#define ZCSERVE_BASE_SYMBOL_H

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

/*
 * Stores the function `name` of the library in the pointer at `place`, as dlsym(3) advises: ISO C has no
 * conversion from void * to a function. Returns false when there is no such function.
 */
static inline bool symbol_find(void *library, const char *name, void *place)
{
    void *found = dlsym(library, name);
    memcpy(place, &found, sizeof(found));
    return found;
}

#endif
