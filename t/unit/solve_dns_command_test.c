/*
 * The writer command, and hook.c: the forms of each tool, with programs that write into a file of
 * the test's. The runner's part is played by a child of the loop.
 */
#include <sys/stat.h>

#include "named.h"
#include "solve/hook.h"
#include "writer_contract.h"

#define SECRET "a-very-secret-token-0123456789"

static char dir[] = "/tmp/hotcert-command.XXXXXX";
static const struct hc_command_port *commands;

/* ---- the runner's part ---- */

struct job {
    struct hc_child child;
    hc_child_done *tell;
    void *arg;
};

static struct hc_loop *loop;
static struct job jobs[4];
static struct hc_program_run last; /* argv and envp are gone afterwards */
static char last_env[16384];

static void on_end(void *self, const struct hc_child_result *result)
{
    struct job *job = self;
    hc_child_done *tell = job->tell;

    job->tell = NULL;
    if (tell != NULL && job->arg != NULL) {
        tell(job->arg, result);
    }
}

static int on_run(void *self HC_UNUSED, const struct hc_program_run *run, hc_child_done *tell,
                  void *arg, struct hc_error *err)
{
    struct hc_child_options options = {.name = "test",
                                       .argv = run->argv,
                                       .envp = run->envp,
                                       .output_max = run->output_max,
                                       .errors_max = run->output_max,
                                       .limit_ms = run->limit_ms};

    last = *run;
    last_env[0] = '\0';
    for (size_t i = 0; run->envp[i] != NULL; i++) {
        strncat(last_env, run->envp[i], sizeof(last_env) - strlen(last_env) - 2);
        strncat(last_env, "\n", sizeof(last_env) - strlen(last_env) - 1);
    }
    for (size_t i = 0; i < HC_COUNT(jobs); i++) {
        if (jobs[i].tell == NULL && !jobs[i].child.running) {
            memset(&jobs[i], 0, sizeof(jobs[i]));
            jobs[i].tell = tell;
            jobs[i].arg = arg;
            return hc_child_start(loop, &jobs[i].child, &options, on_end, &jobs[i], err);
        }
    }
    return hc_error_set(err, HC_P_SYSTEM, NULL, "4 commands are already running");
}

static void on_forget(void *self HC_UNUSED, const void *arg)
{
    for (size_t i = 0; i < HC_COUNT(jobs); i++) {
        jobs[i].arg = jobs[i].arg == arg ? NULL : jobs[i].arg;
    }
}

/* ---- files ---- */

static const char *put_file(const char *name, const char *text, mode_t mode)
{
    static char path[4][200];
    static size_t used;
    FILE *f = NULL;

    used = (used + 1) % 4;
    (void)snprintf(path[used], sizeof(path[used]), "%s/%s", dir, name);
    f = fopen(path[used], "we");
    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path[used], mode) != 0) {
        printf("Bail out! %s\n", path[used]);
        exit(1);
    }
    return path[used];
}

/* The zone: a line "name value" for each. */
static bool stands(struct writer_world *w HC_UNUSED, const char *name, const char *value)
{
    char command[512];
    char text[16];

    (void)snprintf(command, sizeof(command), "grep -cxF -- '%s %s' %s/zone", name, value, dir);
    return strcmp(named_run(command, text, sizeof(text)), "1\n") == 0;
}

/* What all hooks do with add|remove NAME VALUE, once they know which. */
#define HOOK                                                                                       \
    "#!/bin/sh\n"                                                                                  \
    "[ \"$TOKEN\" = " SECRET " ] || { echo \"no token: $TOKEN\"; exit 1; }\n"                      \
    "echo \"using $TOKEN\"\n"                                                                      \
    "add() { grep -qxF -- \"$1 $2\" $ZONE || echo \"$1 $2\" >>$ZONE; }\n"                          \
    "remove() { grep -vxF -- \"$1 $2\" $ZONE >$ZONE.new; cat $ZONE.new >$ZONE; }\n"

static const struct writer_foreign foreign[] = {{"a.test", "v=spf1 -all"},
                                                {"_dmarc.a.test", "v=DMARC1; p=reject"},
                                                {"sel._domainkey.a.test", "v=DKIM1; p=MFww"},
                                                {"_acme-challenge.a.test", "of somebody else"},
                                                {NULL, NULL}};

