/*
 * Puts plan/ at the disposal of tests/property/test_plan.py: reads one operation a line from stdin and prints its result.
 * The arguments are holiday files. Times are ms since 1970; "never" is G_MAXINT64 as a number.
 *
 *     next ZONE DAYS FROM TO AT                        window_next(), and 1 or 0 of window_contains()
 *     add ZONE AT MONTHS DAYS BUSINESS MS              calendar_add()
 *     minute ZONE AT DAYS MINUTE                       calendar_local_minute()
 *     holiday ZONE AT                                  1 or 0
 *     hold ZONE CUSTOMER STAGE NOW [SIDE KIND MIN-MONTHS MIN-DAYS MAX-MONTHS MAX-DAYS]…
 *                                                      conditions_hold() and the time of its turn; SIDE is when or unless,
 *                                                      KIND customer or stage, MIN-DAYS or MAX-DAYS -1: not given
 *     due ZONE DAYS FROM TO ANCHOR LAST AGE MONTHS DAYS BUSINESS MS ON-DAYS AT DATE YEAR MONTH DAY TEXT MONTHS DAYS BUSINESS MS
 *                                                      schedule_due(): AGE 1 or 0 (after), AT -1: any, DATE as StepDate's number,
 *                                                      TEXT the attribute's value (- absent), YEAR 1 there: yearly; the last
 *                                                      duration is `before`. And 1 where the time lies in schedule_window()
 *     until ZONE ANCHOR YEAR MONTH DAY MONTHS DAYS BUSINESS MS
 *                                                      schedule_until()
 *     bench NAME COUNT                                 nanoseconds for one evaluation
 */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/calendar.h"
#include "plan/conditions.h"
#include "plan/gates.h"
#include "plan/schedule.h"
#include "plan/window.h"

#define LINE_MAX_BYTES 1024

typedef struct {
    Calendar *calendar;
    GHashTable *zones; /* name -> GTimeZone */
    char **words;      /* of the line */
    guint next;        /* the next one to read */
} Driver;

G_GNUC_NORETURN static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "plan_driver: %s: %s\n", what, detail);
    exit(2);
}

static const char *read_word(Driver *driver)
{
    const char *word = driver->words[driver->next];
    if (!word)
        fail("a word is missing after", driver->words[0]);
    driver->next++;
    return word;
}

static gint64 read_number(Driver *driver)
{
    const char *word = read_word(driver);
    char *end = NULL;
    errno = 0;
    gint64 number = g_ascii_strtoll(word, &end, 10);
    if (errno || end == word || *end)
        fail("no number", word);
    return number;
}

static GTimeZone *read_zone(Driver *driver)
{
    const char *name = read_word(driver);
    GTimeZone *zone = g_hash_table_lookup(driver->zones, name);
    if (!zone) {
        zone = g_time_zone_new_identifier(name);
        if (!zone)
            fail("no such zone", name);
        g_hash_table_insert(driver->zones, g_strdup(name), zone);
    }
    return zone;
}

static Window read_window(Driver *driver)
{
    Window window;
    window.days = (guint8)read_number(driver);
    window.from_min = (int)read_number(driver);
    window.to_min = (int)read_number(driver);
    return window;
}

static Duration read_duration(Driver *driver)
{
    Duration duration;
    duration.months = (int)read_number(driver);
    duration.days = (int)read_number(driver);
    duration.business_days = (int)read_number(driver);
    duration.ms = read_number(driver);
    return duration;
}

static void run_next(Driver *driver)
{
    GTimeZone *zone = read_zone(driver);
    Window window = read_window(driver);
    gint64 at_ms = read_number(driver);
    printf("%" G_GINT64_FORMAT " %d\n", window_next(&window, driver->calendar, zone, at_ms),
           window_contains(&window, driver->calendar, zone, at_ms));
}

static void run_add(Driver *driver)
{
    GTimeZone *zone = read_zone(driver);
    gint64 at_ms = read_number(driver);
    Duration duration = read_duration(driver);
    printf("%" G_GINT64_FORMAT "\n", calendar_add(driver->calendar, zone, at_ms, &duration));
}

static void run_minute(Driver *driver)
{
    GTimeZone *zone = read_zone(driver);
    gint64 at_ms = read_number(driver);
    int days = (int)read_number(driver);
    int minute = (int)read_number(driver);
    printf("%" G_GINT64_FORMAT "\n", calendar_local_minute(zone, at_ms, days, minute));
}

static void run_holiday(Driver *driver)
{
    GTimeZone *zone = read_zone(driver);
    printf("%d\n", calendar_is_holiday(driver->calendar, zone, read_number(driver)));
}

static void read_age(Driver *driver, gboolean *ret_given, Duration *ret_age)
{
    int months = (int)read_number(driver);
    int days = (int)read_number(driver);
    *ret_given = days >= 0;
    *ret_age = (Duration){.months = months, .days = MAX(days, 0)};
}

