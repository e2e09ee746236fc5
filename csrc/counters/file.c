/* One file of several parts, which one process adds to it: a JSON object of few lines around them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "output.h"

#define FOOTER "\n]}\n"

/* The text of a small file of the kernel; "" where there is none. */
static void read_small(const char *path, char *text, size_t room) {
    FILE *stream = fopen(path, "re");
    text[stream ? fread(text, 1, room - 1, stream) : 0] = 0;
    if (stream) {
        fclose(stream);
    }
}

/* What a file of this very process begins with: the boot, the number, and when it was started, in ticks of the boot. Found
 * out once: a process that has no descriptor left later must still know its own file. */
static const char *header_of_process(void) {
    static char header[512];
    static pid_t process;
    char boot[64], stat[1024];
    unsigned long long started = 0;
    if (process == getpid()) {
        return header;
    }
    read_small("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    boot[strcspn(boot, "\n")] = 0;
    read_small("/proc/self/stat", stat, sizeof stat);
    const char *fields = strrchr(stat, ')'); /* behind the name, which may hold anything */
    if (fields) {
        sscanf(fields, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &started);
    }
    process = getpid();
    snprintf(header, sizeof header,
             "{\"format\": \"armprof-regions\", \"version\": 1, \"process\": \"%s:%ld:%llu\", \"parts\": [\n", boot,
             (long)process, started);
    return header;
}

/* Copies the parts that are in the file already, where this process wrote it. 0 or an errno. */
static int copy_parts(FILE *out, const char *path, const char *header) {
    char begin[512], *rest = NULL;
    int error = 0;
    size_t room = 0, length = strlen(header), footer = strlen(FOOTER);
    FILE *old = fopen(path, "re");
    if (!old) {
        return errno;
    }
    if (fread(begin, 1, length, old) == length && memcmp(begin, header, length) == 0) {
        ssize_t got = getdelim(&rest, &room, 0, old); /* to its end: there is no NUL */
        size_t size = got < 0 ? 0 : (size_t)got;
        error = got < 0 && !feof(old) ? ENOMEM : 0;
        if (size > footer && memcmp(rest + size - footer, FOOTER, footer) == 0) {
            fwrite(rest, 1, size - footer, out);
            fputs(",\n", out);
        }
    }
    error = ferror(old) ? EIO : error;
    free(rest);
    fclose(old);
    return error;
}

/* The whole new text of the file, allocated, or NULL with errno. `path` is NULL where there is nothing to be kept. */
static char *compose(const char *path, const char *part, size_t *size) {
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    if (!out) {
        return NULL;
    }
    const char *header = header_of_process();
    fputs(header, out);
    int error = path ? copy_parts(out, path, header) : 0;
    fputs(part, out);
    fputs(FOOTER, out);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed || error) {
        free(text);
        errno = error ? error : ENOMEM;
        return NULL;
    }
    return text;
}

static int write_all(int fd, const char *text, size_t size) {
    while (size > 0) {
        ssize_t done = write(fd, text, size);
        if (done < 0 && errno != EINTR) {
            return errno;
        }
        text += done < 0 ? 0 : done;
        size -= done < 0 ? 0 : (size_t)done;
    }
    return 0;
}

static int write_device(const char *path, const char *text, size_t size) {
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* nor wait for somebody to read a pipe */
    if (fd < 0) {
        return errno;
    }
    fcntl(fd, F_SETFL, 0);
    int error = write_all(fd, text, size);
    return close(fd) == 0 || error ? error : errno;
}

/* In one step: whoever reads it finds the old file or the new one, never half of it. */
static int replace_file(const char *path, const char *text, size_t size) {
    char unfinished[PATH_MAX];
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    if (snprintf(unfinished, sizeof unfinished, "%.*s.%.200s.%ld", (int)(base - path), path, base, (long)getpid()) >=
        (int)sizeof unfinished) {
        return ENAMETOOLONG;
    }
    unlink(unfinished); /* left behind by a process of the same number that was killed */
    int fd = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        return errno;
    }
    int error = write_all(fd, text, size);
    error = close(fd) == 0 || error ? error : errno;
    if (!error && rename(unfinished, path) != 0) {
        error = errno;
    }
    if (error) {
        unlink(unfinished);
    }
    return error;
}

static int add_part(const char *path, const char *part) {
    struct stat there;
    bool exists = stat(path, &there) == 0, is_file = !exists || S_ISREG(there.st_mode);
    char *target = exists && is_file ? realpath(path, NULL) : NULL; /* through a link to the file it means */
    if (exists && is_file && !target) {
        return errno;
    }
    size_t size;
    char *text = compose(target, part, &size);
    int error = text ? 0 : errno;
    if (!error) {
        error = is_file ? replace_file(target ? target : path, text, size) : write_device(path, text, size);
    }
    free(target);
    free(text);
    return error;
}

/* Writing must not end the program otherwise than it would: a reader that is gone and a limit of sizes are errors here. */
int armprof_add_part(const char *path, const char *part) {
    sigset_t deadly, before, pending;
    sigemptyset(&deadly);
    sigaddset(&deadly, SIGPIPE);
    sigaddset(&deadly, SIGXFSZ);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &deadly, &before);
    int error = add_part(path, part);
    if (error && !sigismember(&pending, SIGPIPE) && !sigismember(&pending, SIGXFSZ)) {
        sigtimedwait(&deadly, NULL, &(struct timespec){0, 0});
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}
