/*
 * Whole messages as programs write them, in tests/data/mail, each read as its manifest wants: the class, a reply's new text, a bounce's
 * recipient, kind and status, an absence's end. Every message gives a record that passes the way from child to daemon unchanged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mail/read.h"

#define NOW_MS ((gint64)1795514400000) /* 2026-11-24T10:00:00Z, a Tuesday */
#define FOLDER "tests/data/mail"

enum { FILE_NAME, CLASS, RECIPIENT, KIND, STATUS, UNTIL, TEXT, COLUMNS };

/* Whether the manifest's column wants something else; told. */
static gboolean differs(char **row, int column, const char *what, const char *got)
{
    g_autofree char *want = g_strcompress(row[column]);
    if (g_str_equal(row[column], "-") || g_str_equal(want, got))
        return FALSE;
    print_error("%s: %s is \"%s\", not \"%s\"\n", row[FILE_NAME], what, got, want);
    return TRUE;
}

static char *day_of(gint64 at_ms)
{
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(at_ms / 1000);
    return at_ms ? g_date_time_format(at, "%Y-%m-%d") : g_strdup("");
}

static gboolean is_wrong(char **row, const InboundMessage *message)
{
    static const BounceRecipient none = {.recipient = (char *)"", .status = (char *)"", .kind = BOUNCE_UNKNOWN};
    const BounceRecipient *bounce = message->bounces->len ? message->bounces->pdata[0] : &none;
    g_autofree char *until = day_of(message->absent_until_ms);
    gboolean wrong = differs(row, CLASS, message->evidence, inbound_class_name(message->class));
    wrong |= differs(row, RECIPIENT, "recipient", bounce->recipient);
    wrong |= differs(row, KIND, "kind", bounce_kind_name(bounce->kind));
    wrong |= differs(row, STATUS, "status", bounce->status);
    wrong |= differs(row, UNTIL, "the end of the absence", until);
    wrong |= differs(row, TEXT, "the new text", message->text);
    if (message->bounces->len && !g_str_equal(message->original_message_id, "abc@example.com")) {
        print_error("%s: the original is <%s>\n", row[FILE_NAME], message->original_message_id);
        wrong = TRUE;
    }
    return wrong;
}

static gboolean passes_unchanged(const InboundMessage *message)
{
    g_autoptr(GVariant) variant = g_variant_ref_sink(inbound_message_to_variant(message));
    g_autoptr(InboundMessage) again = inbound_message_from_variant(variant, NULL);
    g_autoptr(GVariant) back = again ? g_variant_ref_sink(inbound_message_to_variant(again)) : NULL;
    return back && g_variant_equal(variant, back);
}

static void test_each_is_read_as_wanted(void **state)
{
    (void)state;
    g_autofree char *manifest = NULL;
    assert_true(g_file_get_contents(FOLDER "/manifest.tsv", &manifest, NULL, NULL));
    g_auto(GStrv) rows = g_strsplit(g_strchomp(manifest), "\n", -1);
    guint wrong = 0, seen = 0;
    for (char **line = rows; *line; line++) {
        if (**line == '#')
            continue;
        g_auto(GStrv) row = g_strsplit(*line, "\t", -1);
        assert_int_equal(g_strv_length(row), COLUMNS);
        g_autofree char *path = g_build_filename(FOLDER, row[FILE_NAME], NULL);
        g_autofree char *bytes = NULL;
        gsize len = 0;
        assert_true(g_file_get_contents(path, &bytes, &len, NULL));
        g_autoptr(InboundMessage) message = mail_read(bytes, len, NOW_MS);
        wrong += is_wrong(row, message) ? 1 : 0;
        assert_true(passes_unchanged(message));
        seen++;
    }
    assert_true(seen >= 70);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_is_read_as_wanted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