static void run_hold(Driver *driver)
{
    g_autoptr(GPtrArray) when = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) unless = g_ptr_array_new_with_free_func(g_free);
    PlanFacts facts = {.zone = read_zone(driver)};
    facts.customer_since_ms = read_number(driver);
    facts.stage_since_ms = read_number(driver);
    gint64 now_ms = read_number(driver);

    while (driver->words[driver->next]) {
        Condition *condition = g_new0(Condition, 1);
        g_ptr_array_add(g_str_equal(read_word(driver), "when") ? when : unless, condition);
        condition->kind = g_str_equal(read_word(driver), "customer") ? CONDITION_CUSTOMER_AGE : CONDITION_STAGE_AGE;
        read_age(driver, &condition->has_min, &condition->min_age);
        read_age(driver, &condition->has_max, &condition->max_age);
    }
    g_ptr_array_add(when, NULL);
    g_ptr_array_add(unless, NULL);

    const Rule rule = {.when = (Condition **)when->pdata, .unless = (Condition **)unless->pdata};
    gint64 change_ms = 0;
    gboolean holds = conditions_hold(&rule, &facts, driver->calendar, now_ms, &change_ms);
    printf("%d %" G_GINT64_FORMAT "\n", holds, change_ms);
}

/* The attributes of a contact with the date as the attribute "day". */
static JsonObject *attributes_with(const char *day)
{
    JsonObject *attributes = json_object_new();
    if (!g_str_equal(day, "-"))
        json_object_set_string_member(attributes, "day", day);
    return attributes;
}

static void run_due(Driver *driver)
{
    PlanFacts facts = {.zone = read_zone(driver)};
    Window window = read_window(driver);
    gint64 anchor_ms = read_number(driver);
    gint64 last_step_ms = read_number(driver);
    Step step = {.timing = read_number(driver) ? STEP_AGE : STEP_AFTER, .on_attribute = (char *)"day"};
    step.delay = read_duration(driver);
    step.on_days = (guint8)read_number(driver);
    step.at_min = (int)read_number(driver);
    step.date = (StepDate)read_number(driver);
    step.on_year = (int)read_number(driver);
    step.on_month = (int)read_number(driver);
    step.on_day = (int)read_number(driver);
    step.yearly = step.date == STEP_DATE_ATTRIBUTE && step.on_year == 1;
    g_autoptr(JsonObject) attributes = attributes_with(read_word(driver));
    facts.attributes = attributes;
    step.before = read_duration(driver);

    const Rule rule = {.name = (char *)"r"};
    gint64 due_ms = schedule_due(&rule, &step, &facts, anchor_ms, last_step_ms, &window, driver->calendar);
    Window part = schedule_window(&step, &window);
    printf("%" G_GINT64_FORMAT " %d\n", due_ms, window_contains(&part, driver->calendar, facts.zone, due_ms));
}

static void run_until(Driver *driver)
{
    GTimeZone *zone = read_zone(driver);
    gint64 anchor_ms = read_number(driver);
    Rule rule = {.until_year = (int)read_number(driver)};
    rule.until_month = (int)read_number(driver);
    rule.until_day = (int)read_number(driver);
    rule.until_age = read_duration(driver);
    printf("%" G_GINT64_FORMAT "\n", schedule_until(&rule, driver->calendar, zone, anchor_ms));
}

/* ---- speed ---- */

typedef struct {
    Calendar *calendar;
    GTimeZone *zone;
    Window window;
    Rule rule;
    PlanFacts facts;
    Step plain, dated;
} Bench;

static gint64 bench_window_next(const Bench *bench, gint64 at_ms)
{
    return window_next(&bench->window, bench->calendar, bench->zone, at_ms);
}

static gint64 bench_add_days(const Bench *bench, gint64 at_ms)
{
    const Duration duration = {.days = 3};
    return calendar_add(bench->calendar, bench->zone, at_ms, &duration);
}

static gint64 bench_conditions(const Bench *bench, gint64 at_ms)
{
    gint64 change_ms;
    return conditions_hold(&bench->rule, &bench->facts, bench->calendar, at_ms, &change_ms) + change_ms;
}

/* As most contacts and rules meet: in another stage. */
static gint64 bench_conditions_fail(const Bench *bench, gint64 at_ms)
{
    gint64 change_ms;
    PlanFacts facts = bench->facts;
    facts.stage = "research";
    return conditions_hold(&bench->rule, &facts, bench->calendar, at_ms, &change_ms) + change_ms;
}

static gint64 bench_due(const Bench *bench, gint64 at_ms)
{
    return schedule_due(&bench->rule, &bench->plain, &bench->facts, at_ms, 0, &bench->window, bench->calendar);
}

