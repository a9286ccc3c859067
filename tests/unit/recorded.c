/* Reads a complete file of tests/recorded/. */
#include "recorded.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define RECORDED_BYTES_MAX 1000000

char *recorded_read(const char *name, size_t *length)
{
    char path[256];
    snprintf(path, sizeof(path), "tests/recorded/%s", name);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    char *text = malloc(RECORDED_BYTES_MAX);
    ck_assert_ptr_nonnull(text);
    *length = fread(text, 1, RECORDED_BYTES_MAX - 1, file);
    text[*length] = '\0';
    fclose(file);
    return text;
}
