/*
 * The table of commands: what the dispatcher (cli.c) knows of each. A command's function gets the words behind its name.
 */
#pragma once

#include "cli/context.h"

struct Command {
    const char *name;
    const char *synopsis; /* its arguments, for the usage line: "EMAIL [--json]" */
    const char *summary;  /* one line, for help */
    int (*run)(Cli *cli, char **words);
    const Command *subcommands;     /* ended by one without name; NULL where there are none */
    const char *default_subcommand; /* taken where none is named; NULL: one must be */
};

extern const Command contact_subcommands[];
extern const Command company_subcommands[];
extern const Command queue_subcommands[];
extern const Command suppression_subcommands[];
extern const Command task_subcommands[];
extern const Command report_subcommands[];
extern const Command proposal_subcommands[];
extern const Command referral_subcommands[];
extern const Command account_subcommands[];

int command_check(Cli *cli, char **words);
int command_import(Cli *cli, char **words);
int command_history(Cli *cli, char **words);
int command_log(Cli *cli, char **words);
int command_preview(Cli *cli, char **words);
int command_why(Cli *cli, char **words);
int command_forecast(Cli *cli, char **words);
int command_read(Cli *cli, char **words);
int command_backfill(Cli *cli, char **words);
int command_doctor(Cli *cli, char **words);
int command_status(Cli *cli, char **words);
int command_reload(Cli *cli, char **words);
int command_pause(Cli *cli, char **words);
int command_resume(Cli *cli, char **words);

int contact_command_add(Cli *cli, char **words);
int contact_command_set(Cli *cli, char **words);
int contact_command_stage(Cli *cli, char **words);
int contact_command_tag(Cli *cli, char **words);
int contact_command_alias(Cli *cli, char **words);
int contact_command_show(Cli *cli, char **words);
int contact_command_list(Cli *cli, char **words);
int contact_command_score(Cli *cli, char **words);
int contact_command_pause(Cli *cli, char **words);
int contact_command_resume(Cli *cli, char **words);
int contact_command_forget(Cli *cli, char **words);
int contact_command_export(Cli *cli, char **words);

int account_command_list(Cli *cli, char **words);
int account_command_authorize(Cli *cli, char **words);

int queue_command_list(Cli *cli, char **words);
int queue_command_approve(Cli *cli, char **words);
int queue_command_hold(Cli *cli, char **words);
int queue_command_cancel(Cli *cli, char **words);
int queue_command_retry(Cli *cli, char **words);

int suppression_command_list(Cli *cli, char **words);
int suppression_command_add(Cli *cli, char **words);
int suppression_command_remove(Cli *cli, char **words);
int suppression_command_import(Cli *cli, char **words);
int suppression_command_export(Cli *cli, char **words);

int report_command_funnel(Cli *cli, char **words);
int report_command_stages(Cli *cli, char **words);
int report_command_rules(Cli *cli, char **words);
int report_command_owners(Cli *cli, char **words);
int report_command_referrals(Cli *cli, char **words);

int referral_command_list(Cli *cli, char **words);
int referral_command_show(Cli *cli, char **words);
int referral_command_add(Cli *cli, char **words);
int referral_command_accept(Cli *cli, char **words);
int referral_command_decline(Cli *cli, char **words);
int referral_command_tree(Cli *cli, char **words);

int task_command_list(Cli *cli, char **words);
int task_command_add(Cli *cli, char **words);
int task_command_done(Cli *cli, char **words);
int task_command_reopen(Cli *cli, char **words);
int task_command_set(Cli *cli, char **words);

int proposal_command_list(Cli *cli, char **words);
int proposal_command_show(Cli *cli, char **words);
int proposal_command_accept(Cli *cli, char **words);
int proposal_command_decline(Cli *cli, char **words);

int company_command_list(Cli *cli, char **words);
int company_command_show(Cli *cli, char **words);
int company_command_set(Cli *cli, char **words);
