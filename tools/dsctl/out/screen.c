// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "out/screen.h"
#include "out/stop.h"
#include "out/text.h"
#include "util/array.h"

/* The other screen, no cursor, and lines that end at the edge; and all that undone. */
#define ENTER	"\033[?1049h\033[?25l\033[?7l"
#define LEAVE	"\033[?7h\033[?25h\033[?1049l"

/* To the first place, and nothing from there on. */
#define CLEAR	"\033[H\033[J"

/* Of a terminal that does not say how high it is. */
#define LINES	24

/*
 * The screen: whether it is there, how many lines are left, what was to be said on stderr,
 * where the signals come from that are not to end it, and how keys were read before, if
 * stdin has keys.
 */
static struct {
	bool open;
	size_t lines;
	struct text messages;
	int signals;
	bool keys;
	struct termios before;
} screen = { .signals = -1 };

bool screen_usable(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb");
}

/* By write(), as a signal handler may, whatever stdio is at. */
static void send(const char *codes)
{
	ssize_t written = write(STDOUT_FILENO, codes, strlen(codes));

	(void)written;	/* it shows */
}

/* In the background the first of these stops us, unless the program ends. */
static void leave(void)
{
	if (screen.keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
	send(LEAVE);
}

/*
 * Keys come as they are pressed, and do not show. In the background that is where SIGTTOU
 * stops us, until the terminal is ours; what has continued us then is no news any more.
 */
static void enter(void)
{
	const struct timespec now = { };
	struct termios keys = screen.before;
	sigset_t set;

	keys.c_lflag &= ~(ICANON | ECHO);
	keys.c_cc[VMIN] = 1;
	keys.c_cc[VTIME] = 0;
	if (screen.keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &keys);
	sigemptyset(&set);
	sigaddset(&set, SIGCONT);
	sigtimedwait(&set, NULL, &now);
	send(ENTER);
}

static void fill_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGWINCH);
	sigaddset(set, SIGTSTP);
	sigaddset(set, SIGCONT);
}

int screen_open(void)
{
	sigset_t set;

	fill_signals(&set);
	screen.signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (screen.signals < 0)
		return -errno;
	screen.keys = !tcgetattr(STDIN_FILENO, &screen.before);
	sigprocmask(SIG_BLOCK, &set, NULL);
	stop_on_signal(leave);
	/* What is drawn is to appear at once. */
	setvbuf(stdout, NULL, _IOFBF, 0);
	enter();
	screen.open = true;
	return 0;
}

void screen_begin(const char *title)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row)
		size.ws_row = LINES;
	/* Behind the last line there is a '\n' as well. */
	screen.lines = size.ws_row > 2 ? size.ws_row - 2 : 0;
	text_clear(&screen.messages);
	printf(CLEAR "%s\n", title);
}

size_t screen_lines(void)
{
	return screen.open ? screen.lines : SIZE_MAX;
}

bool screen_message(const char *str)
{
	if (!screen.open)
		return false;
	text_puts(&screen.messages, "dsctl: ");
	text_puts(&screen.messages, str);
	text_puts(&screen.messages, "\n");
	if (screen.lines) {
		screen.lines--;
		puts(str);
	}
	return true;
}

/* As SIGTSTP does by itself: who could not be continued, having no shell, is not stopped. */
static void stop(void)
{
	sigset_t set;

	leave();
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	enter();
}

static enum screen_event take_signal(void)
{
	struct signalfd_siginfo info;

	if (read(screen.signals, &info, sizeof(info)) != sizeof(info))
		return SCREEN_QUIT;
	if (info.ssi_signo == SIGTSTP) {
		stop();
	} else if (info.ssi_signo == SIGCONT) {
		/* Of SIGSTOP nothing was known. */
		leave();
		enter();
	}
	return SCREEN_REDRAW;
}

/* Where no key can come any more the terminal has gone. */
static enum screen_event take_keys(void)
{
	char keys[64];
	ssize_t n;

	n = read(STDIN_FILENO, keys, sizeof(keys));
	if (n <= 0)
		return SCREEN_QUIT;
	/* One that sends more than a character, as F2 does, which has a Q in it */
	if (*keys == '\033')
		return SCREEN_TIME;
	return memchr(keys, 'q', n) || memchr(keys, 'Q', n) ? SCREEN_QUIT :
							      SCREEN_TIME;
}

enum screen_event screen_wait(int ms)
{
	struct pollfd fds[] = {
		{ .fd = screen.signals, .events = POLLIN },
		{ .fd = screen.keys ? STDIN_FILENO : -1, .events = POLLIN },
	};

	if (poll(fds, ARRAY_SIZE(fds), ms) <= 0)
		return SCREEN_TIME;
	return fds[0].revents ? take_signal() : take_keys();
}

void screen_close(void)
{
	sigset_t set;

	if (!screen.open)
		return;
	fflush(stdout);
	screen.open = false;
	leave();
	setvbuf(stdout, NULL, _IOLBF, 0);
	stop_not();
	close(screen.signals);
	fill_signals(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	if (screen.messages.len)
		fputs(screen.messages.buf, stderr);
	free(screen.messages.buf);
	memset(&screen.messages, 0, sizeof(screen.messages));
}
