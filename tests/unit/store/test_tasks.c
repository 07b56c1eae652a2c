/* Protects: tasks in their order, each with its line on the history, one for a reminder, and gone with their contact. */
#include "fixture.h"

#include "base/text.h"
#include "store/tasks.h"

static gint64 add_task(Store *store, gint64 contact_id, const char *text, const char *owner, gint64 due_ms)
{
    GError *error = NULL;
    gint64 id = 0;
    const OwnerTask task = {
        .contact_id = contact_id, .text = (char *)text, .owner = (char *)owner, .source = (char *)TASK_BY_HAND, .due_ms = due_ms, .created_ms = NOW};
    assert_done(store_task_add(store, &task, NULL, &id, &error));
    return id;
}

static gboolean note_text(const OwnerTask *task, gpointer data)
{
    g_string_append_printf(data, "%s%s ", task->text, task->done_ms != 0 ? "(done)" : "");
    return TRUE;
}

static void assert_listed(Store *store, const TaskFilter *filter, const char *want)
{
    GError *error = NULL;
    g_autoptr(GString) found = g_string_new(NULL);
    assert_done(store_task_each(store, filter, note_text, found, &error));
    assert_string_equal(found->str, want);
}

static void they_are_listed_by_due_time(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gboolean changed = FALSE;
    gint64 a = add_contact(store, "a@b.no"), b = add_contact(store, "b@b.no");
    add_task(store, a, "some-day", "anna", 0);
    add_task(store, a, "later", "Anna", NOW + 2 * DAY);
    gint64 first = add_task(store, b, "first", "ola", NOW - DAY);
    gint64 second = add_task(store, b, "second", "ola", NOW);
    assert_listed(store, &(TaskFilter){0}, "first second later some-day ");
    assert_listed(store, &(TaskFilter){.owner = "ANNA"}, "later some-day ");
    assert_listed(store, &(TaskFilter){.contact_id = b}, "first second ");
    assert_listed(store, &(TaskFilter){.due_before_ms = NOW + 1}, "first second ");
    assert_listed(store, &(TaskFilter){.due_before_ms = NOW + 1, .contact_id = a}, "");
    assert_done(store_task_set_done(store, first, NOW + 5, "", NOW + 5, &changed, &error));
    assert_true(changed);
    assert_done(store_task_set_done(store, second, NOW + 6, "", NOW + 6, &changed, &error));
    assert_listed(store, &(TaskFilter){.with_done = TRUE}, "later some-day second(done) first(done) ");
    assert_listed(store, &(TaskFilter){.with_done = TRUE, .contact_id = b}, "second(done) first(done) ");
    assert_listed(store, &(TaskFilter){.contact_id = b}, "");
}

static gboolean note_line(const Interaction *line, gpointer data)
{
    if (line->kind == INTERACTION_TASK)
        g_string_append_printf(data, "%s:%s:%s ", line->detail, line->subject, line->text);
    return TRUE;
}

static void the_history_tells(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gboolean changed = FALSE;
    gint64 contact = add_contact(store, "a@b.no"), id = add_task(store, contact, "call", "anna", NOW);
    assert_done(store_task_set_done(store, id, NOW + 1, "nice", NOW + 1, &changed, &error));
    assert_done(store_task_set_done(store, id, NOW + 2, "nice", NOW + 2, &changed, &error));
    assert_false(changed); /* it was: told once */
    assert_done(store_task_set_done(store, id, 0, NULL, NOW + 3, &changed, &error));
    assert_true(changed);
    assert_done(store_task_set_done(store, 77, NOW, "", NOW, &changed, &error));
    assert_false(changed);
    g_autoptr(GString) lines = g_string_new(NULL);
    assert_done(store_history_each(store, contact, note_line, lines, &error));
    assert_string_equal(lines->str, "to do:call: done:call:nice to be done again:call: ");
}

static void a_reminder_makes_one_task(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 contact = add_contact(store, "a@b.no"), id = 0;
    gint64 message = add_message(store, contact, add_enrolment(store, contact, "r", NOW), "one", NOW);
    const OwnerTask task = {.contact_id = contact, .outbox_id = message, .text = (char *)"call", .rule = (char *)"r", .step = (char *)"one"};
    const Interaction told = {.contact_id = contact, .at_ms = NOW, .kind = INTERACTION_TASK, .detail = "twice"};
    assert_done(store_task_add(store, &task, &told, &id, &error));
    assert_true(id > 0);
    id = 0;
    assert_done(store_task_add(store, &task, &told, &id, &error)); /* retried by hand after it had failed */
    assert_int_equal(id, 0);
    assert_int_equal(number_of(store, "SELECT count(*) FROM task"), 1);
    assert_int_equal(number_of(store, "SELECT count(*) FROM interaction WHERE detail = 'twice'"), 2);
    g_autoptr(OwnerTask) read = NULL;
    assert_done(store_task_get(store, number_of(store, "SELECT id FROM task"), &read, &error));
    assert_string_equal(read->email, "a@b.no");
    assert_string_equal(read->rule, "r");
    assert_string_equal(read->owner, "");
    run(store, "DELETE FROM outbox");
    assert_int_equal(number_of(store, "SELECT count(*) FROM task"), 1);
    assert_done(store_contact_forget(store, contact, &error));
    assert_int_equal(number_of(store, "SELECT count(*) FROM task"), 0);
}

static void it_is_changed(void **state)
{
    Store *store = store_of(state);
    GError *error = NULL;
    gint64 id = add_task(store, add_contact(store, "a@b.no"), "call", "anna", NOW);
    g_autoptr(OwnerTask) task = NULL, now = NULL, none = NULL;
    assert_done(store_task_get(store, id, &task, &error));
    text_replace(&task->text, "write");
    text_replace(&task->owner, "Ola");
    task->due_ms = 0;
    assert_done(store_task_update(store, task, &error));
    assert_done(store_task_get(store, id, &now, &error));
    assert_string_equal(now->text, "write");
    assert_int_equal(now->due_ms, 0);
    assert_listed(store, &(TaskFilter){.owner = "ola"}, "write ");
    assert_done(store_task_get(store, 99, &none, &error));
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_store(they_are_listed_by_due_time),
        with_store(the_history_tells),
        with_store(a_reminder_makes_one_task),
        with_store(it_is_changed),
    };
    return cmocka_run_group_tests_name("tasks", tests, NULL, NULL);
}
