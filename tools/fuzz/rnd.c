// SPDX-License-Identifier: GPL-2.0
#include "rnd.h"

/* splitmix64: every state is as good as any other, neighbours included. */
uint64_t rnd_next(struct rnd *rnd)
{
	uint64_t z = rnd->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

size_t rnd_below(struct rnd *rnd, size_t n)
{
	return rnd_next(rnd) % n;
}

bool rnd_once_in(struct rnd *rnd, size_t n)
{
	return !rnd_below(rnd, n);
}

uint64_t rnd_limit(struct rnd *rnd)
{
	static const unsigned int bits[] = { 0, 7, 8, 15, 16, 31, 32, 63 };
	uint64_t n = 1ULL << bits[rnd_below(rnd, sizeof(bits) / sizeof(*bits))];

	switch (rnd_below(rnd, 6)) {
	case 0:
		return n;
	case 1:
		return n - 1;
	case 2:
		return -n;
	case 3:
		return rnd_below(rnd, 64);
	case 4:
		return rnd_next(rnd) >> rnd_below(rnd, 64);
	default:
		return 0;
	}
}
