/* SPDX-License-Identifier: GPL-2.0 */
/* The text format of Prometheus: samples of metrics, each with its labels. */
#ifndef DSCTL_PROM_H
#define DSCTL_PROM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "out/text.h"

/**
 * struct prom_metric - What there is to say of a metric.
 * @name: its name.
 * @type: "counter" or "gauge".
 * @help: a line that explains it, without the full stop.
 */
struct prom_metric {
	char name[64];
	const char *type;
	char help[128];
};

/**
 * typedef prom_describe_t - Tell of a metric.
 * @metric: its number, as the caller has it.
 * @to: filled in.
 * @arg: from the caller.
 */
typedef void (*prom_describe_t)(unsigned int metric, struct prom_metric *to,
				const void *arg);

/**
 * struct prom - Samples, until they are printed.
 * @v: the samples.
 * @n: how many.
 * @size: for how many there is room.
 */
struct prom {
	struct prom_sample *v;
	size_t n;
	size_t size;
};

/**
 * prom_label() - Append a label.
 * @text: the labels so far, cleared before the first.
 * @name: its name.
 * @value: its value, any bytes. Labels name a time series, so they do not depend on the
 *	   locale: whatever is UTF-8 stays as it is.
 */
void prom_label(struct text *text, const char *name, const char *value);

/**
 * prom_add() - Add a sample.
 * @prom: the samples.
 * @metric: number of its metric, by which they are sorted.
 * @labels: its labels; NULL for none.
 * @value: its value. Samples of a metric with the same labels are added up.
 *
 * Return: 0, or -ENOMEM.
 */
int prom_add(struct prom *prom, unsigned int metric, const struct text *labels,
	     uint64_t value);

/**
 * prom_print() - Print all samples, those of a metric together and below its head.
 * @prom: the samples, which are sorted.
 * @f: where to.
 * @describe: tells of each metric that has samples.
 * @arg: for @describe.
 */
void prom_print(struct prom *prom, FILE *f, prom_describe_t describe,
		const void *arg);

/**
 * prom_free() - Free all samples.
 * @prom: the samples; zeroed memory is fine.
 */
void prom_free(struct prom *prom);

#endif /* DSCTL_PROM_H */
