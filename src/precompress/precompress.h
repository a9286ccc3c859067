/* zcserve precompress: writes sidecars, in parallel, ahead of time. The server does not link it. */
#ifndef ZCSERVE_PRECOMPRESS_H
#define ZCSERVE_PRECOMPRESS_H

/* Runs it: argv begins with its name, then its switches. Returns the exit code. */
int precompress_run(int argc, char **argv);

#endif
