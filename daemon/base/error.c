/* The error domain of base/. Holds nothing, any thread. */
#include "base/error.h"

G_DEFINE_QUARK(nurture-base-error, base_error)
