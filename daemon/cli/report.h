/*
 * What the reports share: what was asked, and the words of owners.
 */
#pragma once

#include "cli/report_sheet.h"

/* What was asked, with the store open. */
typedef struct {
    Cli *cli;
    SheetForm form;
    gint64 now_ms;
    gint64 from_ms, to_ms; /* from from_ms on, before to_ms; all time where neither was given */
    GTimeZone *zone;       /* sending.time_zone: of quarters */
    char *owner_key;       /* of the contacts that are looked at; NULL: everybody's */
    char *by;              /* --by; NULL: not given */
    char *value;           /* --value: an attribute's name; NULL: not given */
} ReportCase;

/* As store/ folds keys for comparing without case. Caller frees. */
char *report_fold(const char *text);

gboolean report_is_left_out(const ReportCase *report, const char *owner_key);

/* The owner of that key as the configuration spells it, "(none)" for "". Belongs to report or key. */
const char *report_owner_name(const ReportCase *report, const char *owner_key);

/* Each gives its rows; NULL where the store fails. */
Sheet *report_funnel(const ReportCase *report, GError **error);
Sheet *report_stages(const ReportCase *report, GError **error);
Sheet *report_rules(const ReportCase *report, GError **error);
Sheet *report_owners(const ReportCase *report, GError **error);
Sheet *report_referrals(const ReportCase *report, GError **error);
