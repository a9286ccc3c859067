/*
 * What there is at "/": for now a page that names the addresses with figures.
 */
#include "status/asset.h"

#include <string.h>

static const char page[] = "<!doctype html><html lang=en><meta charset=utf-8><title>zcserve</title>"
                           "<p>The figures are at <a href=/status.json>/status.json</a> and "
                           "<a href=/metrics>/metrics</a>.</p></html>\n";

const struct asset *asset_find(const char *path)
{
    static const struct asset root = {"/", "text/html; charset=utf-8", (const unsigned char *)page,
                                      sizeof(page) - 1};
    return strcmp(path, root.path) == 0 ? &root : NULL;
}
