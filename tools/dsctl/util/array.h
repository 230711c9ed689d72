/* SPDX-License-Identifier: GPL-2.0 */
/* Arrays: of a size that is known, and those that grow. */
#ifndef DSCTL_ARRAY_H
#define DSCTL_ARRAY_H

#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/**
 * array_grow() - Make room for one more element of an array.
 * @v: address of the pointer to the array, changed where it moves.
 * @n: how many elements there are.
 * @size: for how many there is room.
 * @elem: size of one.
 *
 * Return: 0, or -ENOMEM.
 */
int array_grow(void **v, size_t n, size_t *size, size_t elem);

#endif /* DSCTL_ARRAY_H */
