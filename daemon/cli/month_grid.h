/*
 * Months as cal(1) draws them, Monday first, each day with a number under its date; several side by side where there is room.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

/* One day of the grid. */
typedef struct {
    guint count;
    gboolean is_closed;  /* nothing is meant to happen: drawn "-" where count is 0, as a holiday is */
    gboolean is_holiday; /* its date bears a star */
} GridDay;

/*
 * Draws the months that n_days days (at least one) from first on touch, then what the marks mean. terminal_columns 0: as for 80.
 * colour: closed days, holidays and days outside dimmed, numbers the stronger the higher they are; else nothing but text.
 */
void month_grid_print(FILE *out, const GDate *first, const GridDay *days, guint n_days, guint terminal_columns,
                      gboolean colour);