static void open_world(struct writer_world *w, const char *style, const char *program,
                       const char *more)
{
    static const struct hc_command_port port = {NULL, on_run, on_forget};
    struct hc_conf *conf = NULL;
    char lines[6][300];
    const char *list[7] = {lines[0], lines[1], lines[2], lines[3], lines[4], NULL, NULL};

    commands = &port;
    put_file("zone",
             "a.test v=spf1 -all\n_dmarc.a.test v=DMARC1; p=reject\n"
             "sel._domainkey.a.test v=DKIM1; p=MFww\n_acme-challenge.a.test of somebody else\n",
             0600);
    put_file("token", SECRET "\n", 0600);
    memset(w, 0, sizeof(*w));
    (void)snprintf(lines[0], sizeof(lines[0]), "type command");
    (void)snprintf(lines[1], sizeof(lines[1]), "program %s", program);
    (void)snprintf(lines[2], sizeof(lines[2]), "style %s", style);
    (void)snprintf(lines[3], sizeof(lines[3]), "env TOKEN file:%s/token", dir);
    (void)snprintf(lines[4], sizeof(lines[4]), "env ZONE %s/zone", dir);
    if (more != NULL) {
        (void)snprintf(lines[5], sizeof(lines[5]), "%s", more);
        list[5] = lines[5];
    }
    writer_world_init(w, list);
    loop = w->env.loop;
    w->env.commands = commands;
    conf = (struct hc_conf *)(uintptr_t)w->env.conf;
    free(conf->agent);
    conf->agent = realpath("packaging/acme-dnsapi.sh", NULL); /* beside the script */
    w->zone = "a.test";
    w->name = "_acme-challenge.a.test";
    w->other = "_acme-challenge.www.a.test";
    w->foreign = foreign;
    w->secret = SECRET;
    w->stands = stands;
    writer_world_open(w);
}

/* ---- facts ---- */

static void keeps_to_the_contract(const char *style, const char *name, const char *text,
                                  const char *more)
{
    struct writer_world w;
    char program[200];

    printf("# %s\n", style);
    hc_copy(program, sizeof(program), put_file(name, text, 0700));
    open_world(&w, style, program, more);
    writer_contract(&w);
    writer_world_end(&w);
}

static void each_style_keeps_to_the_contract(void)
{
    char cleanup[300];

    keeps_to_the_contract("dehydrated", "hook",
                          HOOK "[ $# = 4 ] && [ -n \"$3\" ] || exit 3\n"
                               "case $1 in deploy_challenge) add _acme-challenge.$2 $4;;\n"
                               "clean_challenge) remove _acme-challenge.$2 $4;; esac\n",
                          NULL);
    keeps_to_the_contract("lego", "hook",
                          HOOK
                          "[ $# = 3 ] || exit 3\n"
                          "case $1 in present) add ${2%.} $3;; cleanup) remove ${2%.} $3;; esac\n",
                          NULL);
    keeps_to_the_contract("mod_md", "hook",
                          HOOK "[ $# = 3 ] || exit 3\n"
                               "case $1 in setup) add _acme-challenge.$2 $3;; teardown) remove "
                               "_acme-challenge.$2 $3;; esac\n",
                          NULL);
    (void)snprintf(cleanup, sizeof(cleanup), "cleanup %s",
                   put_file("clean",
                            HOOK "case $CERTBOT_AUTH_OUTPUT in *went\\ well) ;; *) exit 3;; esac\n"
                                 "remove _acme-challenge.$CERTBOT_DOMAIN $CERTBOT_VALIDATION\n",
                            0700));
    keeps_to_the_contract("certbot", "auth",
                          HOOK "[ $# = 0 ] && [ \"$CERTBOT_REMAINING_CHALLENGES\" = 0 ] || exit 3\n"
                               "add _acme-challenge.$CERTBOT_DOMAIN $CERTBOT_VALIDATION\n"
                               "echo it went well\n",
                          cleanup);
}

/*
 * certbot's manual plugin: CERTBOT_AUTH_OUTPUT is "whatever the auth script wrote to stdout", which
 * certbot strips of space; what it writes to stderr is shown, and handed on to nobody.
 */
