// SPDX-License-Identifier: GPL-2.0
#include "util/number.h"

char *number_str(uint64_t number, char *buf)
{
	char *p = buf + NUMBER_STRLEN - 1;

	*p = '\0';
	do {
		p--;
		*p = '0' + number % 10;
		number /= 10;
	} while (number);
	return p;
}
