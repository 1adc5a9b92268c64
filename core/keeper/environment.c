/* What of its environment a master hands on; see environment.h. */
#include "keeper/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const passed_on[] = {
    "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy",   "https_proxy", "HTTPS_PROXY",
    "all_proxy",     "ALL_PROXY",    "no_proxy",     "NO_PROXY",    "ASAN_OPTIONS",
    "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
};

/* For the agent alone, and only where something of the configuration asks AWS (net/aws.h). */
static const char *const passed_on_for_aws[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_ROUTE_53",
};

_Static_assert(HC_ENVIRONMENT_MAX >= HC_COUNT(passed_on) + HC_COUNT(passed_on_for_aws) + 4,
               "room for all, and a NULL");

static int pass_on(const char *const *names, size_t count, char **env, struct hc_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = getenv(names[i]);

        if (value != NULL && asprintf(env, "%s=%s", names[i], value) < 0) {
            *env = NULL;
            return hc_error_nomem(err);
        }
        env += value != NULL;
    }
    return 0;
}

int hc_environment_make(bool aws, char *env[HC_ENVIRONMENT_MAX], struct hc_error *err)
{
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    static char lang[] = "LANG=C";
    static char zone[] = "TZ=UTC";
    size_t count = 3;

    memset(env, 0, HC_ENVIRONMENT_MAX * sizeof(env[0]));
    env[0] = path;
    env[1] = lang;
    env[2] = zone;
    if (pass_on(passed_on, HC_COUNT(passed_on), env + count, err) != 0) {
        return -1;
    }
    while (env[count] != NULL) {
        count++;
    }
    return aws ? pass_on(passed_on_for_aws, HC_COUNT(passed_on_for_aws), env + count, err) : 0;
}

void hc_environment_free(char *env[HC_ENVIRONMENT_MAX])
{
    for (size_t i = 3; i < HC_ENVIRONMENT_MAX; i++) {
        free(env[i]);
    }
}
