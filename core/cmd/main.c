/* The program `hotcert`: finds the command and runs it; see cmd.h. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/idn.h"
#include "cmd/cmd.h"

static void help_all(FILE *out)
{
    fprintf(out, "usage: hotcert COMMAND [ARGUMENTS]\n\n");
    for (const struct hc_command *c = hc_commands; c->name != NULL; c++) {
        fprintf(out, "  %-10s %s\n", c->name, c->summary);
    }
    fprintf(out, "\n`hotcert help COMMAND` explains one of them.\n");
}

static bool asks_for_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

static int no_such_command(const char *name)
{
    fprintf(stderr, "hotcert: unknown %s: %s\n", name[0] == '-' ? "option" : "command", name);
    help_all(stderr);
    return HC_EXIT_USAGE;
}

/* `hotcert help` and `hotcert help COMMAND`. */
static int help(const char *name)
{
    const struct hc_command *command = name != NULL ? hc_cmd_find(name) : NULL;

    if (name != NULL && command == NULL) {
        return no_such_command(name);
    }
    if (command != NULL) {
        hc_cmd_help(command, stdout);
    } else {
        help_all(stdout);
    }
    return HC_EXIT_OK;
}

/* What the variables of the locale say of a terminal's letters. */
static bool locale_is_utf8(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *value = getenv(variables[i]);

        if (value != NULL && value[0] != '\0') {
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    const struct hc_command *command = NULL;
    const char *name = argc > 1 ? argv[1] : "";

    (void)setlocale(LC_ALL, "C");
    if (argc < 2) {
        help_all(stderr);
        return HC_EXIT_USAGE;
    }
    if (asks_for_help(name) || strcmp(name, "help") == 0) {
        return help(argc > 2 ? argv[2] : NULL);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        name = "version";
    }
    command = hc_cmd_find(name);
    if (command == NULL) {
        return no_such_command(name);
    }
    if (argc > 2 && asks_for_help(argv[2])) {
        hc_cmd_help(command, stdout);
        return HC_EXIT_OK;
    }
    /* what the agent says, its server writes */
    hc_idn_show_use(strcmp(name, "agent") != 0 && locale_is_utf8());
    return command->run(argc - 1, argv + 1);
}
