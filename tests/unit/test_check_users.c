/* Tests of src/doctor/check_users.c: files of users that others can read. */
#include "examined.h"

START_TEST(users)
{
    examined_begin(
        "rule / { users = one } site a { rule /a { users = off } rule /b { users = two } }\n"
        "site b { rule / { users = one } }\n");
    ck_assert_uint_eq(facts.users_files, 2);
    ck_assert_str_eq(facts.users[0].path, "/etc/z/one");
    examined_is(check_users, "");
    facts.users[0].open = true;
    facts.users[1].below_root = true;
    examined_is(check_users,
                "warn: users /etc/z/one can be read by every user of this machine, who can then "
                "guess its passwords. Remedy: chmod o-r; only the supervisor reads it\n"
                "harm: users /etc/z/two is below a root: clients may fetch the hashes of its "
                "passwords. Remedy: move it out of the root, such as to /etc/zcserve\n");
    examined_end();
    examined_begin("rule / { allow = all }\n");
    ck_assert_uint_eq(facts.users_files, 0);
    examined_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("check_users");
    TCase *tcase = tcase_create("check_users");
    tcase_add_test(tcase, users);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
