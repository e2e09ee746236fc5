#define _GNU_SOURCE
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "output.h"

#define DEVICES "/sys/bus/event_source/devices"

/* The first line of a file whose path is given in parts, without the newline. False where there is none. */
static bool read_line(char *line, size_t size, const char *folder, const char *name, const char *file) {
    char path[600];
    if (snprintf(path, sizeof path, "%s%s%s", folder, name, file) >= (int)sizeof path) {
        return false;
    }
    FILE *stream = fopen(path, "re");
    bool ok = stream && fgets(line, (int)size, stream);
    if (stream) {
        fclose(stream);
    }
    if (ok) {
        line[strcspn(line, "\n")] = 0;
    }
    return ok;
}

static void write_line(FILE *out, const char *key, const char *folder, const char *name, const char *file) {
    char line[256];
    fprintf(out, ", \"%s\": ", key);
    if (read_line(line, sizeof line, folder, name, file)) {
        armprof_write_string(out, line);
    } else {
        fputs("null", out);
    }
}

/* What a line of /proc/self/status says behind the key and a tab. */
static void write_status(FILE *out, const char *name, const char *key) {
    char line[256];
    const char *value = NULL;
    FILE *stream = fopen("/proc/self/status", "re");
    while (stream && !value && fgets(line, sizeof line, stream)) {
        if (strncmp(line, key, strlen(key)) == 0) {
            line[strcspn(line, "\n")] = 0;
            value = line + strlen(key);
        }
    }
    if (stream) {
        fclose(stream);
    }
    fprintf(out, ", \"%s\": ", name);
    if (value) {
        armprof_write_string(out, value);
    } else {
        fputs("null", out);
    }
}

/* What in /sys may be the PMU of a core: those of clusters and meshes have a cpumask, not cpus. An old x86 has neither. */
static void write_pmus(FILE *out) {
    fputs(", \"pmus\": [", out);
    DIR *directory = opendir(DEVICES);
    const struct dirent *entry;
    for (const char *comma = ""; directory && (entry = readdir(directory));) {
        char type[32], line[256], cpu[32];
        if (entry->d_name[0] == '.' || !read_line(type, sizeof type, DEVICES "/", entry->d_name, "/type") ||
            !read_line(line, sizeof line, DEVICES "/", entry->d_name, "/format/event") ||
            (!read_line(line, sizeof line, DEVICES "/", entry->d_name, "/cpus") && strcmp(entry->d_name, "cpu") != 0)) {
            continue;
        }
        fprintf(out, "%s{\"name\": ", comma);
        armprof_write_string(out, entry->d_name);
        fprintf(out, ", \"type\": %lu", strtoul(type, NULL, 10));
        write_line(out, "cpus", DEVICES "/", entry->d_name, "/cpus");
        snprintf(cpu, sizeof cpu, "%lu", strtoul(line, NULL, 10));
        write_line(out, "midr", "/sys/devices/system/cpu/cpu", cpu, "/regs/identification/midr_el1");
        fputc('}', out);
        comma = ", ";
    }
    if (directory) {
        closedir(directory);
    }
    fputc(']', out);
}

void armprof_write_host(FILE *out) {
    struct utsname names;
    uname(&names);
    fputs("\"host\": {\"arch\": ", out);
    armprof_write_string(out, names.machine);
    fputs(", \"kernel\": ", out);
    armprof_write_string(out, names.release);
    fprintf(out, ", \"cpus\": %ld", sysconf(_SC_NPROCESSORS_ONLN));
    write_line(out, "perf_event_paranoid", "/proc/sys/kernel/", "perf_event_paranoid", "");
    write_line(out, "perf_user_access", "/proc/sys/kernel/", "perf_user_access", "");
    write_status(out, "capabilities", "CapEff:\t");
    write_status(out, "seccomp", "Seccomp:\t");
    write_pmus(out);
    fputc('}', out);
}
