/*
 * What is true of a rule's anchor, whatever the file says: pure, so that plan/ can be driven without a configuration.
 */
#include "config/config.h"

gboolean anchor_is_repeated(Anchor anchor)
{
    return anchor == ANCHOR_SCORE || anchor == ANCHOR_THANKS || anchor == ANCHOR_REWARD;
}
