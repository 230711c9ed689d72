/* SPDX-License-Identifier: GPL-2.0 */
/* Included first in every file of dsctl: _exit() keeps what was counted, too. */
#ifndef COVERAGE_EXIT_H
#define COVERAGE_EXIT_H

#include <unistd.h>

void __gcov_dump(void);

#define _exit(code)	(__gcov_dump(), _exit(code))

#endif /* COVERAGE_EXIT_H */
