/* SPDX-License-Identifier: GPL-2.0 */
/* interval, count, and top: a command that reports again and again. */
#ifndef DSCTL_REPEAT_H
#define DSCTL_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "out/emit.h"
#include "out/json.h"
#include "out/text.h"
#include "socks/rates.h"

struct ctx;
struct filter;

/**
 * struct repeat - How often a command reports, and which report it is at.
 * @interval: nanoseconds from one report to the next, 0 if there is but one.
 * @count: how many there are to be, 0 if there is no end.
 * @top: what was counted is shown beside the counts, as a rate, and comes first where that
 *	 is high; else in place of them.
 * @n: reports before this one.
 * @began: when this one began, of CLOCK_MONOTONIC.
 * @before: when the one before did.
 * @rates: what was counted at both.
 *
 * The first report is of all there is.
 */
struct repeat {
	uint64_t interval;
	uint64_t count;
	bool top;
	uint64_t n;
	uint64_t began;
	uint64_t before;
	struct rates rates;
};

/**
 * typedef repeat_report_t - What to do for each report.
 * @arg: from the caller.
 *
 * Return: an enum exit_code.
 */
typedef int (*repeat_report_t)(void *arg);

/**
 * repeat_set() - Take what the words of a command say of how often.
 * @ctx: its @repeat, zeroed before, is filled in.
 * @filter: with these words, if they were given.
 *
 * Return: 0, or -1 after a message.
 */
int repeat_set(struct ctx *ctx, const struct filter *filter);

/**
 * repeat_top() - The same for top, which has to have a terminal, or -j.
 * @ctx: its @repeat, zeroed before, is filled in.
 * @filter: with the words, if they were given.
 *
 * Return: 0, or -1 after a message.
 */
int repeat_top(struct ctx *ctx, const struct filter *filter);

/**
 * repeat_run() - Report once, or as often as is to be.
 * @ctx: with @repeat.
 * @report: what to do.
 * @arg: for it.
 *
 * Return: an enum exit_code. Of many reports the first that fails is the last.
 */
int repeat_run(struct ctx *ctx, repeat_report_t report, void *arg);

/**
 * repeat_shows_new() - Whether only what was counted since the report before is shown.
 * @repeat: which report it is.
 *
 * Return: false for the first one, and for top.
 */
bool repeat_shows_new(const struct repeat *repeat);

/**
 * repeat_rate() - Make a rate of what was counted since the report before.
 * @repeat: which report it is.
 * @since: how many events.
 * @rate: set to how many that is in a second.
 *
 * Return: false at the first report, which has none.
 */
bool repeat_rate(const struct repeat *repeat, uint64_t since, double *rate);

/**
 * emit_rate() - The same for JSON, null at the first report.
 * @repeat: which report it is.
 * @since: how many events.
 * @emit: gets a number "rate".
 */
void emit_rate(const struct repeat *repeat, uint64_t since, struct emit *emit);

/**
 * json_report() - What there is to say of a report of top as a whole.
 * @repeat: which report it is.
 *
 * Return: an object with the time and how long it is since the report before; what there
 *	   was no memory for is remembered as json_set() does.
 */
json_t *json_report(const struct repeat *repeat);

/**
 * text_rate() - The same for a cell of a table.
 * @repeat: which report it is.
 * @since: how many events.
 * @text: gets "12.5" appended, nothing at the first report.
 */
void text_rate(const struct repeat *repeat, uint64_t since, struct text *text);

/* The heading of a column of rates. */
#define RATE_HEADING "Rate"

#endif /* DSCTL_REPEAT_H */
