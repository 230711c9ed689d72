// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "out/prom.h"
#include "util/array.h"
#include "util/utf8.h"

/**
 * struct prom_sample - A value.
 * @metric: number of its metric.
 * @labels: as they are printed, without braces; empty for none.
 * @value: the value.
 */
struct prom_sample {
	unsigned int metric;
	char *labels;
	uint64_t value;
};

static void put_bytes(struct text *text, const char *str, size_t len)
{
	while (len--)
		text_printf(text, "\\\\x%02x", (unsigned char)*str++);
}

/*
 * Control characters: a terminal would obey them when somebody looks at the file.
 */
static bool is_control(uint32_t code)
{
	return code < ' ' || (code >= 0x7f && code <= 0x9f);
}

void prom_label(struct text *text, const char *name, const char *value)
{
	uint32_t code;
	size_t len;

	text_printf(text, "%s%s=\"", text->len ? "," : "", name);
	for (; *value; value += len) {
		len = utf8_char(value, &code);
		if (*value == '\n') {
			text_puts(text, "\\n");
		} else if (!len || is_control(code)) {
			len = len ? len : 1;
			put_bytes(text, value, len);
		} else {
			if (strchr("\\\"", *value))
				text_puts(text, "\\");
			text_add(text, value, len);
		}
	}
	text_puts(text, "\"");
}

int prom_add(struct prom *prom, unsigned int metric, const struct text *labels,
	     uint64_t value)
{
	struct prom_sample *sample;

	if ((labels && labels->failed) ||
	    array_grow((void **)&prom->v, prom->n, &prom->size,
		       sizeof(*prom->v)))
		return -ENOMEM;
	sample = &prom->v[prom->n];
	sample->metric = metric;
	sample->labels = strdup(labels ? labels->buf : "");
	sample->value = value;
	if (!sample->labels)
		return -ENOMEM;
	prom->n++;
	return 0;
}

static int compare(const void *pa, const void *pb)
{
	const struct prom_sample *a = pa, *b = pb;

	if (a->metric != b->metric)
		return a->metric < b->metric ? -1 : 1;
	return strcmp(a->labels, b->labels);
}

static void sort_merge(struct prom *prom)
{
	struct prom_sample *to = prom->v, *from;

	if (!prom->n)
		return;
	qsort(prom->v, prom->n, sizeof(*prom->v), compare);
	for (from = to + 1; from < prom->v + prom->n; from++) {
		if (compare(to, from)) {
			*++to = *from;
			continue;
		}
		to->value += from->value;
		free(from->labels);
	}
	prom->n = to - prom->v + 1;
}

void prom_print(struct prom *prom, FILE *f, prom_describe_t describe,
		const void *arg)
{
	struct prom_metric metric;
	size_t i;

	sort_merge(prom);
	for (i = 0; i < prom->n; i++) {
		const struct prom_sample *sample = &prom->v[i];
		bool labels = *sample->labels;

		if (!i || sample->metric != prom->v[i - 1].metric) {
			describe(sample->metric, &metric, arg);
			fprintf(f, "# HELP %s %s.\n# TYPE %s %s\n", metric.name,
				metric.help, metric.name, metric.type);
		}
		fprintf(f, "%s%s%s%s %llu\n", metric.name, labels ? "{" : "",
			sample->labels, labels ? "}" : "",
			(unsigned long long)sample->value);
	}
}

void prom_free(struct prom *prom)
{
	size_t i;

	for (i = 0; i < prom->n; i++)
		free(prom->v[i].labels);
	free(prom->v);
	memset(prom, 0, sizeof(*prom));
}