static void what_certbots_hook_prints_is_its_cleanups(void)
{
    struct writer_world w;
    char program[200];
    char cleanup[300];
    char command[256];
    char text[HC_WRITER_MEMO + 16];

    (void)snprintf(
        cleanup, sizeof(cleanup), "cleanup %s",
        put_file("clean", "#!/bin/sh\nprintf %s \"$CERTBOT_AUTH_OUTPUT\" >$ZONE.memo\n", 0700));
    hc_copy(program, sizeof(program),
            put_file("auth",
                     "#!/bin/sh\nprintf '\\n  id 7 of %s\\n\\ttwo lines \\n\\n' $TOKEN\n"
                     "echo 'Warning: deprecated' >&2\n",
                     0700));
    open_world(&w, "certbot", program, cleanup);
    ok(WRITER_ADD(&w, w.name, "v"), "the auth hook runs");
    is_str(w.memo, "id 7 of " SECRET "\n\ttwo lines",
           "all of its standard output is kept, without space at its ends");
    ok(strstr(w.log, "id 7 of [..]\\x0a\\x09two lines") != NULL &&
           strstr(w.log, "auth, for _acme-challenge.a.test, standard error: Warning: deprecated") !=
               NULL,
       "both outputs are in the log");
    ok(strstr(w.log, SECRET) == NULL, "without the secret");
    ok(WRITER_REMOVE(&w, w.name, "v"), "the cleanup hook runs");
    (void)snprintf(command, sizeof(command), "cat %s/zone.memo", dir);
    is_str(named_run(command, text, sizeof(text)), "id 7 of " SECRET "\n\ttwo lines",
           "and is given exactly that");
    writer_world_end(&w);

    hc_copy(program, sizeof(program),
            put_file("auth", "#!/bin/sh\nyes 1234567 | head -c 6000\nexit 3\n", 0700));
    open_world(&w, "certbot", program, cleanup);
    ok(!WRITER_ADD(&w, w.name, "v"), "one that fails, and says a lot");
    is_int(strlen(w.memo), HC_WRITER_MEMO - 1, "is cleaned up behind as well");
    ok(strstr(w.log, "will have the first 4095 bytes") != NULL, "what is cut is told");
    ok(WRITER_REMOVE(&w, w.name, "v"), "the cleanup hook runs");
    is_int(strlen(named_run(command, text, sizeof(text))), HC_WRITER_MEMO - 1, "with the rest");
    writer_world_end(&w);
}

/* As acme.sh's own are written: credentials at the first use, then saved. */
#define DNSAPI                                                                                     \
    "#!/usr/bin/env sh\n"                                                                          \
    "dns_test_add() {\n"                                                                           \
    "  fulldomain=$1\n  txtvalue=$2\n"                                                             \
    "  TOKEN=\"${TOKEN:-$(_readaccountconf_mutable TOKEN)}\"\n"                                    \
    "  if [ -z \"$TOKEN\" ]; then _err \"no token\"; return 1; fi\n"                               \
    "  _saveaccountconf_mutable TOKEN \"$TOKEN\"\n"                                                \
    "  _debug fulldomain \"$fulldomain\"\n  _secure_debug TOKEN \"$TOKEN\"\n"                      \
    "  _info \"Adding record\"\n"                                                                  \
    "  if _contains \"$(cat $ZONE)\" \"^$fulldomain $txtvalue\\$\"; then return 0; fi\n"           \
    "  echo \"$fulldomain $txtvalue\" >>\"$ZONE\"\n}\n"                                            \
    "dns_test_rm() {\n"                                                                            \
    "  grep -vxF -- \"$1 $2\" \"$ZONE\" >\"$ZONE.new\"\n  cat \"$ZONE.new\" >\"$ZONE\"\n}\n"

static void a_dnsapi_file_runs_unmodified(void)
{
    struct writer_world w;

    keeps_to_the_contract("acme.sh", "dns_test.sh", DNSAPI, NULL);
    open_world(
        &w, "acme.sh",
        put_file(
            "dns_helpers.sh",
            "dns_helpers_add() {\n"
            "  { printf 'a b/c~' | _url_encode; echo\n"
            "  printf 'a b' | _base64; echo; printf 'YSBi' | _dbase64; echo\n"
            "  printf abc | _digest sha256 hex; printf abc | _hex_dump; echo\n"
            "  printf abc | _hmac sha256 6b6579 hex; printf 616263 | _h2b; echo\n"
            "  _math 3 + 4; echo; printf AbC | _lower_case; echo; _getfield a,b,c 2\n"
            "  printf '\\n{ \"a\" : \"b\" }\\n' | _normalizeJson; echo\n"
            "  printf 'x1y22' | _egrep_o '[0-9]+' | _head_n 2 | _tail_n 1\n"
            "  _startswith abc ab && ! _startswith abc bc && _endswith abc bc && echo fine\n"
            "  _saveaccountconf KEY 'it is' base64; _readaccountconf KEY; echo\n"
            "  _cleardomainconf X; _savedomainconf X 1; _savedomainconf X 2; _readdomainconf X\n"
            "  [ \"$(_time)\" -gt 1000000 ] && echo time\n"
            "  } >$ZONE.out 2>&1\n}\n"
            "dns_helpers_rm() { _err 'it cannot'; return 1; }\n",
            0600),
        NULL);
    ok(WRITER_ADD(&w, w.name, "v"), "helpers run");
    {
        char text[2048];
        char command[256];

        (void)snprintf(command, sizeof(command), "cat %s/zone.out", dir);
        is_str(named_run(command, text, sizeof(text)),
               "a%20b%2fc~\nYSBi\na b\n"
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n 61 62 63\n"
               "9c196e32dc0175f86f4b1cb89289d6619de6bee699e4c378e68309ed97a1a6ab\nabc\n7\nabc\nb\n"
               "{ \"a\":\"b\" }\n22\nfine\nit is\n2\ntime\n",
               "and do what acme.sh's do");
    }
    ok(!WRITER_REMOVE(&w, w.name, "v") && strstr(w.error.detail, "it cannot") != NULL,
       "what a file says when it fails is told");
    writer_world_end(&w);
}

