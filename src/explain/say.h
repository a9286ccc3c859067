/* The parts of an explanation, in the order in which they are printed. */
#ifndef ZCSERVE_EXPLAIN_SAY_H
#define ZCSERVE_EXPLAIN_SAY_H

#include "trial.h"

#include <stdio.h>

void say_request(const struct trial *t, FILE *out); /* what was read                        */
void say_site(const struct trial *t, FILE *out);    /* whose host it names                  */
void say_rules(const struct trial *t, FILE *out);   /* which apply, and what they set       */
void say_access(const struct trial *t, FILE *out);  /* address, method, redirect            */
void say_paths(const struct trial *t, FILE *out);   /* each path that was tried             */
void say_file(const struct trial *t, FILE *out);    /* what was found                       */
void say_codings(const struct trial *t, FILE *out); /* which there are, and the one chosen  */
void say_cache(const struct trial *t, FILE *out);   /* where the content comes from         */
void say_choice(const struct trial *t, FILE *out);  /* preconditions and ranges             */
void say_answer(const struct trial *t, FILE *out);  /* the status and the head              */

#endif
