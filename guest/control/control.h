/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the control domain's shell share: its domains, the store, the results.
 * One struct control exists; main.c owns it. Everything runs in the main loop: handlers of
 * events only leave marks.
 */
#ifndef GUEST_CONTROL_CONTROL_H
#define GUEST_CONTROL_CONTROL_H

#include "base/list.h"
#include "guest/control/json.h"
#include "guest/control/layout.h"
#include "guest/control/step.h"
#include "guest/control/store/store.h"
#include "hyp/abi/osmosis.h"

enum { GUEST_LINE = 1024, GUEST_BUCKETS = 1024, COMMAND_ANSWER = 16384, DEVICES_MOST = 8 };
enum on_end { END_DESTROY, END_KEEP, END_RESTART };

/* How to build a domain; kept to build it again. */
struct recipe {
    u32 vcpus, weight, cap, module_count;
    u64 memory, pin;
    bool start;
    bool overcommit;                     /* its memory is not set aside */
    u8 on_poweroff, on_reboot, on_crash; /* enum on_end */
    u8 device_count;
    u8 device[DEVICES_MOST]; /* PCI functions it drives itself: device * 8 + function */
    char image[64];
    char *cmdline; /* with {NAME}s not yet replaced */
    struct {
        char name[64];
        char *cmdline;
    } module[LAYOUT_MODULES];
};

/* How a domain's clock goes, since somebody set it wrong; back 0: nobody did. */
enum { RATE_STANDS = -1000000 };
struct guest_clock {
    u64 system_ns, guest_ns, back; /* of struct osm_skew */
    s32 rate_ppm;
};

struct guest {
    struct list link;                 /* all of them, oldest first */
    struct guest *by_domid, *by_name; /* next in its buckets */
    char name[NAME_MOST + 1];
    u16 domid;
    bool built;          /* the hypervisor has it */
    bool started, ended; /* `ended`: shut down, kept */
    u32 paused;          /* so many times more than it was let go on */
    bool watched;        /* its console goes to the command port */
    u8 reason;           /* SHUTDOWN_* once ended */
    struct recipe recipe;
    struct list devices;        /* of which it is the front; devices.c */
    u32 serves;                 /* devices, as their back end */
    u64 store_gfn, console_gfn; /* ours, where its rings are mapped */
    u32 store_port, console_port;
    u64 console_bytes; /* it has printed */
    struct xs_conn *store;
    u64 late_until;             /* when what the store holds back comes; 0: nothing */
    u64 trace_gfn, trace_taken; /* its trace ring, mapped here; records taken */
    u32 trace_pages;
    bool trace_refused; /* it is of another version, which was said */
    struct guest_clock clock;
    bool stopped; /* at a record of its trace */
    char
        snapshot[NAME_MOST + 1]; /* to be taken under this key once it is suspended; "": none */
    bool snapshot_ends;          /* it ends with that */
    struct list ready;           /* on control.ready while an event waits */
    char line[GUEST_LINE];
    u32 line_len;
    bool line_done; /* the line printed so far has been looked at */
    char *input;    /* not yet taken by its console */
    u32 input_len, input_room;
};

/* A line of the plan whose time or condition has not come. */
struct waiting {
    struct list link;
    u32 line;
    u8 kind;
    bool fired;
    u64 at_ns;
    struct record_wanted record;
    char *object, *value;
    char *command;
};

struct control {
    struct xs store;
    struct xs_conn *self;
    struct list guests, ready, waiting;
    struct guest *bucket[GUEST_BUCKETS], *named[GUEST_BUCKETS];
    u32 guest_count, fault_count, crashed;
    u64 seed, trace_lost;
    u64 late_ns;      /* by how much the store's answers are late, where they are made to be */
    u32 late;         /* guests with such an answer */
    bool traced;      /* the hypervisor's own trace has been asked for */
    bool stopped;     /* some guest is, at a record of its trace */
    bool deaths;      /* VIRQ_DOM_EXC came */
    bool port_struck; /* the command port's line, which is masked until it was served */
    bool plan_done;
    bool seeded; /* the clock is not the processor's own */
    bool over;   /* the run: no more is said of domains' ends */
    bool had_guests;
    bool attended; /* somebody has sent a command: the run ends when they say so */
    bool echo;     /* results and consoles on the machine's own console, too: echo=1 */
};

extern struct control control;
extern const char *const store_fault_name[]; /* by enum xs_fault */

/* --- guests.c: build, life and end of a domain. Errors are sentences in `why`. */
enum { WHY = 256 };
struct guest *guest_find(const char *name);
struct guest *guest_of(u16 domid);
/* A description without a domain yet; NULL when memory is out. */
struct guest *guest_new(const char *name);
void guest_forget(struct guest *g);
bool guest_build(struct guest *g, char *why);
bool guest_start(struct guest *g, char *why);
void guest_destroy(struct guest *g);
/* Instead of guest_build and guest_start: it goes on from a snapshot that was checked. */
struct snapshot;
bool guest_restore(struct guest *g, struct snapshot *s, char *why);
/* One that has suspended itself goes on. */
bool guest_resume(struct guest *g, char *why);
/* Looks which domains have ended, and does what their recipes say. */
void guests_reap(void);

