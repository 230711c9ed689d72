/* SPDX-License-Identifier: GPL-2.0 */
/* The encoding that names mostly have, whatever the locale. */
#ifndef DSCTL_UTF8_H
#define DSCTL_UTF8_H

#include <stddef.h>
#include <stdint.h>

/**
 * utf8_char() - Read a character.
 * @str: a string, not at its end.
 * @code: set to the number of the character in Unicode.
 *
 * Return: how many bytes it has, 0 if they are no character in UTF-8.
 */
size_t utf8_char(const char *str, uint32_t *code);

#endif /* DSCTL_UTF8_H */
