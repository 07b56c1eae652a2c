/*
 * What the commands on proposals share.
 */
#pragma once

#include "cli/context.h"
#include "store/proposals.h"

/* "has left; ask Sam Vik <sam@example.org>". Caller frees. */
char *proposal_words(const Proposal *proposal);

/* That of the number; FALSE where the word is none, or there is no such proposal. */
gboolean proposal_find(Cli *cli, const char *word, Proposal **ret_proposal, GError **error);