static void forms_are_exact(void)
{
    static const struct {
        enum hc_style style;
        enum hc_writer_change what;
        const char *argv, *envp;
        bool raw;
    } cases[] = {
        {HC_STYLE_DEHYDRATED, HC_WRITER_ADD, "/p deploy_challenge a.test TOKEN VALUE", "", false},
        {HC_STYLE_DEHYDRATED, HC_WRITER_REMOVE, "/p clean_challenge a.test TOKEN VALUE", "", false},
        {HC_STYLE_LEGO, HC_WRITER_ADD, "/p present www.b.test. VALUE", "", false},
        {HC_STYLE_LEGO, HC_WRITER_REMOVE, "/p cleanup www.b.test. VALUE", "", false},
        {HC_STYLE_LEGO, HC_WRITER_ADD, "/p present -- a.test TOKEN KEYAUTH", "", true},
        {HC_STYLE_LEGO, HC_WRITER_REMOVE, "/p cleanup -- a.test TOKEN KEYAUTH", "", true},
        {HC_STYLE_MOD_MD, HC_WRITER_ADD, "/p setup a.test VALUE", "", false},
        {HC_STYLE_MOD_MD, HC_WRITER_REMOVE, "/p teardown a.test VALUE", "", false},
        {HC_STYLE_ACME_SH, HC_WRITER_ADD, "/bin/sh /shim /p add www.b.test VALUE", "", false},
        {HC_STYLE_ACME_SH, HC_WRITER_REMOVE, "/bin/sh /shim /p rm www.b.test VALUE", "", false},
        {HC_STYLE_CERTBOT, HC_WRITER_ADD, "/p",
         "CERTBOT_DOMAIN=a.test CERTBOT_IDENTIFIER=a.test CERTBOT_VALIDATION=VALUE "
         "CERTBOT_REMAINING_CHALLENGES=0 CERTBOT_ALL_DOMAINS=a.test CERTBOT_ALL_IDENTIFIERS=a.test",
         false},
        {HC_STYLE_CERTBOT, HC_WRITER_REMOVE, "/c",
         "CERTBOT_DOMAIN=a.test CERTBOT_IDENTIFIER=a.test CERTBOT_VALIDATION=VALUE "
         "CERTBOT_REMAINING_CHALLENGES=0 CERTBOT_ALL_DOMAINS=a.test CERTBOT_ALL_IDENTIFIERS=a.test "
         "CERTBOT_AUTH_OUTPUT=MEMO",
         false},
    };
    static const struct hc_txt_value value = {
        "www.b.test", "b.test", "VALUE",   "_acme-challenge.a.test",
        "a.test",     "TOKEN",  "KEYAUTH", "MEMO"};

    for (size_t i = 0; i < HC_COUNT(cases); i++) {
        char *env[] = {(char[]){"EXEC_MODE"}, (char[]){"RAW"}};
        struct hc_dns_block block = {.style = cases[i].style,
                                     .program = (char[]){"/p"},
                                     .cleanup = (char[]){"/c"},
                                     .env = {env, cases[i].raw ? 2 : 0, 2}};
        struct hc_hook hook;
        struct hc_error err;
        char words[2][1024] = {"", ""};
        const struct hc_list *lists[2] = {&hook.argv, &hook.envp};

        hc_error_init(&err);
        ok(hc_hook_make(&block, cases[i].what, &value, "/shim", &hook, &err) == 0, "a form");
        for (size_t k = 0; k < 2; k++) {
            for (size_t n = 0; n < lists[k]->count; n++) {
                strncat(words[k], n > 0 ? " " : "", 2);
                strncat(words[k], lists[k]->items[n], 500);
            }
        }
        is_str(words[0], cases[i].argv, "its arguments");
        is_str(words[1], cases[i].envp, "its variables");
        hc_hook_dispose(&hook);
        hc_hook_dispose(&hook);
    }
}

