/*
 * nurture contact: the table of its commands. Changes of fields are in contact_edit.c, further addresses in contact_alias.c, scores in contact_score.c, pauses and
 * erasure in contact_state.c, what only reads in contact_show.c, contact_list.c and contact_export.c.
 */
#include "cli/command.h"

const Command contact_subcommands[] = {
    {"add", "EMAIL [--first-name NAME] [--stage STAGE] …", "Adds a person", contact_command_add, NULL, NULL},
    {"show", "EMAIL", "What is known of a person, and what comes next", contact_command_show, NULL, NULL},
    {"list", "[--stage STAGE] [--owner ACCOUNT] [--tag TAG] …", "People, by address", contact_command_list, NULL, NULL},
    {"set", "EMAIL [--company NAME] [--attribute NAME=VALUE] …", "Changes what is known of a person; \"\" clears",
     contact_command_set, NULL, NULL},
    {"stage", "EMAIL STAGE [--since DATE]", "Moves a person to a stage", contact_command_stage, NULL, NULL},
    {"tag", "EMAIL +TAG [-TAG …]", "Adds and takes away tags", contact_command_tag, NULL, NULL},
    {"alias", "EMAIL add|remove ADDRESS", "Adds and takes away a further address", contact_command_alias, NULL, NULL},
    {"score", "EMAIL NUMBER", "How likely they would recommend us, 0 to 10", contact_command_score, NULL, NULL},
    {"pause", "EMAIL [--until DATE]", "Sends a person nothing until then", contact_command_pause, NULL, NULL},
    {"resume", "EMAIL", "Ends a pause", contact_command_resume, NULL, NULL},
    {"forget", "EMAIL [--yes] [--suppress]", "Erases a person and all that is known of them", contact_command_forget, NULL,
     NULL},
    {"export", "EMAIL [--json | --text]", "Everything about a person, for programs or for people", contact_command_export, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};
