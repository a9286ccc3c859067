/*
 * The error log: one line an event, with time, level and process, to stderr or to a file:
 *
 *     2026-11-22T11:37:00.123Z warn [4711] worker 3: accepting paused: Too many open files
 *
 * Lines are written whole, and nobody ever waits for that (sink.h): a line that is not taken at once is lost,
 * and counted in memory that all processes share; the next that gets through is preceded by
 * "12 lines of this log were lost". Messages longer than 1 KiB are cut, which a final "…" shows; bytes that are
 * no UTF-8, and characters that could steer a terminal (utf8_shown_length), are written as \xHH.
 */
#ifndef ZCSERVE_LOG_H
#define ZCSERVE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/*
 * Sets the level and the file; NULL or "stderr" is standard error. 0, or -errno when the file cannot be opened
 * for appending (the log stays as it was), as sink_open() says. SIGPIPE and SIGXFSZ are to be ignored. To be
 * called before other processes are started.
 */
int log_open(const char *file, enum log_level level);
int log_reopen(void); /* after the file was renamed; 0 or -errno */
void log_flush(void); /* says how many lines were lost, if any were, without another line */

/* Names this process in its lines, as in "worker 3"; NULL for none. Copied, at most 31 bytes. */
void log_name(const char *name);

/* Writes a line (without "\n" at its end) if `level` is to be logged. Leaves errno as it was. */

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)

#endif
