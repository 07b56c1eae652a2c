/*
 * What every command works with: where it writes, its configuration and store, and the ways to fail.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdio.h>

#include "cli/cli.h"
#include "config/config.h"
#include "store/contacts.h"
#include "store/store.h"

#define CLI_ERROR (cli_error_quark())
GQuark cli_error_quark(void);
typedef enum {
    CLI_ERROR_INPUT,  /* what was typed, or stands in a file, cannot be taken; the message says what to write */
    CLI_ERROR_UNKNOWN /* nobody, or nothing, of that name */
} CliError;

typedef struct Command Command;

typedef struct Cli {
    FILE *out, *err;
    char *path;             /* "nurture contact add", as far as it is known */
    const Command *command; /* the one that runs; NULL before it is known */
    char *config_file;      /* as given by -c; NULL: not given */
    gboolean json;
    guint columns; /* of the terminal; 0: do not cut lines */
    gboolean colour;
    Config *config; /* after cli_load_config() */
    Store *store;   /* after cli_open_store() */
} Cli;

void cli_context_init(Cli *cli, FILE *out, FILE *err);
void cli_context_clear(Cli *cli);

/* ---- failing ---- */

/* "nurture: …" on err; returns CLI_FAILED, so that a command can `return cli_failed(cli, …)`. */
int cli_failed(Cli *cli, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The same with the error's own words; frees the error. */
int cli_failed_by(Cli *cli, GError *error);

/* The fault and the command's usage line on err; returns CLI_USAGE. */
int cli_wrong_usage(Cli *cli, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The remark on a contact that store_contact_save() says came back. */
#define CLI_CAME_BACK "%s was erased before, and is still never mailed; nurture suppression list tells why"

/* A remark on err that is no fault. */
void cli_note(Cli *cli, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* ---- the words of the command line ---- */

/* A number as the first column of `nurture LIST` has it (list: "task"); FALSE and CLI_ERROR_INPUT else. */
gboolean cli_id_parse(const char *word, const char *list, gint64 *ret_id, GError **error);

/*
 * Parses options (GOptionEntry list ended by a NULL name, or NULL; -c, --json and --help are added) and gives the other words,
 * at_least … at_most of them. NULL where the command is to end at once with *ret_status: after --help, or a usage error that
 * was told. Free with g_strfreev().
 */
char **cli_parse(Cli *cli, char **words, const GOptionEntry *entries, guint at_least, guint at_most, int *ret_status);

/* As cli_parse(), but stops at the first word that is no option and gives it and all behind it: for what stands before the
 * name of a (sub)command. */
char **cli_parse_leading(Cli *cli, char **words, const GOptionEntry *entries, int *ret_status);

/* ---- configuration and store ---- */

/* Loads cli->config from -c, $NURTURE_CONFIG or the default place. */
gboolean cli_load_config(Cli *cli, GError **error);

typedef enum {
    CLI_STORE_READ, /* to read alone */
    CLI_STORE_TRY,  /* to write and roll back: neither made nor migrated */
    CLI_STORE_WRITE, /* to change what is there: migrated where it is old */
    CLI_STORE_MAKE   /* to add: made where it is missing as well */
} CliAccess;

/* Loads the configuration and opens cli->store. */
gboolean cli_open_store(Cli *cli, CliAccess access, GError **error);

/* Opens the store to read for a command that lists. A store that was not made yet has nothing to list: *ret_empty, and a note on
 * err. */
gboolean cli_open_list(Cli *cli, gboolean *ret_empty, GError **error);

/* FALSE where the store of the configuration, which is loaded, is a file that was not made yet. */
gboolean cli_store_exists(const Cli *cli);

/* ---- people ---- */

/* The contact of this address or alias; CLI_ERROR_UNKNOWN names the nearest known address. */
Contact *cli_find_contact(Cli *cli, const char *word, GError **error);

/* Loads the configuration, opens the store and finds the contact. */
Contact *cli_open_contact(Cli *cli, CliAccess access, const char *word, GError **error);

/* The zone of the contact, else of their company, else the default. Free with g_time_zone_unref(). */
GTimeZone *cli_contact_zone(const Cli *cli, const Contact *contact);

/* `sending.time_zone`. Free with g_time_zone_unref(). */
GTimeZone *cli_default_zone(const Cli *cli);

/* ---- results ---- */

/* The object as one line on out; consumes it. */
void cli_print_json(Cli *cli, JsonObject *object);

/* What became of one contact: a line, or with --json {"contact": …, "result": …}. */
void cli_tell(Cli *cli, const char *email, const char *result);

/* Puts "; did you mean …?" or, where no candidate is near, "; write one of …" behind the fault. Caller frees. */
char *cli_suggest(const char *fault, const char *word, const char *const *candidates);
