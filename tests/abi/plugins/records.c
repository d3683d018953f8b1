/* A recorder that writes down what the host told it, or misbehaves as the environment variable RECORDER says; and a
 * check that says whose packets are whose; and one that waits until the recorder has made the file RECORDER_MARK. Comes
 * before any other plugin. */
#define PLUGIN_ID "a-recorder"
#define CHECK_BODY                                                                                            \
    say(host, "{\"type\":\"flow\",\"protocol\":\"udp\",\"local\":\"0.0.0.0:40000\",\"text\":\"as told\"}"); \
    return P2PDIAG_PASS;
#define _GNU_SOURCE
#include "base.h"
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

static int32_t fails(const p2pdiag_host* host, p2pdiag_str input) {
    run(host, input);
    return P2PDIAG_FAIL;
}
static const p2pdiag_check failing = {
    sizeof(p2pdiag_check), 0, STR("a-recorder.fails"), STR("Fails"), 0, 0, 0, CHECK_DEADLINE_MS, 0, fails};
static int32_t waits(const p2pdiag_host* host, p2pdiag_str input) {
    const char* mark = getenv("RECORDER_MARK");
    struct pollfd stop = {host->cancel_fd, POLLIN, 0};
    (void)input;
    while (mark != 0 && access(mark, F_OK) != 0) {
        if (poll(&stop, 1, 10) != 0) return P2PDIAG_FAIL;
    }
    return P2PDIAG_PASS;
}
static const p2pdiag_check waiting = {
    sizeof(p2pdiag_check), 0, STR("a-recorder.waits"), STR("Waits"), 0, 0, 0, CHECK_DEADLINE_MS, 0, waits};
static const p2pdiag_check* const all[] = {&check, &failing, &waiting};

static int number_after(p2pdiag_str input, const char* name) {
    const char* found = memmem(input.data, input.size, name, strlen(name));
    return found == 0 ? -1 : atoi(found + strlen(name));
}

static int put(int file, const char* bytes, size_t size) {
    return write(file, bytes, size) == (ssize_t)size;
}

/* More than fits into pipes that nobody reads: of what it prints and of what it hands over. */
static void chat(const p2pdiag_host* host) {
    char line[1024];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 200; ++i) {
        put(STDOUT_FILENO, line, sizeof line);
        put(STDERR_FILENO, line, sizeof line);
    }
    for (int i = 0; i < 3000; ++i) say(host, "{\"type\":\"log\",\"level\":\"debug\",\"text\":\"more to say\"}");
    const char* mark = getenv("RECORDER_MARK");
    if (mark != 0) close(open(mark, O_WRONLY | O_CREAT, 0600));
}

static int32_t record(const p2pdiag_host* host, p2pdiag_str input) {
    const char* how = getenv("RECORDER");
    if (how == 0) how = "";
    if (strcmp(how, "not-permitted") == 0) {
        say(host, "{\"type\":\"finding\",\"code\":\"capture.not-permitted\",\"severity\":\"warning\","
                  "\"message\":\"the test does not permit it\"}");
        say(host, "{\"type\":\"summary\",\"text\":\"the test does not permit it\"}");
        return P2PDIAG_SKIP;
    }
    /* First: the host listens until it hears of progress, and then again in the end. */
    say(host, "{\"type\":\"log\",\"level\":\"info\",\"text\":\"it records now\"}");
    say(host, "{\"type\":\"progress\",\"fraction\":0,\"text\":\"recording\"}");
    if (strcmp(how, "chatty") == 0) chat(host);
    struct pollfd stop = {host->cancel_fd, POLLIN, 0};
    poll(&stop, 1, -1);
    while (strcmp(how, "hangs") == 0) pause();
    const int notes = number_after(input, "\"notes\":");
    const int file = number_after(input, "\"file\":");
    int whole = put(file, "recorded\n", 9);
    char buffer[4096];
    off_t at = 0;
    for (ssize_t got; (got = pread(notes, buffer, sizeof buffer, at)) > 0; at += got) {
        whole = whole && put(file, buffer, (size_t)got);
    }
    whole = whole && put(file, input.data, input.size);
    if (strcmp(how, "crashes") == 0) abort();
    say(host, "{\"type\":\"data\",\"data\":{\"packets\":3}}");
    say(host, whole ? "{\"type\":\"summary\",\"text\":\"3 packets\"}" : "{\"type\":\"summary\",\"text\":\"disk full\"}");
    return whole && strcmp(how, "fails") != 0 ? P2PDIAG_PASS : P2PDIAG_ERROR;
}

static const p2pdiag_recorder recorder = {
    sizeof(p2pdiag_recorder), 0, STR("a-recorder.recorder"), STR("Writes down what it was told"), record};
static const p2pdiag_recorder* const recorders[] = {&recorder};
EXPORT const p2pdiag_plugin p2pdiag_plugin_v1 = {sizeof(p2pdiag_plugin), 1, 2, STR("a-recorder"), STR("1.0"),
    STR("Records"), STR("[]"), all, 0, 3, 0, 0, 0, 1, recorders};
