/* What a program with regions leaves in the file that ARMPROF_OUTPUT names. Each test runs programs: this one, started anew
 * with the variable set and told to play a part. What the file means is tested in tests/unit/test_run_regions.py. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "armprof.h"
#include "software.h"

static char folder[] = "/tmp/armprof-output-XXXXXX"; /* where the programs run */

/* ---- The parts that are played ----------------------------------------------------------------------------------- */

static void setup(void) {
    const armprof_event events[] = {page_faults(0), task_clock(0), unknown_event(0)};
    CHECK_EQUAL(armprof_regions_setup(events, 3, &plain), 0);
}

static void pass(const char *name, int times) {
    armprof_region region = armprof_region_define(name);
    for (int i = 0; i < times; i++) {
        armprof_enter(region);
        armprof_leave(region);
    }
}

static void no_region(void) {}
static void defines_one(void) { armprof_region_define("never entered"); }

static void passes(void) {
    setup();
    pass("work", 7);
}

static void names_oddly(void) { pass("a \"b\"\\\n\x7f \xc3\xa9\xff\xed\xa0\x80 end\xe2\x82", 1); }

static void fills_the_table(void) {
    char name[32];
    for (int i = 1; i < ARMPROF_MAX_REGIONS + 5; i++) {
        snprintf(name, sizeof name, "region %d", i);
        pass(name, 1);
    }
}

static void *stays_inside(void *barrier) {
    armprof_enter(armprof_region_define("for ever"));
    pthread_barrier_wait(barrier);
    for (;;) {
        pass("busy", 1);
    }
    return NULL;
}

static void leaves_threads_inside(void) {
    static pthread_barrier_t barrier;
    setup();
    pthread_barrier_init(&barrier, NULL, 4);
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, stays_inside, &barrier) == 0);
    }
    pthread_barrier_wait(&barrier);
}

static void tears_down_between(void) {
    passes();
    CHECK_EQUAL(armprof_regions_teardown(), 0);
    const armprof_event other = task_clock(0); /* page faults before: an empty region has none */
    CHECK_EQUAL(armprof_regions_setup(&other, 1, &plain), 0);
    pass("work", 5);
}

static void forks_twice(void) {
    passes();
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            if (i == 0) {
                pass("child", 3);
            }
            exit(0); /* the second child has nothing to tell */
        }
        CHECK_EQUAL(wait_for(child), 0);
    }
}

static void forks_before_the_first_region(void) {
    pid_t child = fork();
    CHECK(child >= 0);
    pass(child == 0 ? "child" : "work", child == 0 ? 3 : 7);
    if (child > 0) {
        CHECK_EQUAL(wait_for(child), 0);
    }
}

static void goes_elsewhere(void) {
    passes();
    CHECK(chdir("/") == 0);
}

static void exits_in_a_hurry(void) {
    passes();
    _exit(0);
}

static void is_killed(void) {
    passes();
    raise(SIGKILL);
}

static void may_write_little(void) {
    passes();
    const struct rlimit limit = {100, 100};
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static const struct test parts[] = {
    TEST(no_region),
    TEST(defines_one),
    TEST(passes),
    TEST(names_oddly),
    TEST(fills_the_table),
    TEST(leaves_threads_inside),
    TEST(tears_down_between),
    TEST(forks_twice),
    TEST(forks_before_the_first_region),
    TEST(goes_elsewhere),
    TEST(exits_in_a_hurry),
    TEST(is_killed),
    TEST(may_write_little),
};

static int play(const char *name) {
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(parts[i].name, name) == 0) {
            parts[i].body();
            exit(7); /* what has been written must not change this */
        }
    }
    return FAILED;
}

/* ---- What is left ------------------------------------------------------------------------------------------------- */

/* Runs this program with the variable. Its wait status; what it says on stderr goes into the file "said". */
static int run(const char *part, const char *output) {
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        int said = open("said", O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (said < 0 || dup2(said, STDERR_FILENO) < 0 || setenv("ARMPROF_OUTPUT", output, 1) != 0) {
            _exit(100);
        }
        execl("/proc/self/exe", "test_output", "--play", part, (char *)NULL);
        _exit(101);
    }
    return wait_for(child);
}

static void remove_folder(void) {
    DIR *here = opendir(folder);
    for (const struct dirent *entry; here && (entry = readdir(here));) {
        unlinkat(dirfd(here), entry->d_name, 0);
    }
    if (here) {
        closedir(here);
    }
    rmdir(folder);
}

