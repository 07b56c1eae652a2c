/*
 * A contact's fields as people write them: what is taken, in which form, and what every refusal says to write instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "base/timestamp.h"
#include "cli/edit.h"
#include "cli/import_columns.h"

static char *stages[] = {"research", "pitching", "follow-up", NULL};
static char *domains[] = {"example.com", NULL};
static Account anna = {.name = "anna", .from_name = "Anna", .from_address = "anna@example.com"};
static Account bo = {.name = "bo", .from_name = "Bo", .from_address = "bo@example.com"};
static Account *accounts[] = {&anna, &bo, NULL};

static Config config = {
    .organisation = {.name = "Berg", .domains = domains},
    .pipeline = {.stages = stages, .customer_stage = "follow-up"},
    .sending = {.time_zone = "Europe/Oslo"},
    .accounts = accounts,
};

/* 2026-11-24T12:00:00Z */
static const gint64 NOW_MS = G_GINT64_CONSTANT(1795521600000);

static void test_fields_that_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *field, *value;
        gsize offset; /* of the text in ContactEdit */
        const char *want;
    } cases[] = {
        {"email", "Kari@Example.NO", offsetof(ContactEdit, email), "kari@example.no"},
        {"first_name", "  Kari \n Anne ", offsetof(ContactEdit, first_name), "Kari Anne"},
        {"last_name", "李", offsetof(ContactEdit, last_name), "李"},
        {"company", "", offsetof(ContactEdit, company), ""},
        {"stage", "PITCHING", offsetof(ContactEdit, stage), "pitching"},
        {"time_zone", "America/New_York", offsetof(ContactEdit, time_zone), "America/New_York"},
        {"time_zone", "", offsetof(ContactEdit, time_zone), ""},
        {"language", "NB", offsetof(ContactEdit, language), "nb"},
        {"language", "nb_no", offsetof(ContactEdit, language), "nb-NO"},
        {"language", "ZH-hant-tw", offsetof(ContactEdit, language), "zh-Hant-TW"},
        {"language", "es-419", offsetof(ContactEdit, language), "es-419"},
        {"owner", "bo", offsetof(ContactEdit, owner), "bo"},
        {"owner", "", offsetof(ContactEdit, owner), ""},
        {"source", "fair", offsetof(ContactEdit, source), "fair"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ContactFields) fields = contact_fields_new(&config, NOW_MS);
        g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
        assert_true(contact_fields_set(fields, "email", "kari@example.no", NULL));
        if (!contact_fields_set(fields, cases[i].field, cases[i].value, &error))
            fail_msg("%s \"%s\": %s", cases[i].field, cases[i].value, error->message);
        const ContactEdit *edit = contact_fields_finish(fields, utc, NULL, NULL, &error);
        assert_non_null(edit);
        assert_string_equal(*(const char *const *)((const char *)edit + cases[i].offset), cases[i].want);
    }
}

static void test_fields_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *field, *value, *says;
    } cases[] = {
        {"email", "kari", "kari"},
        {"email", "kari@example.com", "our own people"},
        {"email", "kari@sub.example.com", "our own people"},
        {"email", "a@b.no\r\nBcc: c@d.no", ""},
        {"first_name", "Ka\001ri", "control characters"},
        {"first_name", "Ka\xC2\x9Bri", "control characters"},
        {"stage", "pichting", "did you mean \"pitching\"?"},
        {"stage", "zzzzzzz", "write one of: research, pitching, follow-up"},
        {"stage", "", "write one of"},
        {"time_zone", "Europe/Olso", ""},
        {"time_zone", "../../etc/passwd", ""},
        {"language", "norwegian", "write one such as"},
        {"language", "n1", "write one such as"},
        {"language", "nb-", "write one such as"},
        {"owner", "anan", "did you mean \"anna\"?"},
        {"tags", "happy, +cold", "begins with a letter"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ContactFields) fields = contact_fields_new(&config, NOW_MS);
        if (contact_fields_set(fields, cases[i].field, cases[i].value, &error))
            fail_msg("%s \"%s\" was taken", cases[i].field, cases[i].value);
        assert_non_null(strstr(error->message, cases[i].says));
        for (const char *p = error->message; *p != '\0'; p++)
            assert_true((guchar)*p >= 0x20);
    }
}

