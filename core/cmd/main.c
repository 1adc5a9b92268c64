/* The program `hotcert`: finds the command and runs it; see cmd.h. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

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
    return command->run(argc - 1, argv + 1);
}