/* --- snapshot_commands.c: a domain has suspended itself, perhaps because we wanted it to. */
void snapshot_suspended(struct guest *g);

/* --- modules.c */
const void *module_find(const char *name, size_t *size);
bool module_at(u32 n, const char **name, size_t *size);
void modules_init(void);

/* --- rings.c: the store's and the console's rings of one domain */
bool rings_open(struct guest *g, char *why);
void rings_close(struct guest *g);
/* Serves the domains whose events came. True if there was something to do. */
bool rings_serve(void);
/* Whether so much more can be typed on its console, which has not taken 64 KiB at most. */
bool rings_input_room(struct guest *g, size_t len, char *why);
/* Types what there is room for. */
void rings_input(struct guest *g, const char *text, size_t len);
/* The store has something for the domain. */
void rings_mark(struct guest *g);
/* An injected fault makes the store's answer to it late. */
void rings_late(struct guest *g);
/* Lets go what is late enough; when the next is, or RT_NEVER. */
u64 rings_due(void);

/* --- trace.c */
void trace_hypervisor(void);
void trace_guest(struct guest *g);
/* Tells the domain, by its ring, whether to go by its own clock. */
void trace_stands(struct guest *g);
void trace_close(struct guest *g);
void trace_all(void);
/* Drains what is due; when to come again, or RT_NEVER. */
u64 trace_due(void);

/* --- holdings.c */
void holdings_begin(void);
/* Ends all domains, in silence, and says what is still held. */
void holdings_end(void);
/* Says what a domain that has begun has used so far, in an event `used` of its own. */
void holdings_used(const struct guest *g);
void counters_say(struct json *j, const struct osm_counters *n);

/* --- clock.c */
/* When it was that the domain's clock showed so much. */
u64 clock_true(const struct guest *g, u64 ns);
bool clock_stands(const struct guest *g);

/* --- capture.c: the fabric's captures */
/* Passes on what there is; true while anybody's captures are taken. */
bool capture_take(void);
void capture_close(const struct guest *g);

/* --- assign.c: devices of the machine that a domain drives itself */
/* Gives a domain that was just built those of its recipe, and says in the store where they are. */
bool assign_devices(const struct guest *g, char *why);
/* They reach no memory any more: the domain's may become somebody else's. */
void assign_quiet(const struct guest *g);

/* --- disks.c: at the end of a run, where the disks in memory lie */
void disks_tell(void);

/* --- devices.c */
/* The domain was built anew: its devices, and those of which it is the back. */
bool devices_again(struct guest *g, char *why);
/* It is about to go: its back ends are to know. The description stays until forgotten. */
void devices_gone(const struct guest *g);
void devices_forget(struct guest *g);

/* --- self.c: our own connection to the store */
int self_write(const char *path, const char *value);
int self_printf(const char *path, const char *fmt, ...) PRINTF_LIKE(2, 3);
int self_read(const char *path, char *value, size_t room);
int self_call(u32 type, const char *payload, u32 len, char *reply, u32 *reply_len);
int self_perms(const char *path, const char *perm, const char *perm2);
bool self_init(void);

/* --- results.c */
void result_begin(struct json *j, const char *event);
void result_end(struct json *j);
/* A finished line. */
void result_line(const char *line, size_t len);
void result_guest(const char *event, const struct guest *g);
void output(u32 stream, const void *data, size_t len);
const char *reason_name(u8 reason);

/* --- commands.c */
/* Carries out the command in the words from `first` on, adding to the answer. False: `why`
 * says what is wrong. */
bool command_run(struct words *w, u32 first, struct json *answer, char *why);
/* `text` with each {NAME} replaced; false when a name is unknown or room ends. */
bool expand(const char *text, char *to, size_t room, char *why);

/* --- run.c: the plan and the end of the run */
void plan_load(void);
/* Adds a line with a condition. */
bool plan_add(const struct step *s, const struct words *w, const char *text, u32 line);
/* Does what is due; the next deadline, or RT_NEVER. */
u64 plan_due(void);
void plan_on_exit(const struct guest *g);
void plan_on_output(struct guest *g, const char *line, size_t len);
/* A record of the domain's trace. It stands still from one that somebody waited for until that has
 * been acted on. */
void plan_on_record(struct guest *g, const struct osm_record *r);
/* Whether anybody waits for one. */
bool plan_watches(const struct guest *g);
NORETURN void run_finish(u32 status, const char *text);

/* --- port.c: the command port */
void port_init(void);
void port_serve(void);
void port_send(const char *text, size_t len);

#endif
