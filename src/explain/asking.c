/* Only what would make another request of it is refused here; all else is judged by the core. */
#include "asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define HOST_OTHERWISE "localhost"

static bool fail(char *problem, size_t size, const char *why, const char *which)
{
    snprintf(problem, size, "%s: %s", why, which);
    return false;
}

/* ---- the URL --------------------------------------------------------------------------------- */

/* A URL in parts: "example.org" and "/a?b", which is empty for "/". */
struct parts {
    struct text host, target;
};

/* Returns what follows "http://" or "https://", or NULL. */
static const char *behind_scheme(const char *url)
{
    static const char *const scheme[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof(scheme) / sizeof(scheme[0]); i++)
        if (strncasecmp(url, scheme[i], strlen(scheme[i])) == 0) return url + strlen(scheme[i]);
    return NULL;
}

/* "*" is the target of OPTIONS for the server as a whole (RFC 9112 §3.2.4). */
static bool url_split(const char *url, struct parts *parts)
{
    const char *host = behind_scheme(url), *target = url;
    *parts = (struct parts){.host = TEXT(HOST_OTHERWISE)};
    if (host) {
        target = host + strcspn(host, "/?#");
        parts->host = (struct text){host, (size_t)(target - host)};
    }
    parts->target = (struct text){target, strcspn(target, "#")};
    bool right = host || target[0] == '/' || strcmp(target, "*") == 0;
    return right && !memchr(parts->host.base, '@', parts->host.length);
}

/* ---- the request ----------------------------------------------------------------------------- */

static bool has_line_end(const char *text)
{
    return strpbrk(text, "\r\n") != NULL;
}

static bool has_host(const struct command_request *asked)
{
    for (size_t i = 0; i < asked->fields; i++)
        if (strncasecmp(asked->field[i], "Host:", 5) == 0) return true;
    return false;
}

static bool words_valid(const struct command_request *asked, char *problem, size_t size)
{
    if (has_line_end(asked->url)) return fail(problem, size, "--explain", "the URL has two lines");
    if (asked->method && (asked->method[0] == '\0' || strpbrk(asked->method, "\r\n ")))
        return fail(problem, size, "--method needs a method such as HEAD, not", asked->method);
    for (size_t i = 0; i < asked->fields; i++)
        if (has_line_end(asked->field[i]))
            return fail(problem, size, "--explain: a field has two lines", asked->field[i]);
    return true;
}

static void request_write(const struct command_request *asked, const struct parts *parts, FILE *out)
{
    bool rooted = parts->target.length > 0 && strchr("/*", parts->target.base[0]);
    fprintf(out, "%s %s%.*s HTTP/1.1\r\n", asked->method ? asked->method : "GET", rooted ? "" : "/",
            (int)parts->target.length, parts->target.base);
    if (!has_host(asked)) fprintf(out, "Host: %.*s\r\n", (int)parts->host.length, parts->host.base);
    for (size_t i = 0; i < asked->fields; i++)
        fprintf(out, "%s\r\n", asked->field[i]);
    fputs("\r\n", out);
}

static bool from_read(const char *from, struct origin *origin)
{
    *origin = (struct origin){.local = strcmp(from, "unix") == 0};
    return origin->local || ip_read((struct text){from, strlen(from)}, &origin->ip);
}

bool asking_make(const struct command_request *asked, struct asking *out, char *problem,
                 size_t size)
{
    struct parts parts;
    *out = (struct asking){.from_text = asked->from ? asked->from : "127.0.0.1",
                           .fragment = strchr(asked->url, '#')};
    if (!words_valid(asked, problem, size)) return false;
    if (!url_split(asked->url, &parts))
        return fail(problem, size, "--explain needs http://HOST/PATH or /PATH, not", asked->url);
    if (!from_read(out->from_text, &out->from))
        return fail(problem, size, "--from needs an IP address or unix, not", out->from_text);
    FILE *stream = open_memstream(&out->bytes, &out->length);
    if (stream) request_write(asked, &parts, stream);
    if (stream && fclose(stream) == 0) return true;
    return fail(problem, size, "--explain", "not enough memory for the request");
}

void asking_free(struct asking *asking)
{
    free(asking->bytes);
}
