/*
 * Structured log lines on stderr: `event=sent account=anna contact=kari@example.no message=17`. One event once, logged by
 * the layer that decides; rooms below engine/ return errors and do not log. Values are escaped here, so that remote text
 * can neither break a line nor forge a field. Under systemd (JOURNAL_STREAM names our stderr) lines carry journald's
 * `<N>` priority prefix; otherwise a time stamp and the level's name. No body of a mail and no credential is ever logged.
 */
#pragma once

#include <glib.h>

typedef enum { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG } LogLevel;

typedef struct {
    const char *key;  /* NULL ends the list */
    const char *text; /* NULL: the field is left out, unless is_number */
    gint64 number;
    gboolean is_number;
} LogField;

#define LOG_TEXT(key_, text_) ((LogField){.key = (key_), .text = (text_)})
#define LOG_NUMBER(key_, number_) ((LogField){.key = (key_), .number = (gint64)(number_), .is_number = TRUE})

/* log_event(LOG_LEVEL_INFO, "sent", LOG_TEXT("contact", email), LOG_NUMBER("message", id)); thread-safe. */
#define log_event(level, event, ...) log_event_fields((level), (event), (const LogField[]){__VA_ARGS__ __VA_OPT__(, ) {.key = NULL}})
void log_event_fields(LogLevel level, const char *event, const LogField *fields);

/* Lines less important than level are dropped. The default is LOG_LEVEL_INFO. The only global state of the program. */
void log_set_level(LogLevel level);
