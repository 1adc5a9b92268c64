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
    fprintf(out, "\n`hotcert COMMAND --help` says more.\n");
}

static bool asks_for_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

int main(int argc, char **argv)
{
    const struct hc_command *command = NULL;

    (void)setlocale(LC_ALL, "C");
    if (argc < 2) {
        help_all(stderr);
        return HC_EXIT_USAGE;
    }
    if (asks_for_help(argv[1]) || strcmp(argv[1], "help") == 0) {
        help_all(stdout);
        return HC_EXIT_OK;
    }
    command = hc_cmd_find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (command == NULL) {
        fprintf(stderr, "hotcert: no such command: %s\n", argv[1]);
        help_all(stderr);
        return HC_EXIT_USAGE;
    }
    if (argc > 2 && asks_for_help(argv[2])) {
        hc_cmd_help(command, stdout);
        return HC_EXIT_OK;
    }
    return command->run(argc - 1, argv + 1);
}
