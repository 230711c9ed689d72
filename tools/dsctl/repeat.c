// SPDX-License-Identifier: GPL-2.0
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctx.h"
#include "out/err.h"
#include "out/screen.h"
#include "out/stop.h"
#include "out/stream.h"
#include "out/time.h"
#include "repeat.h"
#include "socks/filter.h"
#include "util/array.h"
#include "util/clock.h"

/* Of top, unless an interval is given */
#define TOP_INTERVAL	(2 * NSEC_PER_SEC)

/**
 * enum turn - What comes after a report.
 * @TURN_NEXT: the next one.
 * @TURN_AGAIN: the same once more, as the screen has changed.
 * @TURN_END: nothing, the user has ended it.
 * @TURN_FAIL: nothing, as nobody reads any more.
 */
enum turn {
	TURN_NEXT,
	TURN_AGAIN,
	TURN_END,
	TURN_FAIL,
};

int repeat_set(struct ctx *ctx, const struct filter *filter)
{
	if (filter->count && !filter->interval_ms) {
		err("count: it takes an interval, too");
		return -1;
	}
	ctx->repeat.interval = filter->interval_ms * NSEC_PER_MSEC;
	ctx->repeat.count = filter->count;
	return 0;
}

int repeat_top(struct ctx *ctx, const struct filter *filter)
{
	struct repeat *repeat = &ctx->repeat;

	repeat->top = true;
	repeat->interval = filter->interval_ms * NSEC_PER_MSEC;
	repeat->count = filter->count;
	if (!repeat->interval)
		repeat->interval = TOP_INTERVAL;
	if (ctx->out.json)
		return 0;
	if (ctx->opts.batch) {
		err("top does not go with -b, unless with -j");
		return -1;
	}
	if (!screen_usable()) {
		err("top needs a terminal: elsewhere use -j, or show with interval SECONDS");
		return -1;
	}
	return 0;
}

static double seconds(const struct repeat *repeat)
{
	return (double)(repeat->began - repeat->before) / NSEC_PER_SEC;
}

/* The first line of a report for people: when it was, and what it is of. */
static void put_title(const struct repeat *repeat, char *title, size_t size)
{
	char time[TIME_STRLEN];

	time_str(clock_ns(CLOCK_REALTIME), 0, time);
	if (!repeat->top)
		snprintf(title, size, "%s[%s]", repeat->n ? "\n" : "", time);
	else if (!repeat->n)
		snprintf(title, size, "[%s] so far; q ends", time);
	else
		snprintf(title, size,
			 "[%s] events a second in the last %.1f s; q ends",
			 time, seconds(repeat));
}

static int report(struct ctx *ctx, repeat_report_t run, void *arg)
{
	char title[TIME_STRLEN + 64];
	int ret;

	/* Whoever reads JSON can do nothing with half a report. */
	if (ctx->out.json)
		stop_hold();
	ctx->repeat.began = clock_ns(CLOCK_MONOTONIC);
	put_title(&ctx->repeat, title, sizeof(title));
	ctx->out.headed = false;
	if (ctx->repeat.top && !ctx->out.json)
		screen_begin(title);
	else if (!ctx->out.json)
		ctx->out.title = title;
	ret = run(arg);
	ctx->out.title = NULL;
	/* Whoever reads from a pipe wants each when it is there. */
	if (!out_flush())
		ret = exit_worse(ret, EXIT_KERNEL);
	stop_release(ret);
	return ret;
}

/* Keys and signals are looked at in any case, though it be due. */
static enum turn await_screen(uint64_t due)
{
	int ms;

	do {
		ms = clock_ms_until(due);
		switch (screen_wait(ms)) {
		case SCREEN_TIME:
			break;
		case SCREEN_REDRAW:
			return TURN_AGAIN;
		case SCREEN_QUIT:
			return TURN_END;
		}
	} while (ms);
	return TURN_NEXT;
}

static enum turn await_time(uint64_t due)
{
	struct pollfd fd = { .fd = STDOUT_FILENO };
	int ms;

	do {
		ms = clock_ms_until(due);
		if (poll(&fd, 1, ms) <= 0)
			continue;
		out_hung_up();
		return TURN_FAIL;
	} while (ms);
	return TURN_NEXT;
}

static bool is_last(const struct repeat *repeat)
{
	return repeat->count && repeat->n + 1 == repeat->count;
}

static int run_all(struct ctx *ctx, repeat_report_t run, void *arg)
{
	struct repeat *repeat = &ctx->repeat;
	bool screen = screen_lines() != SIZE_MAX;
	uint64_t due = clock_ns(CLOCK_MONOTONIC), now;
	enum turn turn;
	int ret;

	for (;;) {
		ret = report(ctx, run, arg);
		/* The last screen stands as long as the others. */
		if (ret || (is_last(repeat) && !screen))
			return ret;
		due += repeat->interval;
		/* What has been missed is not made up for: the next one that is due. */
		now = clock_ns(CLOCK_MONOTONIC);
		if (due <= now)
			due += ((now - due) / repeat->interval + 1) *
			       repeat->interval;

		turn = screen ? await_screen(due) : await_time(due);
		switch (turn) {
		case TURN_NEXT:
			if (is_last(repeat))
				return EXIT_OK;
			rates_next(&repeat->rates);
			repeat->before = repeat->began;
			repeat->n++;
			break;
		case TURN_AGAIN:
			rates_again(&repeat->rates);
			due = clock_ns(CLOCK_MONOTONIC);
			break;
		case TURN_END:
			return EXIT_OK;
		case TURN_FAIL:
			return EXIT_KERNEL;
		}
	}
}

int repeat_run(struct ctx *ctx, repeat_report_t run, void *arg)
{
	struct repeat *repeat = &ctx->repeat;
	bool screen = repeat->top && !ctx->out.json;
	int error, ret;

	if (!repeat->interval)
		return run(arg);
	if (!out_is_open())
		return EXIT_KERNEL;
	error = screen ? screen_open() : 0;
	if (error) {
		err("cannot use the terminal: %s", strerror(-error));
		return EXIT_KERNEL;
	}
	if (!screen)
		stop_on_signal(NULL);
	ret = run_all(ctx, run, arg);
	if (screen)
		screen_close();
	else
		stop_not();
	/* To be cut is in the nature of a screen. */
	ctx->out.cut &= !screen;
	rates_free(&repeat->rates);
	return ret;
}

bool repeat_shows_new(const struct repeat *repeat)
{
	return repeat->n && !repeat->top;
}

bool repeat_rate(const struct repeat *repeat, uint64_t since, double *rate)
{
	if (!repeat->n)
		return false;
	*rate = since / seconds(repeat);
	return true;
}

void emit_rate(const struct repeat *repeat, uint64_t since, struct emit *emit)
{
	double rate;

	if (repeat_rate(repeat, since, &rate))
		emit_real(emit, "rate", rate);
	else
		emit_null(emit, "rate");
}

json_t *json_report(const struct repeat *repeat)
{
	json_t *obj = json_object();
	char time[TIME_STRLEN];

	time_str(clock_ns(CLOCK_REALTIME), TIME_USEC | TIME_ZONE, time);
	json_set(obj, "timestamp", json_string(time));
	json_set(obj, "interval",
		 repeat->n ? json_real(seconds(repeat)) : json_null());
	return obj;
}

void text_rate(const struct repeat *repeat, uint64_t since, struct text *text)
{
	double rate;

	if (repeat_rate(repeat, since, &rate))
		text_printf(text, "%.1f", rate);
}
