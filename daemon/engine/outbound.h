/*
 * What lies in an account's Sent folder: mail of our own, recognised by its Message-ID, and mail that the owner wrote by hand, which is
 * filed with each known person whom it went to and counts as contact with them. Joins the caller's transaction.
 */
#pragma once

#include "engine/effects.h"

/* The detail of what was filed so. */
#define OUTBOUND_BY_HAND "by hand"

/* *ret_filed FALSE: nothing followed from it; the log says why where that is not plain. */
gboolean outbound_apply(EngineCore *core, const Arrival *arrival, gboolean *ret_filed, GError **error);
