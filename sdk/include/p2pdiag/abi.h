/* The whole boundary between the p2pdiag host and a plugin. C only, nothing included but <stddef.h> and
 * <stdint.h>, so that any compiler with any flags can stand on either side. Pages that are named docs/… are
 * installed in share/doc/p2pdiag.
 *
 * Rules that hold for everything below:
 *  - A plugin exports exactly one symbol, the data symbol `p2pdiag_plugin_v1`. The major version is in its
 *    name: a change that breaks a plugin becomes p2pdiag_plugin_v2, beside this one.
 *  - Nothing changes owner. A string or struct that is passed in is borrowed for the length of the call; what
 *    a table points to lives as long as the plugin is loaded.
 *  - Every struct starts with struct_size and grows only at its end. A field past the struct_size of the other
 *    side does not exist there. New abilities are extensions with a string id, which is never renamed.
 *  - Enum value 0 is invalid everywhere.
 *  - No exception, longjmp or signal handler may cross the boundary.
 *  - [run-thread] below is the one thread on which the host calls run(); [any-thread] may be called from
 *    every thread for as long as run() has not returned.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define P2PDIAG_ABI_MAJOR 1
/* Grows by one with each field or extension added. */
#define P2PDIAG_ABI_MINOR 2

/* UTF-8, not terminated by NUL. data may be null when size is 0. */
typedef struct p2pdiag_str {
    const char* data;
    size_t size;
} p2pdiag_str;

/* What a check says of its subject. A network that fails is a result, not an error. */
typedef enum p2pdiag_status {
    P2PDIAG_STATUS_INVALID = 0,
    P2PDIAG_PASS = 1,    /* measured, and in order */
    P2PDIAG_WARN = 2,    /* measured, works, but something limits it */
    P2PDIAG_FAIL = 3,    /* measured, and it does not work */
    P2PDIAG_SKIP = 4,    /* does not apply here; the summary says why */
    P2PDIAG_UNKNOWN = 5, /* could not tell; the summary says why. Never used for pass or fail */
    P2PDIAG_ERROR = 6    /* the check itself went wrong */
} p2pdiag_status;

/* Rights with which a check measures more. Without them it must still run and say what it could not see. */
typedef enum p2pdiag_privilege {
    P2PDIAG_PRIVILEGE_INVALID = 0,
    P2PDIAG_PRIVILEGE_NET_RAW = 1 << 0,
    P2PDIAG_PRIVILEGE_NET_ADMIN = 1 << 1,
    P2PDIAG_PRIVILEGE_ROOT = 1 << 2
} p2pdiag_privilege;

/* What the host offers to one call of run(). Valid until run() returns. */
typedef struct p2pdiag_host {
    uint32_t struct_size; /* bytes of this struct as the host knows it */
    uint32_t abi_minor;   /* P2PDIAG_ABI_MINOR of the host */
    void* context;        /* the host's own; hand the struct back unchanged */

    /* Becomes readable (or hung up) when the run must stop; stays so. Owned by the host: poll it, never read
     * or close it. -1 when the run cannot be cancelled. */
    int cancel_fd;

    /* CLOCK_MONOTONIC nanoseconds at which the host ends the run by force; 0 = no deadline. */
    int64_t deadline_ns;

    /* Hands one JSON object to the host, as UTF-8 text; a line break between its parts is a space. Its member
     * "type" is one of
     *   finding   {"code","severity":"info|warning|error","message","evidence":{}}
     *   data      {"data":{}}          the check's data; the last one stands. Of a change's apply and keep: what is
     *                                  in force now; it is in the host's journal when emit() returns
     *   summary   {"text"}             one sentence; the last one stands
     *   progress  {"fraction":0..1,"text"}
     *   log       {"level":"debug|info|warning|error","text"}
     *   flow      {"protocol":"udp|tcp|icmp","local":"IP:PORT","remote","text","transactions"}: packets that belong to
     *             the check, for a recorder; see docs/plugin-author/reference.md. Since 1.2
     * What was handed over is kept even if run() crashes afterwards. At most 1 MiB a message and 4 MiB a run.
     * [any-thread] */
    void (*emit)(const struct p2pdiag_host* host, p2pdiag_str json);

    /* An extension by its id, or null where this host has none. [run-thread] */
    const void* (*extension)(const struct p2pdiag_host* host, p2pdiag_str id);
} p2pdiag_host;

/* One measurement. */
typedef struct p2pdiag_check {
    uint32_t struct_size;
    uint32_t privileges;      /* p2pdiag_privilege bits it can make use of */
    p2pdiag_str id;           /* "<plugin id>.<name>", [a-z0-9-] on both sides of the dot; never renamed */
    p2pdiag_str title;        /* a few words for people */
    const p2pdiag_str* needs; /* ids of checks, of any plugin, whose results its input must hold */
    uint32_t needs_count;
    uint32_t deep;        /* 1 = only with --deep or when named on the command line */
    uint32_t deadline_ms; /* ended by force after this long; 0 = the host's default */
    uint32_t reserved;    /* 0 */

    /* Blocking. input is a JSON object, see docs/plugin-author/reference.md. Returns a p2pdiag_status.
     * Called on a thread of its own process, once. [run-thread] */
    int32_t (*run)(const p2pdiag_host* host, p2pdiag_str input);
} p2pdiag_check;

