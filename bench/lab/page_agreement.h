/* The part of the page that says whether other programs measure the same (agreement.json, see FORMATS.md). */
#ifndef LAB_PAGE_AGREEMENT_H
#define LAB_PAGE_AGREEMENT_H

#include <stdbool.h>
#include <stdio.h>

/* Whether FOLDER has one that can be read; says so on stderr when it is there and cannot. */
bool agreement_is_there(const char *folder);

/* The section; nothing when there is none. */
void agreement_write(FILE *to, const char *folder);

#endif
