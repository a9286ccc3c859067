/*
 * Makes status lines and pages from the table of statuses at compile time, so that an error
 * response needs no formatting.
 */
#include "status.h"

#include <assert.h>

#define PAGE(code, phrase, help)                                                         \
    "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"                        \
    "<meta name=\"viewport\" content=\"width=device-width\">"                            \
    "<meta name=\"color-scheme\" content=\"light dark\">\n"                              \
    "<title>" #code " " phrase "</title>\n"                                              \
    "<body style=\"font:1.1em/1.5 system-ui,sans-serif;max-width:32em;margin:15vh auto;" \
    "padding:0 1em\">\n<h1>" #code " " phrase "</h1>\n<p>" help "</p>\n"

struct status {
    uint16_t code;
    struct text line, page;
};

static const struct status statuses[] = {
#define STATUS(code, phrase, help)                     \
    {code,                                             \
     {#code " " phrase, sizeof(#code " " phrase) - 1}, \
     {PAGE(code, phrase, help), sizeof(help) > 1 ? sizeof(PAGE(code, phrase, help)) - 1 : 0}},
#include "status.def"
#undef STATUS
};

static const struct status *status_find(uint16_t code)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (statuses[i].code == code) return &statuses[i];
    assert(false && "a status that is not in status.def");
    return statuses;
}

struct text status_line(uint16_t status)
{
    return status_find(status)->line;
}

struct text status_page(uint16_t status)
{
    return status_find(status)->page;
}
