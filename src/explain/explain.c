#include "explain.h"
#include "say.h"
#include "zcserve/utf8.h"

#include <stdlib.h>

static void trial_tell(const struct trial *t, FILE *out)
{
    static void (*const say[])(const struct trial *, FILE *) = {
        say_request, say_site,    say_rules, say_access, say_paths,
        say_file,    say_codings, say_cache, say_choice, say_answer};
    for (size_t i = 0; i < sizeof(say) / sizeof(say[0]); i++)
        say[i](t, out);
}

static int refused(const struct program *p, const char *problem)
{
    fputs("zcserve: ", p->errors);
    utf8_print(p->errors, problem);
    fputs("\ntry 'zcserve -h'\n", p->errors);
    return EXPLAIN_BAD_USAGE;
}

int explain(const struct program *p, const struct command_request *asked, FILE *out)
{
    char problem[512];
    struct asking asking;
    static struct trial trial;
    if (!asking_make(asked, &asking, problem, sizeof(problem))) return refused(p, problem);
    bool answered = trial_run(&trial, p, &asking, problem, sizeof(problem));
    int code = EXPLAIN_BAD_USAGE;
    if (answered) {
        trial_tell(&trial, out);
        code = trial.exchange->status < 400 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    trial_close(&trial);
    asking_free(&asking);
    return answered ? code : refused(p, problem);
}