/* A command that the plugin adds to the command line. */
typedef struct p2pdiag_verb {
    uint32_t struct_size;
    uint32_t reserved;   /* 0 */
    p2pdiag_str name;    /* [a-z0-9-]+ */
    p2pdiag_str summary; /* one line for --help */
    /* JSON: {"options":[],"commands":[{"name","summary","options":[],"change","undo","rest"}],"epilog"}; see
     * docs/plugin-author/reference.md. A command with "change" or "undo" (the id of a change of this
     * plugin) is carried out by the host, not by run(). */
    p2pdiag_str schema;

    /* Blocking, with the terminal as stdin, stdout and stderr. arguments is a JSON object, see
     * docs/plugin-author/reference.md. Returns the exit code. [run-thread] */
    int32_t (*run)(const p2pdiag_host* host, p2pdiag_str arguments);
} p2pdiag_verb;

/* Something that the plugin can do to this machine or its router, and take back. Since ABI 1.1.
 *
 * The host alone owns the way around it: it asks plan() what would be done, has the person confirm it, writes each
 * step into its journal, calls apply() and verify() on the step, and revert() whenever it is to be taken back, be it
 * seconds or reboots later. Each call is in a process of its own, which may be killed at any point: what apply() did
 * is found again by revert() from the step and from the records that were handed over in time.
 *
 * All functions are blocking, return a p2pdiag_status and take a JSON object as input, see
 * docs/plugin-author/reference.md; they keep to cancel_fd and deadline_ns as a check does. [run-thread] */
typedef struct p2pdiag_change {
    uint32_t struct_size;
    uint32_t privileges; /* p2pdiag_privilege bits it can make use of */
    p2pdiag_str id;      /* "<plugin id>.<name>", as for checks; never renamed */
    p2pdiag_str title;   /* a few words for people */

    /* What would have to be done; touches nothing. PASS: the steps are in its data. SKIP: nothing is to be done.
     * FAIL: it cannot be done here; with "bad_arguments": true in its data, because of what was typed. */
    int32_t (*plan)(const p2pdiag_host* host, p2pdiag_str input);

    /* Does one step. Its data is the record of what was done: handed over anew each time that grows, before more is
     * done. PASS: done. After anything else the host calls revert(). */
    int32_t (*apply)(const p2pdiag_host* host, p2pdiag_str input);

    /* Whether what was done works. PASS, FAIL, or UNKNOWN where that cannot be told. */
    int32_t (*verify)(const p2pdiag_host* host, p2pdiag_str input);

    /* Takes a step back. PASS: it is gone, or was gone already. Called again later after anything else. Its data, where
     * it hands over any, is the record of what is still to be taken back. */
    int32_t (*revert)(const p2pdiag_host* host, p2pdiag_str input);

    /* Keeps what was done in force until cancel_fd says to stop; the host calls revert() after it. There is no
     * deadline. Null: it cannot be kept up. */
    int32_t (*keep)(const p2pdiag_host* host, p2pdiag_str input);
} p2pdiag_change;

/* Something that watches the network for as long as a run lasts and keeps what it saw. Since ABI 1.2.
 *
 * The host starts it before the first check and waits, some seconds at most, for its first message of type progress,
 * which says that it watches now. When the last check is done cancel_fd says so, and it writes its file. */
typedef struct p2pdiag_recorder {
    uint32_t struct_size;
    uint32_t privileges; /* p2pdiag_privilege bits it can make use of */
    p2pdiag_str id;      /* "<plugin id>.<name>", as for checks; never renamed */
    p2pdiag_str title;   /* a few words for people */

    /* Blocking; input is a JSON object, see docs/plugin-author/reference.md. PASS or WARN: the file is whole. After
     * anything else the host throws it away; the summary says why. [run-thread] */
    int32_t (*run)(const p2pdiag_host* host, p2pdiag_str input);
} p2pdiag_recorder;

/* The plugin. */
typedef struct p2pdiag_plugin {
    uint32_t struct_size;
    uint16_t abi_major; /* P2PDIAG_ABI_MAJOR the plugin was built with */
    uint16_t abi_minor; /* the smallest host minor it works with */
    p2pdiag_str id;     /* [a-z0-9-]+, unique among the loaded plugins */
    p2pdiag_str version;
    p2pdiag_str summary;
    p2pdiag_str options; /* JSON array: the options of its profile section [plugins.<id>] */
    const p2pdiag_check* const* checks;
    const p2pdiag_verb* const* verbs;
    uint32_t check_count;
    uint32_t verb_count;
    const p2pdiag_change* const* changes; /* since 1.1 */
    uint32_t change_count;                /* since 1.1 */
    uint32_t recorder_count;              /* since 1.2 */
    const p2pdiag_recorder* const* recorders; /* since 1.2 */
} p2pdiag_plugin;

#define P2PDIAG_ENTRY_SYMBOL "p2pdiag_plugin_v1"

#ifdef __cplusplus
}
#endif
