/* Preloaded into the tool: kills it at the KILL_AT-th of the calls below, counted together with its
 * forks, but not the programs that it starts. KILL_WHOM=caller kills the process that makes the
 * call instead, which is another one where the tool leaves work to a child; KILL_WHOM=all kills
 * both. Every call appends a letter to the file KILL_LOG, which is empty at first. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static pid_t tool; /* 0 in other programs. */
static long kill_at;
static int kills_tool, kills_caller;
static int calls; /* File whose position, which forks share, is the number of calls. */

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("KILL_AT");
    const char *whom = getenv("KILL_WHOM");
    if (getenv("KILL_BEGUN") != NULL) return;
    setenv("KILL_BEGUN", "1", 1);
    tool = getpid();
    kill_at = at == NULL ? 0 : atol(at);
    kills_tool = whom == NULL || strcmp(whom, "caller") != 0;
    kills_caller = whom != NULL && strcmp(whom, "tool") != 0;
    calls = open(getenv("KILL_LOG"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (calls < 0) abort();
}

static void one_call(const char *letter) {
    if (tool == 0) return;
    if (write(calls, letter, 1) != 1) abort();
    if (lseek(calls, 0, SEEK_CUR) != kill_at) return;
    if (kills_tool) kill(tool, SIGKILL);
    if (kills_caller) kill(getpid(), SIGKILL);
}

#define CALL(RESULT, NAME, LETTER, PARAMETERS, ARGUMENTS)            \
    RESULT NAME PARAMETERS {                                         \
        static RESULT(*next) PARAMETERS;                             \
        if (next == NULL) *(void **)&next = dlsym(RTLD_NEXT, #NAME); \
        one_call(LETTER);                                            \
        return next ARGUMENTS;                                       \
    }

CALL(int, rename, "r", (const char *from, const char *to), (from, to))
CALL(int, link, "l", (const char *from, const char *to), (from, to))
CALL(int, unlink, "u", (const char *path), (path))
CALL(int, mkdir, "m", (const char *path, mode_t mode), (path, mode))
CALL(char *, mkdtemp, "t", (char *path), (path))
CALL(int, execvp, "x", (const char *file, char *const arguments[]), (file, arguments))
CALL(pid_t, setsid, "s", (void), ())
