/*
 * The error log: one line for each event, with time, level and process, to stderr or to a file:
 *
 *     2026-11-22T11:37:00.123Z warn [4711] worker 3: accepting paused: Too many open files
 *
 * Lines are written whole, and writing never waits (sink.h): a line that the file does not take at
 * once is lost. Lost lines are counted in memory that all processes share, and the line "12 lines
 * of this log were lost" precedes the next one that is written. A message longer than 1 KiB is cut
 * and ends with "…". Bytes that are not UTF-8, and characters that could control a terminal
 * (utf8_shown_length), are written as \xHH.
 */
#ifndef ZCSERVE_LOG_H
#define ZCSERVE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/*
 * Sets the level and the file; NULL or "stderr" means standard error. Returns 0, or -errno of
 * sink_open() when the file cannot be opened for appending; then the log stays as it was. The
 * caller ignores SIGPIPE and SIGXFSZ, and calls this before it starts other processes.
 */
int log_open(const char *file, enum log_level level);
/*
 * log_reopen() opens the file again after it was renamed, and gives it to the processes that were
 * started since log_open(); these take it by log_take(), because they may not open files. Both return
 * 0 or -errno; -EAGAIN of log_take(): nothing was given.
 */
int log_reopen(void);
int log_take(void);
void log_flush(void); /* logs how many lines were lost, if any were */

/* Names this process in its lines, as in "worker 3"; NULL: no name. Copies at most 31 bytes. */
void log_name(const char *name);

/* Writes a line if `level` is logged; adds the "\n". Leaves errno as it was. */

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