static void the_environment_is_made_from_nothing(void)
{
    struct writer_world w;
    char want[600];

    (void)setenv("LEAKS", "1", 1);
    open_world(&w, "mod_md", put_file("hook", "#!/bin/sh\nexit 0\n", 0700), NULL);
    ok(WRITER_ADD(&w, w.name, "v"), "it runs");
    (void)snprintf(want, sizeof(want),
                   "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nHOME=/\n"
                   "TOKEN=%s\nZONE=%s/zone\n",
                   SECRET, dir);
    is_str(last_env, want, "with what the block says and PATH and HOME alone");
    writer_world_end(&w);
}

static void what_it_writes_is_told_harmlessly(void)
{
    struct writer_world w;

    open_world(
        &w, "mod_md",
        put_file("hook",
                 "#!/bin/sh\nyes | head -c 100000\nprintf '\\033[31mred %s\\n' $TOKEN\nexit 7\n",
                 0700),
        NULL);
    ok(!WRITER_ADD(&w, w.name, "v"), "it fails");
    ok(strstr(w.error.detail, "exited with code 7") != NULL, "its code is told");
    ok(strstr(w.log, SECRET) == NULL && strstr(w.error.detail, SECRET) == NULL, "no secret");
    ok(strchr(w.log, '\033') == NULL, "no control character");
    ok(strlen(w.log) < 4000, "and no more than is of use");
    writer_world_end(&w);

    open_world(&w, "mod_md",
               put_file("hook", "#!/bin/sh\nprintf '\\033[31mred %s\\n' $TOKEN\nexit 7\n", 0700),
               NULL);
    ok(!WRITER_ADD(&w, w.name, "v") && strstr(w.log, "\\x1b[31mred [..]") != NULL,
       "a short one is told whole, escaped, without the secret");
    writer_world_end(&w);
}

static void it_has_a_time_limit_with_all_that_it_started(void)
{
    struct writer_world w;
    char text[64];

    open_world(&w, "mod_md", put_file("hook", "#!/bin/sh\nsleep 973 &\nsleep 973\n", 0700),
               "time_limit 1s");
    ok(!WRITER_ADD(&w, w.name, "v") && strstr(w.error.detail, "took too long") != NULL,
       "it is killed");
    for (int i = 0; i < 50 && named_run("pgrep -cxf 'sleep 973'", text, sizeof(text))[0] != '0';
         i++) {
        (void)usleep(100000);
    }
    is_str(text, "0\n", "and what it started as well");
    writer_world_end(&w);
}

static void what_cannot_be_run_is_told(void)
{
    struct writer_world w;

    open_world(&w, "mod_md", "/nonexistent/hook", NULL);
    ok(!WRITER_ADD(&w, w.name, "v") && strstr(w.error.detail, "cannot be started") != NULL &&
           strstr(w.error.detail, "/nonexistent/hook") != NULL,
       "a program that is not there");
    writer_world_end(&w);
    open_world(&w, "mod_md", put_file("hook", "#!/bin/sh\n", 0700),
               "env OTHER file:/nonexistent/secret");
    ok(!WRITER_ADD(&w, w.name, "v") && w.error.problem == HC_P_FILE_UNREADABLE,
       "a secret that is not there");
    w.writer.close(w.writer.self);
    w.env.commands = NULL;
    writer_world_open(&w);
    writer_world_end(&w);
}

int main(void)
{
    char command[64];
    char ignored[8];

    if (mkdtemp(dir) == NULL) {
        return 1;
    }
    forms_are_exact();
    each_style_keeps_to_the_contract();
    what_certbots_hook_prints_is_its_cleanups();
    a_dnsapi_file_runs_unmodified();
    the_environment_is_made_from_nothing();
    what_it_writes_is_told_harmlessly();
    it_has_a_time_limit_with_all_that_it_started();
    what_cannot_be_run_is_told();
    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    (void)named_run(command, ignored, sizeof(ignored));
    return done();
}
