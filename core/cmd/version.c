/* `hotcert version`: of the program and of what it was built with and runs on. */
#include <openssl/crypto.h>

#include "cmd/cmd.h"
#include "hotcert.h"
#include "net/http.h"

int hc_cmd_version(int argc, char **argv)
{
    if (argc > 1) {
        return hc_cmd_usage(argv[0], "it takes no arguments");
    }
    printf("hotcert %s (%s, libcurl %s)\n", HC_VERSION, OpenSSL_version(OPENSSL_VERSION),
           hc_http_library_version());
    return HC_EXIT_OK;
}
