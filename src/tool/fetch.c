/*
 * One GET with libcurl, which handles addresses, connections and HTTP. The response must come from
 * the status listener itself: no proxy, no redirection, no other protocol, and no more bytes than a
 * status can have.
 */
#include "tool/fetch.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/format.h"

#define CONNECT_MS_MAX 1000L
#define ANSWER_MS_MAX 3000L
#define URL_MAX 512
#define LOCAL "unix:"

/* Takes content from curl. Returning less than its length ends the transfer with an error. */
static size_t content_take(char *bytes, size_t size, size_t count, void *of)
{
    struct fetched *fetched = of;
    size_t length = size * count;
    if (length > FETCH_BYTES_MAX - fetched->length) return 0;
    char *text = realloc(fetched->text, fetched->length + length + 1);
    if (!text) return 0;
    memcpy(text + fetched->length, bytes, length);
    fetched->text = text;
    fetched->length += length;
    text[fetched->length] = '\0';
    return length;
}

static void options_set(CURL *curl, const char *url, struct fetched *out, char *error)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, content_take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS_MAX);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ANSWER_MS_MAX);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
}

/*
 * Writes the problem. The remedy is always the same: no zcserve, or another server, is at the
 * address.
 */
static int unreachable(const char *address, const char *why, char *problem)
{
    snprintf(
        problem, FETCH_PROBLEM_MAX,
        "no status from %s: %s. Check that the server runs, that its configuration has status = "
        "\"%s\", and that its log says \"status at\" this address; give another address with -s.",
        address, why, address);
    format_tame(problem);
    return -1;
}

static int answer_judge(CURL *curl, CURLcode code, const char *error, const char *address,
                        const struct fetched *out, char *problem)
{
    long status = 0;
    char why[64];
    if (code == CURLE_WRITE_ERROR)
        return unreachable(address, "its response is larger than a status can be", problem);
    if (code != CURLE_OK)
        return unreachable(address, *error ? error : curl_easy_strerror(code), problem);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    snprintf(why, sizeof(why), "its response is %ld%s", status,
             out->text ? "" : " without content");
    return status == 200 && out->text ? 0 : unreachable(address, why, problem);
}

/* Returns the handle, which is kept with its connection for the next reading. NULL: no memory. */
static CURL *curl_kept(void)
{
    static CURL *curl;
    if (!curl) curl = curl_easy_init();
    if (curl) curl_easy_reset(curl);
    return curl;
}

/* "@name" is an abstract address, which has no file. */
static void path_set(CURL *curl, const char *path)
{
    if (*path == '@')
        curl_easy_setopt(curl, CURLOPT_ABSTRACT_UNIX_SOCKET, path + 1);
    else
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, path);
}

int fetch(const char *address, const char *path, struct fetched *out, char *problem)
{
    char url[URL_MAX], error[CURL_ERROR_SIZE] = "";
    *out = (struct fetched){0};
    bool is_local = strncmp(address, LOCAL, strlen(LOCAL)) == 0;
    const char *host = is_local ? "localhost" : address;
    if (snprintf(url, sizeof(url), "http://%s%s", host, path) >= (int)sizeof(url))
        return unreachable("this address", "it is too long", problem);
    CURL *curl = curl_kept();
    if (!curl) return unreachable(address, "not enough memory", problem);
    options_set(curl, url, out, error);
    if (is_local) path_set(curl, address + strlen(LOCAL));
    CURLcode code = curl_easy_perform(curl);
    int result = answer_judge(curl, code, error, address, out, problem);
    if (result != 0) {
        free(out->text);
        *out = (struct fetched){0};
    }
    return result;
}
