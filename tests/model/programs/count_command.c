/* count_command EVENT... -- COMMAND [ARGUMENT...]: the command's events in user mode, a line each, on standard error. */
#include <armprof.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a program does with it before main() depends on the number of variables. */
#define ENVIRONMENT "PATH=/usr/bin"

int main(int argc, char **argv) {
    armprof_event events[ARMPROF_MAX_EVENTS];
    int count = 0;
    while (count + 1 < argc && strcmp(argv[count + 1], "--") != 0) {
        if (armprof_event_named(argv[count + 1], &events[count]) != 0) {
            fprintf(stderr, "no event %s\n", argv[count + 1]);
            return 2;
        }
        events[count++].group = 0;
    }
    int go[2];
    if (pipe(go) != 0) {
        return 1;
    }
    pid_t child = fork();
    if (child == 0) {
        char word;
        if (read(go[0], &word, 1) == 1) {
            execve(argv[count + 2], argv + count + 2, (char *[]){ENVIRONMENT, NULL});
        }
        _exit(127);
    }
    armprof_options options = {.pid = child, .cpu = -1, .enable_on_exec = true, .inherit = true};
    armprof_set *set = armprof_open(events, (size_t)count, &options);
    armprof_count counts[ARMPROF_MAX_EVENTS];
    int status = 0;
    if (!set || write(go[1], "!", 1) != 1 || waitpid(child, &status, 0) != child || armprof_sample(set, counts) != 0) {
        return 1;
    }
    for (int i = 0; i < count; i++) {
        fprintf(stderr, "%s %llu %d\n", argv[i + 1], (unsigned long long)counts[i].value,
                counts[i].running_ns == counts[i].enabled_ns);
    }
    return status != 0;
}
