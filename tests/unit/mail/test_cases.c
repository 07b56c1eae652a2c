/*
 * Many short messages, as mail programs, mail systems and people of many languages write them: the tables in tests/data/mail/cases, a file
 * a class. A case is "#### name", then a message; its first lines are header fields, or an empty line for those of an answer to one of
 * ours. "####=" and what follows is wanted: a reply's new text, a bounce's recipients ("kari@kunde.example hard 5.1.1"), the day until
 * which an automatic answer says that somebody is absent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mail/read.h"

#define NOW_MS ((gint64)1795514400000) /* 2026-11-24T10:00:00Z, a Tuesday */
#define FOLDER "tests/data/mail/cases"
#define PROLOGUE "Received: from mail.kunde.example\nTo: anna@example.com\nDate: Tue, 24 Nov 2026 10:00:00 +0100\nMIME-Version: 1.0\n"
#define OF_KARI "From: Kari Nordmann <kari@kunde.example>\nMessage-ID: <m1@kunde.example>\n"
#define ANSWER "Subject: Re: Our offer\nIn-Reply-To: <abc@example.com>\nReferences: <abc@example.com>\n"
#define PLAIN "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"

static gboolean has_field(const char *message, const char *name)
{
    const char *end = strstr(message, "\n\n");
    g_autofree char *head = g_strndup(message, end != NULL ? (gsize)(end - message) : strlen(message));
    g_autofree char *needle = g_strconcat("\n", name, ":", NULL), *lined = g_strconcat("\n", head, NULL);
    return strstr(lined, needle) != NULL;
}

/* What the case leaves out of the header is put in. Caller frees. */
static char *complete(const char *message)
{
    return g_strconcat(PROLOGUE, has_field(message, "From") ? "" : OF_KARI, has_field(message, "Subject") ? "" : ANSWER,
                       has_field(message, "Content-Type") ? "" : PLAIN, message, NULL);
}

static char *day_of(gint64 at_ms)
{
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(at_ms / 1000);
    return at_ms != 0 ? g_date_time_format(at, "%Y-%m-%d") : g_strdup("");
}

/* In the words of the tables, what is wanted of a message of its class. Caller frees. */
static char *told(const InboundMessage *message)
{
    if (message->class == INBOUND_AUTO_REPLY)
        return day_of(message->absent_until_ms);
    if (message->class == INBOUND_REPLY)
        return g_strdup(message->text);
    GString *bounces = g_string_new(NULL);
    for (guint i = 0; i < message->bounces->len; i++) {
        const BounceRecipient *bounce = message->bounces->pdata[i];
        g_string_append_printf(bounces, "%s%s %s%s%s", i > 0 ? "\n" : "", bounce->recipient, bounce_kind_name(bounce->kind),
                               *bounce->status != '\0' ? " " : "", bounce->status);
    }
    return g_string_free(bounces, FALSE);
}

static gboolean is_wrong(const char *name, const char *text, const char *want, const char *class)
{
    g_autofree char *whole = complete(text);
    g_autoptr(InboundMessage) message = mail_read(whole, strlen(whole), NOW_MS);
    g_autofree char *got = told(message);
    if (!g_str_equal(inbound_class_name(message->class), class)) {
        print_error("%s: read as %s (%s)\n", name, inbound_class_name(message->class), message->evidence);
        return TRUE;
    }
    if (want != NULL && !g_str_equal(want, got)) {
        print_error("%s: want [%s], got [%s]\n", name, want, got);
        return TRUE;
    }
    return *message->evidence == '\0';
}

static void check_table(const char *class, guint at_least)
{
    g_autofree char *path = g_strdup_printf(FOLDER "/%s.txt", class), *table = NULL;
    assert_true(g_file_get_contents(path, &table, NULL, NULL));
    g_auto(GStrv) cases = g_strsplit(table, "\n#### ", -1);
    guint wrong = 0;
    for (char **one = cases + 1; *one != NULL; one++) {
        char *text = strchr(*one, '\n'), *want = strstr(*one, "\n####=");
        assert_non_null(text);
        *text++ = '\0';
        if (want != NULL) {
            want[1] = '\0';
            want = g_strstrip(want + strlen("\n####="));
        }
        wrong += is_wrong(*one, text, want, class) ? 1 : 0;
    }
    if (wrong > 0)
        print_error("%u of %u are not read as wanted\n", wrong, g_strv_length(cases) - 1);
    assert_true(g_strv_length(cases) > at_least);
    assert_int_equal(wrong, 0);
}

static void test_replies(void **state)
{
    (void)state;
    check_table("reply", 80);
}

static void test_automatic_answers(void **state)
{
    (void)state;
    check_table("auto-reply", 30);
}

static void test_bounces(void **state)
{
    (void)state;
    check_table("bounce", 15);
}

static void test_wishes_to_stop(void **state)
{
    (void)state;
    check_table("unsubscribe", 40);
}

static void test_complaints(void **state)
{
    (void)state;
    check_table("complaint", 2);
}

static void test_what_has_no_effect(void **state)
{
    (void)state;
    check_table("other", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_automatic_answers),
        cmocka_unit_test(test_bounces),
        cmocka_unit_test(test_wishes_to_stop),
        cmocka_unit_test(test_complaints),
        cmocka_unit_test(test_what_has_no_effect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
