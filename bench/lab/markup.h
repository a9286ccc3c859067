/* Text and JSON as HTML. */
#ifndef LAB_MARKUP_H
#define LAB_MARKUP_H

#include <jansson.h>
#include <stdio.h>

void escaped(FILE *to, const char *from);

/* Writes BEFORE and AFTER as they are, and INSIDE escaped. */
void tagged(FILE *to, const char *before, const char *inside, const char *after);

/* Returns a member that is a text; "" when there is none. The object owns it. */
const char *json_words(const json_t *object, const char *name);

#endif