static void go_to_a_folder(void) {
    CHECK(mkdtemp(folder) != NULL);
    CHECK(chdir(folder) == 0);
    atexit(remove_folder);
}

/* The whole file; NULL where there is none. Kept until the next call. */
static const char *content(const char *name) {
    static char text[1 << 20];
    FILE *file = fopen(name, "re");
    if (!file) {
        CHECK_EQUAL(errno, ENOENT);
        return NULL;
    }
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static unsigned count(const char *text, const char *what) {
    unsigned found = 0;
    CHECK(text != NULL);
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what)) {
        found++;
    }
    return found;
}

static unsigned files(void) {
    unsigned found = 0;
    DIR *here = opendir(".");
    CHECK(here != NULL);
    for (const struct dirent *entry; (entry = readdir(here));) {
        found += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && strcmp(entry->d_name, "said") != 0;
    }
    closedir(here);
    return found;
}

static void check_run(const char *part, const char *output) {
    int status = run(part, output);
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), 7);
}

static void check_wrote(const char *part) {
    go_to_a_folder();
    check_run(part, "run.json");
    const char *said = content("said");
    CHECK(said != NULL && *said == 0);
    CHECK_EQUAL(files(), 1);
    CHECK_EQUAL(count(content("run.json"), "\"parts\": [\n"), 1);
}

static void a_program_leaves_its_regions(void) {
    need_counters();
    check_wrote("passes");
    const char *text = content("run.json");
    CHECK_EQUAL(count(text, "{\"name\": \"work\", \"calls\": 7, \"outermost\": 7, \"counted\": 7, "), 1);
    CHECK_EQUAL(count(text, "\"error\": \"ENOENT\"") + count(text, "\"error\": \"EINVAL\""), 1);
    CHECK_EQUAL(count(text, "\"error\": null"), 2);
}

static void a_program_without_regions_leaves_nothing(void) {
    go_to_a_folder();
    check_run("no_region", "run.json");
    CHECK_EQUAL(files(), 0);
}

static void a_region_that_was_never_entered_is_told(void) {
    check_wrote("defines_one");
    CHECK_EQUAL(count(content("run.json"), "{\"name\": \"never entered\", \"calls\": 0, "), 1);
}

static void names_come_as_json(void) {
    check_wrote("names_oddly");
    CHECK_EQUAL(count(content("run.json"), "\"a \\u0022b\\u0022\\u005c\\u000a\\u007f \xc3\xa9\\udcff\\udced\\udca0\\udc80 end"
                                           "\\udce2\\udc82\""),
                1);
}

static void a_full_table_is_written(void) {
    check_wrote("fills_the_table");
    CHECK_EQUAL(count(content("run.json"), "{\"name\": \"region "), ARMPROF_MAX_REGIONS - 1);
}

static void threads_that_go_on_do_not_hinder(void) {
    check_wrote("leaves_threads_inside");
    const char *text = content("run.json");
    CHECK_EQUAL(count(text, "{\"name\": \"for ever\", \"calls\": 0, "), 1);
    CHECK_EQUAL(count(text, "{\"threads\": 3, "), 1);
    CHECK_EQUAL(count(text, "\"inside\": 0,"), 0);
}

static void what_is_torn_down_is_written_before(void) {
    need_counters();
    check_wrote("tears_down_between");
    const char *text = content("run.json");
    CHECK_EQUAL(count(text, "\"host\":"), 2);
    CHECK_EQUAL(count(text, "\"calls\": 7, "), 1);
    CHECK_EQUAL(count(text, "\"calls\": 5, "), 1);
    unsigned long long ns, clock; /* of an empty region, in the second part: not the least of it and of what was before */
    const char *empty = strstr(strstr(text, "\"calls\": 7"), "\"empty\"");
    CHECK_EQUAL(sscanf(empty, "\"empty\": {\"ns\": %llu, \"events\": [%llu]", &ns, &clock), 2);
    CHECK(clock > 0);
}

static void another_process_replaces_the_file(void) {
    check_wrote("passes");
    check_run("defines_one", "run.json");
    const char *text = content("run.json");
    CHECK_EQUAL(count(text, "\"host\":"), 1);
    CHECK_EQUAL(count(text, "\"name\": \"work\""), 0);
}

