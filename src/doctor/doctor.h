/*
 * zcserve doctor: does this machine let a server with this configuration do its work? It gathers
 * facts, runs the checks over them, and shows what they found. It is a part of the tools' program;
 * the server does not link it.
 */
#ifndef ZCSERVE_DOCTOR_DOCTOR_H
#define ZCSERVE_DOCTOR_DOCTOR_H

/*
 * Exit codes: nothing harms; something does; the command line or the configuration is wrong, or no
 * answer.
 */
enum { DOCTOR_WELL, DOCTOR_HARM, DOCTOR_USAGE };

/* Runs it: argv begins with its name, then its switches. Returns the exit code. */
int doctor_run(int argc, char **argv);

#endif
