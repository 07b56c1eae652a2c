/*
 * What the views of `nurture forecast` share: what was asked, and how a message is told of.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "cli/context.h"
#include "engine/rehearsal.h"

typedef enum {
    FORECAST_BY_DAY,
    FORECAST_BY_RULE,
    FORECAST_BY_CONTACT,
    FORECAST_BY_CALENDAR,
    FORECAST_BY_MESSAGE
} ForecastView;

/* What was asked. */
typedef struct {
    Cli *cli;
    gint64 now_ms, until_ms;
    int days;
    GTimeZone *zone;  /* of days and times in tables: the contact's where one was asked for, else sending.time_zone */
    Contact *contact; /* NULL: everybody */
    const char *rule; /* NULL: all */
} Forecast;

/* The view, and how many messages it shows, to how many. messages: RehearsedMessage*, by time. Fails where files of holidays cannot be
 * read (PLAN_ERROR). */
gboolean forecast_print(const Forecast *forecast, ForecastView view, const GPtrArray *messages, GError **error);

/* The months alone. PLAN_ERROR. */
gboolean forecast_print_calendar(const Forecast *forecast, const GPtrArray *messages, GError **error);

/* left_out: RehearsedOmission*. A line for each rule and account; nothing where there are none. In JSON an object with as_row (beside rows of
 * rules), else a line on err: what is printed there is messages and nothing else. */
void forecast_print_left_out(const Forecast *forecast, gboolean as_row, const GPtrArray *left_out);

/* What another configuration, which gives after, changes of before: by message, rule or contact. */
void forecast_compare(const Forecast *forecast, ForecastView view, const GPtrArray *before, const GPtrArray *after);

/* ---- a message ---- */

JsonObject *forecast_message_object(const RehearsedMessage *message);

/* The step, "task: …" for one of the owner. Caller frees. */
char *forecast_step(const RehearsedMessage *message);

/* "2026-11-24 Tue" in the forecast's zone; "11-24 Tue" in a narrow terminal. Caller frees. */
char *forecast_day(const Forecast *forecast, gint64 at_ms);

/* "2026-11-24 Tue 09:15"; "" for 0. Caller frees. */
char *forecast_time(const Forecast *forecast, gint64 at_ms);
