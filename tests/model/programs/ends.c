/* Loops a million times, then ends as its argument says. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void loop(long times) {
    for (long i = 0; i < times; i++) {
        __asm__ volatile("nop");
    }
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "";
    loop(1000000);
    if (strcmp(how, "segfault") == 0) {
        *(volatile int *)8 = 1;
    } else if (strcmp(how, "abort") == 0) {
        abort();
    } else if (strcmp(how, "kill") == 0) {
        kill(getpid(), SIGKILL);
    } else if (strcmp(how, "exit") == 0) {
        _exit(3);
    } else if (strcmp(how, "fork") == 0) {
        pid_t child = fork();
        loop(1000000);
        if (child == 0) {
            _exit(0);
        }
        waitpid(child, NULL, 0);
    } else if (strcmp(how, "forks") == 0) { /* so many, one after another; every second one is killed */
        for (long left = strtol(argv[2], NULL, 10); left > 0; left--) {
            pid_t child = fork();
            if (child == 0) {
                loop(1000);
                left % 2 ? kill(getpid(), SIGKILL) : _exit(0);
            }
            waitpid(child, NULL, 0);
        }
    } else if (strcmp(how, "exec") == 0) {
        execv(argv[2], argv + 2);
        perror(argv[2]);
        return 9;
    } else if (strcmp(how, "echo") == 0) {
        int c;
        while ((c = getchar()) != EOF) {
            putchar(c);
        }
    }
    return 0;
}