static gint64 bench_due_dated(const Bench *bench, gint64 at_ms)
{
    return schedule_due(&bench->rule, &bench->dated, &bench->facts, at_ms, 0, &bench->window, bench->calendar);
}

static gint64 bench_gates(const Bench *bench, gint64 at_ms)
{
    const GateFacts facts = {
        .now_ms = at_ms,
        .planned_ms = at_ms - 1,
        .window = &bench->window,
        .calendar = bench->calendar,
        .zone = bench->zone,
        .min_gap = {.days = 2},
        .max_late = {.days = 7},
        .enrolled = TRUE,
        .last_contacted_ms = at_ms - G_GINT64_CONSTANT(86400000) * 3,
    };
    GateResult result;
    gates_decide(&facts, &result);
    gint64 until_ms = result.until_ms;
    gate_result_clear(&result);
    return until_ms;
}

static void run_bench(Driver *driver)
{
    static const struct {
        const char *name;
        gint64 (*evaluate)(const Bench *bench, gint64 at_ms);
    } benches[] = {{"window_next", bench_window_next},
                   {"add_days", bench_add_days},
                   {"conditions", bench_conditions},
                   {"conditions_fail", bench_conditions_fail},
                   {"due", bench_due},
                   {"due_dated", bench_due_dated},
                   {"gates", bench_gates}};
    const char *name = read_word(driver);
    gint64 count = read_number(driver);
    char *stages[] = {(char *)"qualifying", (char *)"pitching", NULL};
    char *tags_wanted[] = {(char *)"happy", NULL};
    static const char *const tags[] = {"vip", "happy", NULL};
    Condition stage = {.kind = CONDITION_STAGE, .any_of = stages}, tag = {.kind = CONDITION_TAG, .any_of = tags_wanted};
    Condition age = {
        .kind = CONDITION_STAGE_AGE, .has_min = TRUE, .min_age = {.days = 3}, .has_max = TRUE, .max_age = {.months = 6}};
    Condition *when[] = {&stage, &tag, &age, NULL};
    Bench bench = {
        .calendar = driver->calendar, .zone = g_time_zone_new_identifier("Europe/Oslo"), .window = {0x1f, 540, 990}};
    bench.rule.when = when;
    bench.plain = (Step){.timing = STEP_AFTER, .delay = {.days = 3}, .at_min = -1};
    bench.dated = (Step){.date = STEP_DATE_ANNIVERSARY, .before = {.days = 30}, .on_days = DAY_TUE | DAY_THU, .at_min = 600};
    bench.facts = (PlanFacts){
        .stage = "pitching", .tags = tags, .stage_since_ms = G_GINT64_CONSTANT(1790000000000), .zone = bench.zone};

    for (gsize i = 0; i < G_N_ELEMENTS(benches); i++) {
        if (!g_str_equal(benches[i].name, name))
            continue;
        gint64 start_us = g_get_monotonic_time(), sum = 0;
        for (gint64 n = 0; n < count; n++) /* over a year, at all times of the day */
            sum += benches[i].evaluate(&bench,
                                       G_GINT64_CONSTANT(1790000000000) + n * 7919993 % G_GINT64_CONSTANT(31536000000)) &
                   1;
        printf("%.0f %" G_GINT64_FORMAT "\n", (double)(g_get_monotonic_time() - start_us) * 1000 / (double)count, sum);
    }
    g_time_zone_unref(bench.zone);
}

static void run_line(Driver *driver)
{
    const char *name = read_word(driver);
    if (g_str_equal(name, "next"))
        run_next(driver);
    else if (g_str_equal(name, "add"))
        run_add(driver);
    else if (g_str_equal(name, "minute"))
        run_minute(driver);
    else if (g_str_equal(name, "holiday"))
        run_holiday(driver);
    else if (g_str_equal(name, "hold"))
        run_hold(driver);
    else if (g_str_equal(name, "due"))
        run_due(driver);
    else if (g_str_equal(name, "until"))
        run_until(driver);
    else if (g_str_equal(name, "bench"))
        run_bench(driver);
    else
        fail("no such operation", name);
    if (driver->words[driver->next])
        fail("a word too many", driver->words[driver->next]);
}

int main(int argc, char **argv)
{
    (void)argc;
    char line[LINE_MAX_BYTES];
    g_autoptr(GError) error = NULL;
    Driver driver = {.calendar = calendar_load(argv + 1, &error)};
    if (!driver.calendar)
        fail("holidays", error->message);
    driver.zones = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_time_zone_unref);

    while (fgets(line, sizeof line, stdin)) {
        if (!g_str_has_suffix(line, "\n"))
            fail("a line too long", line);
        driver.words = g_strsplit(g_strchomp(line), " ", -1);
        driver.next = 0;
        run_line(&driver);
        g_strfreev(driver.words);
    }
    g_hash_table_unref(driver.zones);
    calendar_free(driver.calendar);
    return 0;
}
