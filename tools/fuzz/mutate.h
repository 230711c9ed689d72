/* SPDX-License-Identifier: GPL-2.0 */
/* Netlink messages as no kernel sends them. */
#ifndef MUTATE_H
#define MUTATE_H

#include <stddef.h>

#include "rnd.h"

/**
 * mutate() - Change messages at random, in one way or several.
 * @rnd: where the choices come from.
 * @buf: the messages.
 * @len: their bytes.
 * @size: for how many there is room.
 *
 * Return: how many bytes there are now.
 */
size_t mutate(struct rnd *rnd, void *buf, size_t len, size_t size);

#endif /* MUTATE_H */
