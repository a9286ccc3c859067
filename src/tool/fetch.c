/*
 * One GET with libcurl: it knows addresses, connections and HTTP, so nothing of them is written a
 * second time here. The answer is taken from the status listener alone: no proxy, no redirection, no
 * other protocol, and never more of it than a reading can be.
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

/* What curl hands over; less than that is an error to it, and ends the transfer. */
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

/* What to do about it is the same whatever went wrong: nobody, or somebody else, is there. */
static int unreachable(const char *address, const char *why, char *problem)
{
    snprintf(
        problem, FETCH_PROBLEM_MAX,
        "no status from %s: %s. Does the server run, has its configuration status = \"%s\", and "
        "does its log say \"status at\" this address? Else give the right one with -s.",
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
        return unreachable(address, "its answer is larger than a reading can be", problem);
    if (code != CURLE_OK)
        return unreachable(address, *error ? error : curl_easy_strerror(code), problem);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    snprintf(why, sizeof(why), "it answers %ld%s", status, out->text ? "" : " with nothing");
    return status == 200 && out->text ? 0 : unreachable(address, why, problem);
}

/* Kept, and with it the connection, from one reading to the next. */
static CURL *curl_kept(void)
{
    static CURL *curl;
    if (!curl) curl = curl_easy_init();
    if (curl) curl_easy_reset(curl);
    return curl;
}

int fetch(const char *address, const char *path, struct fetched *out, char *problem)
{
    char url[URL_MAX], error[CURL_ERROR_SIZE] = "";
    *out = (struct fetched){0};
    bool is_local = strncmp(address, LOCAL, strlen(LOCAL)) == 0;
    const char *host = is_local ? "localhost" : address;
    if (snprintf(url, sizeof(url), "http://%s%s", host, path) >= (int)sizeof(url))
        return unreachable("an address so long", "it is none", problem);
    CURL *curl = curl_kept();
    if (!curl) return unreachable(address, "no memory", problem);
    options_set(curl, url, out, error);
    if (is_local) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, address + strlen(LOCAL));
    CURLcode code = curl_easy_perform(curl);
    int result = answer_judge(curl, code, error, address, out, problem);
    if (result != 0) {
        free(out->text);
        *out = (struct fetched){0};
    }
    return result;
}