static void test_dates(void **state)
{
    (void)state;
    static const struct {
        const char *since, *stage, *zone, *current_stage;
        const char *want; /* RFC 3339, or NULL: refused */
        const char *says;
    } cases[] = {
        {"2026-11-20", "pitching", NULL, NULL, "2026-11-19T23:00:00Z", NULL},
        {"2026-11-20", "pitching", "America/New_York", NULL, "2026-11-20T05:00:00Z", NULL},
        {"2026-11-20 10:30", "pitching", NULL, NULL, "2026-11-20T09:30:00Z", NULL},
        {"2026-11-20T10:30:00Z", "pitching", "Asia/Tokyo", NULL, "2026-11-20T10:30:00Z", NULL},
        {"2026-11-24T12:00:00Z", "pitching", NULL, NULL, "2026-11-24T12:00:00Z", NULL},
        {"2026-11-20", NULL, NULL, "research", "2026-11-19T23:00:00Z", NULL},
        {"2026-11-20", NULL, NULL, NULL, NULL, "without a stage"},
        {"2026-11-24T12:00:01Z", "pitching", NULL, NULL, NULL, "in the future"},
        {"1970-01-01T00:00:00Z", "pitching", NULL, NULL, NULL, "too long ago"},
        {"20.11.2026", "pitching", NULL, NULL, NULL, ""},
    };
    g_autoptr(GTimeZone) oslo = timestamp_zone("Europe/Oslo", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const char *field = NULL;
        g_autoptr(ContactFields) fields = contact_fields_new(&config, NOW_MS);
        assert_true(contact_fields_set(fields, "email", "kari@example.no", NULL));
        assert_true(contact_fields_set(fields, "stage_since", cases[i].since, NULL));
        assert_true(cases[i].stage == NULL || contact_fields_set(fields, "stage", cases[i].stage, NULL));
        assert_true(cases[i].zone == NULL || contact_fields_set(fields, "time_zone", cases[i].zone, NULL));
        const ContactEdit *edit = contact_fields_finish(fields, oslo, cases[i].current_stage, &field, &error);
        if (cases[i].want == NULL) {
            assert_null(edit);
            assert_string_equal(field, "stage_since");
            assert_non_null(strstr(error->message, cases[i].says));
            continue;
        }
        assert_non_null(edit);
        g_autofree char *at = timestamp_format(edit->stage_since_ms);
        assert_string_equal(at, cases[i].want);
    }
}

static void test_tags_and_attributes(void **state)
{
    (void)state;
    g_autoptr(ContactFields) fields = contact_fields_new(&config, NOW_MS);
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    assert_true(contact_fields_set(fields, "email", "kari@example.no", NULL));
    assert_true(contact_fields_add_tags(fields, " happy | big deal;vip,", NULL));
    assert_true(contact_fields_remove_tags(fields, "cold", NULL));
    assert_true(contact_fields_set_attribute(fields, "note", "two\nlines", NULL));
    const ContactEdit *edit = contact_fields_finish(fields, utc, NULL, NULL, NULL);
    assert_string_equal(edit->add_tags[0], "happy");
    assert_string_equal(edit->add_tags[1], "big deal");
    assert_string_equal(edit->add_tags[2], "vip");
    assert_null(edit->add_tags[3]);
    assert_string_equal(edit->remove_tags[0], "cold");
    assert_null(edit->remove_tags[1]);
    assert_string_equal(g_hash_table_lookup(edit->attributes, "note"), "two\nlines");
}

