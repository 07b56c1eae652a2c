/*
 * A condition in words, for plan/ alone.
 */
#pragma once

#include "plan/condition_span.h"

/* As the configuration spells it. */
const char *condition_name(const Condition *condition);

/* Why it does not hold at now_ms, given that it does not. Caller frees. */
char *condition_describe_failing(const Inquiry *inquiry, const Condition *condition, gint64 now_ms);
