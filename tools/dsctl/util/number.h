/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers as text: lists hold many, and printf() is slow. */
#ifndef DSCTL_NUMBER_H
#define DSCTL_NUMBER_H

#include <stdint.h>

/* Room for any number. */
#define NUMBER_STRLEN sizeof("18446744073709551615")

/**
 * number_str() - Print a number.
 * @number: the number.
 * @buf: NUMBER_STRLEN bytes, the last of which are the result.
 *
 * Return: the first digit.
 */
char *number_str(uint64_t number, char *buf);

#endif /* DSCTL_NUMBER_H */
