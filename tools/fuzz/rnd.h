/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers that a seed repeats. */
#ifndef RND_H
#define RND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct rnd - A generator.
 * @state: where it is; any number will do to begin with.
 */
struct rnd {
	uint64_t state;
};

uint64_t rnd_next(struct rnd *rnd);

/* A number below @n, which is not 0. */
size_t rnd_below(struct rnd *rnd, size_t n);

/* True once in @n times. */
bool rnd_once_in(struct rnd *rnd, size_t n);

/* One of those numbers that programs forget, or any. */
uint64_t rnd_limit(struct rnd *rnd);

#endif /* RND_H */
