/* Protects the token's file: written whole, private, given back as it was, and never over what somebody else has written meanwhile. */
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/templates.h"
#include "engine/token_file.h"

typedef struct {
    char *around, *folder;
} Fixture;

static int setup(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->around = g_dir_make_tmp("nurture-token-XXXXXX", NULL);
    fixture->folder = g_build_filename(fixture->around, "n.db.tokens", NULL);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GDir) dir = g_dir_open(fixture->folder, 0, NULL);
    for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(fixture->folder);
    g_rmdir(fixture->around);
    g_free(fixture->around);
    g_free(fixture->folder);
    g_free(fixture);
    return 0;
}

static StoredToken token_of(const char *refresh, const char *access)
{
    return (StoredToken){.client_id = (char *)"id",
                         .user = (char *)"anna@\303\246.example",
                         .refresh_token = (char *)refresh,
                         .access_token = (char *)access,
                         .obtained_ms = 1,
                         .expires_ms = G_MAXINT64,
                         .withdrawn = (char *)"a \"reason\"\n"};
}

static gboolean write_token(const Fixture *fixture, const char *name, const char *refresh, const char *before,
                            gboolean *ret_superseded)
{
    const StoredToken token = token_of(refresh, "a");
    return token_file_write(fixture->folder, name, &token, before, ret_superseded, NULL);
}

static void expect_refresh(const Fixture *fixture, const char *name, const char *want)
{
    StoredToken read = {0};
    gboolean found = FALSE;
    assert_true(token_file_read(fixture->folder, name, &found, &read, NULL));
    assert_int_equal(found, want != NULL);
    if (want)
        assert_string_equal(read.refresh_token, want);
    stored_token_clear(&read);
}

static void test_what_is_written_is_read(void **state)
{
    const char *const names[] = {"anna", "../../etc/passwd", "a/b", ".", "..", "anna.smtp", "Kari \303\205"};
    const Fixture *fixture = *state;
    g_autofree char *longest = g_strnfill(1000, 'n');
    for (gsize i = 0; i <= G_N_ELEMENTS(names); i++) {
        const char *name = i < G_N_ELEMENTS(names) ? names[i] : longest;
        g_autofree char *refresh = g_strdup_printf("r-%zu", i);
        expect_refresh(fixture, name, NULL);
        assert_true(write_token(fixture, name, refresh, NULL, NULL));
        expect_refresh(fixture, name, refresh);
        g_autofree char *path = token_file_path(fixture->folder, name);
        g_autofree char *folder = g_path_get_dirname(path);
        struct stat status;
        assert_string_equal(folder, fixture->folder); /* whatever the name, it lies there */
        assert_int_equal(lstat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    StoredToken read = {0};
    gboolean found = FALSE;
    assert_true(token_file_read(fixture->folder, "anna", &found, &read, NULL));
    assert_string_equal(read.withdrawn, "a \"reason\"\n");
    assert_string_equal(read.user, "anna@\303\246.example");
    assert_int_equal(read.expires_ms, G_MAXINT64);
    stored_token_clear(&read);
}

static void test_what_somebody_else_wrote_stays(void **state)
{
    const Fixture *fixture = *state;
    gboolean superseded = FALSE;
    assert_true(write_token(fixture, "anna", "first", NULL, NULL));
    assert_true(write_token(fixture, "anna", "second", "first", &superseded));
    assert_false(superseded);
    assert_true(write_token(fixture, "anna", "late", "first", &superseded));
    assert_true(superseded);
    expect_refresh(fixture, "anna", "second");
    g_autofree char *path = token_file_path(fixture->folder, "anna");
    g_unlink(path); /* somebody took the authorization away */
    assert_true(write_token(fixture, "anna", "late", "second", &superseded));
    assert_true(superseded);
    expect_refresh(fixture, "anna", NULL);
}

static void test_what_is_no_token_file_is_refused(void **state)
{
    const Fixture *fixture = *state;
    static const struct {
        const char *text;
        mode_t mode;
        const char *want;
    } cases[] = {{"{}", 0600, "damaged"},
                 {"", 0600, "damaged"},
                 {"{\"refresh_token\":", 0600, "damaged"},
                 {"[1]", 0600, "damaged"},
                 {"{\"refresh_token\":\"r\"}", 0640, "can be read by others"},
                 {"{\"refresh_token\":\"r\"}", 0604, "can be read by others"}};
    assert_true(write_token(fixture, "anna", "r", NULL, NULL));
    g_autofree char *path = token_file_path(fixture->folder, "anna");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        StoredToken read = {0};
        gboolean found = FALSE;
        assert_true(g_file_set_contents(path, cases[i].text, -1, NULL));
        assert_int_equal(chmod(path, cases[i].mode), 0);
        assert_false(token_file_read(fixture->folder, "anna", &found, &read, &error));
        assert_true(g_error_matches(error, ENGINE_ERROR, ENGINE_ERROR_TOKEN));
        assert_non_null(strstr(error->message, cases[i].want));
    }
}

static void test_links_are_not_followed(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *elsewhere = g_build_filename(fixture->around, "elsewhere", NULL);
    assert_true(g_file_set_contents(elsewhere, "keep", -1, NULL));
    assert_true(write_token(fixture, "kari", "r", NULL, NULL));
    g_autofree char *path = token_file_path(fixture->folder, "anna");
    g_autofree char *new = g_strconcat(path, ".new", NULL);
    assert_int_equal(symlink(elsewhere, path), 0);
    assert_int_equal(symlink(elsewhere, new), 0);
    StoredToken read = {0};
    gboolean found = FALSE;
    assert_false(token_file_read(fixture->folder, "anna", &found, &read, NULL));
    assert_true(write_token(fixture, "anna", "r", NULL, NULL));
    expect_refresh(fixture, "anna", "r");
    g_autofree char *kept = NULL;
    assert_true(g_file_get_contents(elsewhere, &kept, NULL, NULL));
    assert_string_equal(kept, "keep");
    g_unlink(elsewhere);
}

static void test_where_nothing_can_be_written_it_says_so(void **state)
{
    const Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    const StoredToken token = token_of("r", "a");
    g_autofree char *folder = g_build_filename(fixture->around, "missing", "n.db.tokens", NULL);
    assert_false(token_file_write(folder, "anna", &token, NULL, NULL, &error));
    assert_non_null(strstr(error->message, "No such file or directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_written_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_somebody_else_wrote_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_token_file_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_links_are_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_where_nothing_can_be_written_it_says_so, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