static void test_attribute_names(void **state)
{
    (void)state;
    static const struct {
        const char *written, *want;
    } cases[] = {
        {"plan", "plan"},
        {"Favourite Colour", "favourite_colour"},
        {" Phone (mobile) ", "phone_mobile"},
        {"Größe", "größe"},
        {"a.b{{c}}", "a_b_c"},
        {"first-seen_at", "first-seen_at"},
        {"2026", "2026"},
        {"", NULL},
        {"(…)", NULL},
        {"\xFF", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = contact_attribute_name(cases[i].written, NULL);
        if (cases[i].want == NULL)
            assert_null(name);
        else
            assert_string_equal(name, cases[i].want);
    }
}

/* ---- columns --------------------------------------------------------------------------------------------------------- */

static void count_note(const char *text, gpointer data)
{
    GString *notes = data;
    g_string_append_printf(notes, "%s\n", text);
}

static void test_headers(void **state)
{
    (void)state;
    static const struct {
        const char *header; /* separated by | */
        const char *fault;  /* NULL: taken */
        const char *note;
    } cases[] = {
        {"email", NULL, ""},
        {"EMAIL|First Name|plan", NULL, ""},
        {"email|Plan (2026)", NULL, "becomes the attribute \"plan_2026\""},
        {"email|frist_name", NULL, "did you mean \"first_name\"?"},
        {"email|rule", NULL, "{{attributes.rule}}"},
        {"email|", NULL, ""},
        {"e-mail|first_name", "rename \"e-mail\" to email", ""},
        {"Name|Phone", "no column is \"email\"", ""},
        {"email|Email", "two columns mean \"email\"", ""},
        {"email|plan|PLAN", "two columns mean \"plan\"", ""},
        {"email|(…)", "is no name for an attribute", ""},
        {"", "no column is \"email\"", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) notes = g_string_new(NULL);
        g_auto(GStrv) header = g_strsplit(cases[i].header, "|", -1);
        g_autoptr(ImportColumns) columns = import_columns_new(header, count_note, notes, &error);
        if (cases[i].fault == NULL) {
            assert_non_null(columns);
            assert_non_null(strstr(notes->str, cases[i].note));
            assert_int_equal(notes->len == 0, cases[i].note[0] == '\0');
        } else {
            assert_null(columns);
            assert_non_null(strstr(error->message, cases[i].fault));
        }
    }
}

static void test_rows(void **state)
{
    (void)state;
    static const struct {
        const char *row;    /* under email|Stage|plan|(nameless) */
        const char *column; /* of the fault; "" for the whole row, NULL: taken */
        const char *says;
    } cases[] = {
        {"a@b.no|pitching|gold|", NULL, NULL},
        {"a@b.no|||", NULL, NULL},
        {"|pitching|gold|", "email", "there is no address"},
        {"a@b|pitching|", "", "the row has 3 values"},
        {"a@b.no|pitching|x|y|z", "", "quotation marks"},
        {"a@b.no|pitch|gold|", "Stage", "no stage of the pipeline"},
        {"a@b.no|pitching|gold|x", "", "column without a name"},
    };
    static char *header[] = {"email", "Stage", "plan", "", NULL};
    g_autoptr(GString) notes = g_string_new(NULL);
    g_autoptr(ImportColumns) columns = import_columns_new(header, count_note, notes, NULL);
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const char *column = NULL;
        g_auto(GStrv) row = g_strsplit(cases[i].row, "|", -1);
        g_autoptr(ContactFields) fields = contact_fields_new(&config, NOW_MS);
        const ContactEdit *edit = import_columns_read(columns, row, utc, fields, &column, &error);
        if (cases[i].column == NULL) {
            assert_non_null(edit);
            continue;
        }
        assert_null(edit);
        assert_string_equal(column != NULL ? column : "", cases[i].column);
        assert_non_null(strstr(error->message, cases[i].says));
    }
}

/* One row after the other through the same fields, as an import reads them. */
static void test_people_do_not_touch_each_other(void **state)
{
    (void)state;
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(ContactFields) fields = contact_fields_new(&config, NOW_MS);
    for (guint round = 0; round < 3; round++) {
        const ContactEdit *edits[2];
        for (guint i = 0; i < 2; i++) {
            if (i > 0)
                contact_fields_begin(fields);
            assert_true(contact_fields_set(fields, "email", i == 0 ? "a@b.no" : "c@d.no", NULL));
            assert_true(contact_fields_set(fields, "stage", "pitching", NULL));
            assert_true(contact_fields_set(fields, "stage_since", "2026-03-01", NULL));
            if (i == 0) {
                assert_true(contact_fields_set(fields, "time_zone", "America/New_York", NULL));
                assert_true(contact_fields_set(fields, "tags", "vip", NULL));
                assert_true(contact_fields_set_attribute(fields, "plan", "gold", NULL));
            }
            edits[i] = contact_fields_finish(fields, utc, NULL, NULL, NULL);
            assert_non_null(edits[i]);
        }
        assert_string_equal(edits[0]->email, "a@b.no");
        assert_string_equal(edits[0]->add_tags[0], "vip");
        assert_string_equal(g_hash_table_lookup(edits[0]->attributes, "plan"), "gold");
        assert_string_equal(edits[1]->email, "c@d.no");
        assert_null(edits[1]->time_zone);
        assert_null(edits[1]->add_tags);
        assert_int_equal(g_hash_table_size(edits[1]->attributes), 0);
        /* the same day begins later in New York */
        assert_int_equal(edits[0]->stage_since_ms - edits[1]->stage_since_ms, 5 * 60 * 60 * 1000);
        contact_fields_reset(fields);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_that_are_taken),
        cmocka_unit_test(test_fields_that_are_refused),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_tags_and_attributes),
        cmocka_unit_test(test_attribute_names),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_people_do_not_touch_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
