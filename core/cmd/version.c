/* `hotcert version`: of the program and of what it was built with and runs on. */
#include <curl/curl.h>
#include <openssl/crypto.h>

#include "cmd/cmd.h"
#include "hotcert.h"

int hc_cmd_version(int argc, char **argv)
{
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);

    if (argc > 1) {
        return hc_cmd_usage(argv[0], "it takes no arguments");
    }
    printf("hotcert %s (%s, libcurl %s)\n", HC_VERSION, OpenSSL_version(OPENSSL_VERSION),
           curl->version);
    return HC_EXIT_OK;
}
