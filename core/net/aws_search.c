/* Where AWS credentials come from; see aws_search.h and aws.h. */
#include "net/aws_search.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METADATA_MS     5000L /* a machine of AWS's answers at once, another never */
#define ANSWER_MAX      ((size_t)64 << 10)
#define TOKEN_TTL       "21600"
#define FORM_TYPE       "application/x-www-form-urlencoded"
#define METADATA_PATH   "/latest/meta-data/iam/security-credentials/"
#define CONTAINER_HOST  "http://169.254.170.2"
#define INSTANCE_HOST   "http://169.254.169.254"
#define STS_VERSION     "2011-06-15"
#define SESSION_SECONDS "3600"

static const char *variable(const struct hc_aws_options *o, const char *name)
{
    const char *value = o->variable != NULL ? o->variable(name) : secure_getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

const char *hc_aws_endpoint(const struct hc_aws_options *options, const char *word)
{
    char name[64];
    const char *own = NULL;

    (void)snprintf(name, sizeof(name), "AWS_ENDPOINT_URL_%s", word);
    own = variable(options, name);
    return own != NULL ? own : variable(options, "AWS_ENDPOINT_URL");
}

static void fail(struct hc_aws_search *aws, const struct hc_error *err)
{
    aws->done(aws->arg, NULL, err);
}

static void fail_as(struct hc_aws_search *aws, const char *subject, const char *why)
{
    struct hc_error err;

    hc_error_init(&err);
    hc_error_set(&err, HC_P_FETCH_CREDENTIALS, subject, "%s", why);
    fail(aws, &err);
}

static void finish(struct hc_aws_search *aws, const struct hc_aws_credentials *found)
{
    aws->done(aws->arg, found, NULL);
}

/* ---- requests and files ---- */

static void on_reply(void *arg, const struct hc_http_reply *reply, const struct hc_error *err)
{
    struct hc_aws_search *aws = arg;
    struct hc_aws_fault fault;
    struct hc_error own;

    aws->request = 0;
    if (err != NULL) {
        fail_as(aws, aws->whose, err->detail);
        return;
    }
    if (reply->status / 100 == 2) {
        aws->next(aws, reply->body);
        return;
    }
    hc_aws_take_fault(reply->body, &fault);
    hc_error_init(&own);
    hc_error_set(&own, HC_P_FETCH_CREDENTIALS, aws->whose, "it answered with status %ld%s%s%s%s",
                 reply->status, fault.code[0] != '\0' ? ", " : "", fault.code,
                 fault.code[0] != '\0' ? ": " : "", fault.code[0] != '\0' ? fault.message : "");
    fail(aws, &own);
}

static void ask(struct hc_aws_search *aws, const struct hc_http_request *request, hc_aws_step *next)
{
    struct hc_error err;

    hc_error_init(&err);
    aws->next = next;
    if (aws->o->http->send(aws->o->http->self, request, on_reply, aws, &aws->request, &err) != 0) {
        aws->request = 0;
        fail(aws, &err);
    }
}

static void ask_metadata(struct hc_aws_search *aws, enum hc_http_method method, const char *header,
                         hc_aws_step *next)
{
    const char *const headers[] = {header, NULL};
    const struct hc_http_request request = {
        .method = method,
        .url = aws->whose,
        .headers = header != NULL ? headers : NULL,
        .metadata = true,
        .max_body = ANSWER_MAX,
        .timeout_ms = METADATA_MS,
    };

    ask(aws, &request, next);
}

static void on_file(void *arg, struct hc_bytes content, const struct hc_error *err)
{
    struct hc_aws_search *aws = arg;

    if (err != NULL) {
        fail(aws, err);
    } else {
        aws->next(aws, content);
    }
}

static void read_file(struct hc_aws_search *aws, const char *path, bool given, hc_aws_step *next)
{
    const struct hc_secret_port *files = aws->o->files;

    (void)hc_copy(aws->whose, sizeof(aws->whose), path);
    aws->next = next;
    (given ? files->read_given : files->read)(files->self, path, on_file, aws);
}

/* A token as a file or a service has it: one line. */
static bool take_token(struct hc_bytes bytes, char out[HC_AWS_TOKEN])
{
    size_t len = bytes.len;

    while (len > 0 && strchr(" \t\r\n", bytes.data[len - 1]) != NULL) {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        if (bytes.data[i] <= 0x20 || bytes.data[i] > 0x7e) {
            return false;
        }
    }
    if (len == 0 || len >= HC_AWS_TOKEN) {
        return false;
    }
    memcpy(out, bytes.data, len);
    out[len] = '\0';
    return true;
}

/* ---- STS ---- */

static const char *region_of(const struct hc_aws_search *aws)
{
    const char *region = aws->o->region != NULL ? aws->o->region : variable(aws->o, "AWS_REGION");

    region = region != NULL ? region : variable(aws->o, "AWS_DEFAULT_REGION");
    return region != NULL &&
                   strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(region)
               ? region
               : "us-east-1";
}

static void set_sts_url(struct hc_aws_search *aws)
{
    const char *elsewhere = hc_aws_endpoint(aws->o, "STS");
    const char *region = region_of(aws);

    if (elsewhere != NULL) {
        (void)hc_copy(aws->whose, sizeof(aws->whose), elsewhere);
    } else {
        (void)snprintf(aws->whose, sizeof(aws->whose), "https://sts.%s.amazonaws.com%s/", region,
                       strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
    }
}

static int put_form(struct hc_buf *form, const char *const *pairs, struct hc_error *err)
{
    int rc = hc_buf_puts(form, "Version=" STS_VERSION, err);

    for (; *pairs != NULL && rc == 0; pairs += 2) {
        rc = hc_buf_printf(form, err, "&%s=", pairs[0]);
        rc = rc == 0 ? hc_aws_put_escaped(form, pairs[1], err) : rc;
    }
    return rc;
}

/* pairs: names and values, ends with NULL. login: NULL, or who asks. */
static void ask_sts(struct hc_aws_search *aws, const char *const *pairs,
                    const struct hc_aws_credentials *who, hc_aws_step *next)
{
    struct hc_buf form = HC_BUF_INIT_SECRET(ANSWER_MAX);
    char scope[64];
    char token[HC_AWS_TOKEN + 32];
    const char *const headers[] = {token, NULL};
    struct hc_http_login login = {.scope = scope};
    struct hc_http_request request = {
        .method = HC_HTTP_POST, .content_type = FORM_TYPE, .max_body = ANSWER_MAX};
    struct hc_error err;

    hc_error_init(&err);
    set_sts_url(aws);
    request.url = aws->whose;
    if (who != NULL) {
        login.user = who->id;
        login.password = who->secret;
        request.login = &login;
        (void)snprintf(scope, sizeof(scope), "aws:amz:%.40s:sts", region_of(aws));
        (void)snprintf(token, sizeof(token), "x-amz-security-token: %s", who->token);
        request.headers = who->token[0] != '\0' ? headers : NULL;
    }
    if (put_form(&form, pairs, &err) != 0) {
        fail(aws, &err);
    } else {
        request.body = hc_bytes_of(&form);
        ask(aws, &request, next);
    }
    OPENSSL_cleanse(token, sizeof(token));
    hc_buf_dispose(&form);
}

static const char *session_name(const struct hc_aws_search *aws)
{
    const char *name = variable(aws->o, "AWS_ROLE_SESSION_NAME");

    return name != NULL ? name : "hotcert";
}

static void on_role(struct hc_aws_search *aws, struct hc_bytes body)
{
    struct hc_aws_credentials found;
    struct hc_error err;

    hc_error_init(&err);
    if (hc_aws_take_xml(body, aws->whose, &found, &err) != 0) {
        fail(aws, &err);
    } else {
        finish(aws, &found);
    }
    OPENSSL_cleanse(&found, sizeof(found));
}

/* What this machine is was found: that is it, or it takes a role on. */
static void found_base(struct hc_aws_search *aws, const struct hc_aws_credentials *base)
{
    const char *const pairs[] = {"Action",          "AssumeRole",      "DurationSeconds",
                                 SESSION_SECONDS,   "RoleArn",         aws->o->role_arn,
                                 "RoleSessionName", session_name(aws), NULL};

    if (aws->o->role_arn == NULL) {
        finish(aws, base);
        return;
    }
    ask_sts(aws, pairs, base, on_role);
}

typedef int take(struct hc_bytes bytes, const char *whose, struct hc_aws_credentials *out,
                 struct hc_error *err);

static void found_by(struct hc_aws_search *aws, struct hc_bytes bytes, take *by)
{
    struct hc_aws_credentials found;
    struct hc_error err;

    hc_error_init(&err);
    if (by(bytes, aws->whose, &found, &err) != 0) {
        fail(aws, &err);
    } else {
        found_base(aws, &found);
    }
    OPENSSL_cleanse(&found, sizeof(found));
}

static void on_own_file(struct hc_aws_search *aws, struct hc_bytes bytes)
{
    found_by(aws, bytes, hc_aws_take_file);
}

static void on_json(struct hc_aws_search *aws, struct hc_bytes bytes)
{
    found_by(aws, bytes, hc_aws_take_json);
}

static void on_identity(struct hc_aws_search *aws, struct hc_bytes bytes)
{
    found_by(aws, bytes, hc_aws_take_xml);
}

/* ---- the environment, a web identity ---- */

static bool try_environment(struct hc_aws_search *aws)
{
    struct hc_aws_credentials found = {.expires = 0};
    const char *id = variable(aws->o, "AWS_ACCESS_KEY_ID");
    const char *secret = variable(aws->o, "AWS_SECRET_ACCESS_KEY");
    const char *token = variable(aws->o, "AWS_SESSION_TOKEN");

    if (id == NULL || secret == NULL) {
        return false;
    }
    if (!hc_copy(found.id, sizeof(found.id), id) ||
        !hc_copy(found.secret, sizeof(found.secret), secret) ||
        !hc_copy(found.token, sizeof(found.token), token != NULL ? token : "")) {
        fail_as(aws, "AWS_ACCESS_KEY_ID", "what the environment has is too long");
    } else {
        found_base(aws, &found);
    }
    OPENSSL_cleanse(&found, sizeof(found));
    return true;
}

static void on_web_token(struct hc_aws_search *aws, struct hc_bytes content)
{
    char token[HC_AWS_TOKEN];
    const char *const pairs[] = {"Action",
                                 "AssumeRoleWithWebIdentity",
                                 "RoleArn",
                                 variable(aws->o, "AWS_ROLE_ARN"),
                                 "RoleSessionName",
                                 session_name(aws),
                                 "WebIdentityToken",
                                 token,
                                 NULL};

    if (!take_token(content, token)) {
        fail_as(aws, aws->whose, "it has no token");
    } else {
        ask_sts(aws, pairs, NULL, on_identity);
    }
    OPENSSL_cleanse(token, sizeof(token));
}

/* ---- the container ---- */

/* False: no container has said where. */
static bool set_container_url(struct hc_aws_search *aws)
{
    const char *path = variable(aws->o, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = variable(aws->o, "AWS_CONTAINER_CREDENTIALS_FULL_URI");

    if (path != NULL && path[0] == '/') {
        (void)snprintf(aws->whose, sizeof(aws->whose), CONTAINER_HOST "%s", path);
    } else if (full != NULL) {
        (void)hc_copy(aws->whose, sizeof(aws->whose), full);
    }
    return (path != NULL && path[0] == '/') || full != NULL;
}

static void ask_container(struct hc_aws_search *aws, const char *token)
{
    char header[HC_AWS_TOKEN + 32];

    (void)set_container_url(aws);
    (void)snprintf(header, sizeof(header), "Authorization: %s", token != NULL ? token : "");
    ask_metadata(aws, HC_HTTP_GET, token != NULL ? header : NULL, on_json);
    OPENSSL_cleanse(header, sizeof(header));
}

static void on_container_token(struct hc_aws_search *aws, struct hc_bytes content)
{
    char token[HC_AWS_TOKEN];

    if (!take_token(content, token)) {
        fail_as(aws, aws->whose, "it has no token");
    } else {
        ask_container(aws, token);
    }
    OPENSSL_cleanse(token, sizeof(token));
}

/* ---- the machine ---- */

static void set_instance_url(struct hc_aws_search *aws, const char *path, const char *role)
{
    const char *elsewhere = variable(aws->o, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *host = elsewhere != NULL ? elsewhere : INSTANCE_HOST;
    size_t len = strlen(host);

    len -= len > 0 && host[len - 1] == '/';
    (void)snprintf(aws->whose, sizeof(aws->whose), "%.*s%s%s", (int)len, host, path, role);
}

static void ask_instance(struct hc_aws_search *aws, const char *role, hc_aws_step *next)
{
    char header[HC_AWS_TOKEN + 32];

    set_instance_url(aws, METADATA_PATH, role);
    (void)snprintf(header, sizeof(header), "X-aws-ec2-metadata-token: %s", aws->session);
    ask_metadata(aws, HC_HTTP_GET, header, next);
    OPENSSL_cleanse(header, sizeof(header));
}

static void on_instance_role(struct hc_aws_search *aws, struct hc_bytes body)
{
    char role[128] = "";
    size_t len = 0;

    while (len < body.len && len + 1 < sizeof(role) && body.data[len] > 0x20 &&
           body.data[len] < 0x7f && strchr("/?#%", body.data[len]) == NULL) {
        role[len] = (char)body.data[len];
        len++;
    }
    if (len == 0) {
        fail_as(aws, aws->whose, "this machine has no role");
    } else {
        ask_instance(aws, role, on_json);
    }
}

static void on_instance_token(struct hc_aws_search *aws, struct hc_bytes body)
{
    if (!take_token(body, aws->session)) {
        fail_as(aws, aws->whose, "the reply is no token");
    } else {
        ask_instance(aws, "", on_instance_role);
    }
}

static void try_instance(struct hc_aws_search *aws)
{
    const char *off = variable(aws->o, "AWS_EC2_METADATA_DISABLED");

    if (off != NULL && strcmp(off, "true") == 0) {
        fail_as(aws, "AWS",
                "neither the environment nor the container has credentials, and "
                "AWS_EC2_METADATA_DISABLED is set");
        return;
    }
    set_instance_url(aws, "/latest/api/token", "");
    ask_metadata(aws, HC_HTTP_PUT, "X-aws-ec2-metadata-token-ttl-seconds: " TOKEN_TTL,
                 on_instance_token);
}

/* ---- a search ---- */

void hc_aws_search_begin(struct hc_aws_search *aws)
{
    const char *web = variable(aws->o, "AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *token_file = variable(aws->o, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");

    if (aws->o->credentials != NULL) {
        read_file(aws, aws->o->credentials, false, on_own_file);
    } else if (try_environment(aws)) {
        /* told, or on its way */
    } else if (web != NULL && variable(aws->o, "AWS_ROLE_ARN") != NULL) {
        read_file(aws, web, true, on_web_token);
    } else if (!set_container_url(aws)) {
        try_instance(aws);
    } else if (token_file != NULL) {
        read_file(aws, token_file, true, on_container_token);
    } else {
        ask_container(aws, variable(aws->o, "AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    }
}

void hc_aws_search_stop(struct hc_aws_search *aws)
{
    if (aws->request != 0) {
        aws->o->http->cancel(aws->o->http->self, aws->request);
        aws->request = 0;
    }
    aws->o->files->forget(aws->o->files->self, aws);
    OPENSSL_cleanse(aws->session, sizeof(aws->session));
}
