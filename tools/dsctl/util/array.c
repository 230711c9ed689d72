// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "util/array.h"

#define FIRST_SIZE 64

int array_grow(void **v, size_t n, size_t *size, size_t elem)
{
	size_t bigger = *size ? 2 * *size : FIRST_SIZE;
	void *p;

	if (n < *size)
		return 0;
	p = reallocarray(*v, bigger, elem);
	if (!p)
		return -ENOMEM;
	*v = p;
	*size = bigger;
	return 0;
}
