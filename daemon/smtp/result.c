/*
 * DeliveryResult: its names and its end. Plain data, any thread.
 */
#include "smtp/result.h"

const char *delivery_class_name(DeliveryClass class)
{
    switch (class) {
    case DELIVERY_SENT:
        return "sent";
    case DELIVERY_DEFERRED:
        return "deferred";
    case DELIVERY_FAILED:
        return "failed";
    case DELIVERY_UNCERTAIN:
        return "uncertain";
    case DELIVERY_UNREACHABLE:
        return "unreachable";
    case DELIVERY_NOT_COMPOSED:
        return "not-composed";
    }
    g_assert_not_reached();
}

void delivery_result_clear(DeliveryResult *result)
{
    g_clear_pointer(&result->enhanced, g_free);
    g_clear_pointer(&result->text, g_free);
}