/* The child's file: run.json.NUMBER, or NUMBER.json. */
static void find_other(const char *not_this, char *name, size_t size) {
    DIR *here = opendir(".");
    CHECK(here != NULL);
    for (const struct dirent *entry; (entry = readdir(here));) {
        if (strstr(entry->d_name, "json") && strcmp(entry->d_name, not_this) != 0) {
            snprintf(name, size, "%s", entry->d_name);
        }
    }
    closedir(here);
}

static void check_child_beside(const char *part) {
    char other[300] = "";
    go_to_a_folder();
    check_run(part, "run.json");
    CHECK_EQUAL(files(), 2);
    CHECK_EQUAL(count(content("run.json"), "{\"name\": \"work\", \"calls\": 7, "), 1);
    find_other("run.json", other, sizeof other);
    CHECK(strncmp(other, "run.json.", 9) == 0);
    CHECK_EQUAL(count(content(other), "\"child\", \"calls\": 3, "), 1);
}

static void a_child_has_a_file_of_its_own(void) { check_child_beside("forks_twice"); }

static void a_child_of_a_parent_without_regions_yet_too(void) {
    go_to_a_folder();
    int status = run("forks_before_the_first_region", "run.json");
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(files(), 2);
}

static void every_process_gets_its_number(void) {
    go_to_a_folder();
    check_run("forks_twice", "%p.json");
    CHECK_EQUAL(files(), 2);
    CHECK(content("%p.json") == NULL);
}

static void the_folder_is_that_of_the_start(void) { check_wrote("goes_elsewhere"); }

static void a_program_that_does_not_exit_leaves_nothing(void) {
    go_to_a_folder();
    int status = run("exits_in_a_hurry", "run.json");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    status = run("is_killed", "run.json");
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK_EQUAL(files(), 0);
}

static void check_said(const char *why) {
    const char *said = content("said");
    CHECK_EQUAL(count(said, "armprof: cannot write "), 1);
    CHECK_EQUAL(count(said, "\n"), 1);
    CHECK_EQUAL(count(said, why), 1);
}

static void what_cannot_be_written_is_one_line(void) {
    go_to_a_folder();
    check_run("passes", "nowhere/run.json");
    check_said("/nowhere/run.json: No such file or directory");
    check_run("passes", "/dev/full");
    check_said("/dev/full: No space left on device");
    check_run("passes", ".");
    check_said("Is a directory");
    CHECK_EQUAL(files(), 0);
}

static void a_file_that_cannot_be_replaced_stays(void) {
    check_wrote("passes");
    check_run("may_write_little", "run.json");
    check_said("File too large");
    CHECK_EQUAL(files(), 1);
    CHECK_EQUAL(count(content("run.json"), "\"name\": \"work\""), 1);
}

static void a_link_stays_a_link(void) {
    struct stat link;
    go_to_a_folder();
    CHECK(close(open("run.json", O_WRONLY | O_CREAT, 0666)) == 0);
    CHECK(symlink("run.json", "latest") == 0);
    check_run("passes", "latest");
    CHECK(lstat("latest", &link) == 0 && S_ISLNK(link.st_mode));
    CHECK_EQUAL(count(content("run.json"), "\"name\": \"work\""), 1);
}

static void a_pipe_that_nobody_reads_neither_stops_nor_kills(void) {
    go_to_a_folder();
    CHECK(mkfifo("pipe", 0666) == 0);
    check_run("passes", "pipe");
    check_said("No such device or address");
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(a_program_leaves_its_regions),
        TEST(a_program_without_regions_leaves_nothing),
        TEST(a_region_that_was_never_entered_is_told),
        TEST(names_come_as_json),
        TEST(a_full_table_is_written),
        TEST(threads_that_go_on_do_not_hinder),
        TEST(what_is_torn_down_is_written_before),
        TEST(another_process_replaces_the_file),
        TEST(a_child_has_a_file_of_its_own),
        TEST(a_child_of_a_parent_without_regions_yet_too),
        TEST(every_process_gets_its_number),
        TEST(the_folder_is_that_of_the_start),
        TEST(a_program_that_does_not_exit_leaves_nothing),
        TEST(what_cannot_be_written_is_one_line),
        TEST(a_file_that_cannot_be_replaced_stays),
        TEST(a_link_stays_a_link),
        TEST(a_pipe_that_nobody_reads_neither_stops_nor_kills),
    };
    if (argc == 3 && strcmp(argv[1], "--play") == 0) {
        return play(argv[2]);
    }
    return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}
