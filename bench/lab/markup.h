/* Text and JSON as HTML. */
#ifndef LAB_MARKUP_H
#define LAB_MARKUP_H

#include <jansson.h>
#include <stdio.h>

void escaped(FILE *to, const char *from);

/* BEFORE and AFTER as they are, INSIDE escaped. */
void tagged(FILE *to, const char *before, const char *inside, const char *after);

/* A member that is a text; "" when there is none. The object's. */
const char *json_words(const json_t *object, const char *name);

#endif
