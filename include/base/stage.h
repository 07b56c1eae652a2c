/*
 * Where the time of a message goes, for the bench: processor time by stage. Off, it costs a comparison; on with NURTURE_STAGES=1 in the
 * environment of nurtured, which then logs an event "stage" for each as it ends. Any thread.
 */
#pragma once

#include <glib.h>

typedef enum {
    STAGE_CLAIM,   /* gates and the row's claim, with the letter */
    STAGE_LETTER,  /* gathering what the message needs */
    STAGE_RENDER,  /* the template */
    STAGE_COMPOSE, /* the MIME message */
    STAGE_SEND,    /* the conversation, as it costs us; waiting for the server is none */
    STAGE_OUTCOME, /* row, history, next step */
    STAGE_COMMIT,  /* on disk; waiting for the disk is none */
    STAGE_TELL     /* the log, and handing over to the workers */
} Stage;

/* Once, at the start. */
void stages_init(void);

/* Processor time of this thread, in ns; 0: nobody measures. */
gint64 stage_begin(void);

/* What began there is over, for so many messages. */
void stage_end(Stage stage, gint64 begun, guint messages);

void stages_log(void);
