/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The terminal as a screen that is drawn again and again, by the codes of ECMA-48 and of
 * DEC's terminals, which all have by now. One program has one terminal, so there is but
 * one of it.
 */
#ifndef DSCTL_SCREEN_H
#define DSCTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/**
 * enum screen_event - What there was while the screen stood.
 * @SCREEN_TIME: the time is over.
 * @SCREEN_REDRAW: it has another size, or was away: it is to be drawn anew.
 * @SCREEN_QUIT: the user has seen enough.
 */
enum screen_event {
	SCREEN_TIME,
	SCREEN_REDRAW,
	SCREEN_QUIT,
};

/**
 * screen_usable() - Whether there can be a screen.
 *
 * Return: false where stdout is no terminal, or one that can do nothing but print.
 */
bool screen_usable(void);

/**
 * screen_open() - Take the terminal, until screen_close() or the end of the program.
 *
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT give it back and end the program; SIGTSTP gives it
 * back until SIGCONT comes.
 *
 * Return: 0 or a negative errno.
 */
int screen_open(void);

/**
 * screen_begin() - Begin to draw: what is printed from here on is on the screen.
 * @title: its first line.
 */
void screen_begin(const char *title);

/**
 * screen_lines() - How many lines there is room for.
 *
 * Return: that, below what was said so far; SIZE_MAX if there is no screen.
 */
size_t screen_lines(void);

/**
 * screen_message() - Show a message, as a line of the screen.
 * @str: what was to be printed on stderr. That is done when the screen is closed, unless
 *	 it has been drawn anew by then.
 *
 * Return: false if there is no screen.
 */
bool screen_message(const char *str);

/**
 * screen_wait() - Let the user look at it.
 * @ms: for so many milliseconds.
 *
 * Return: what came first.
 */
enum screen_event screen_wait(int ms);

/**
 * screen_close() - Give the terminal back as it was.
 */
void screen_close(void);

#endif /* DSCTL_SCREEN_H */
