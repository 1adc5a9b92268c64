/* AWS credentials from each of their sources, in order; kept, fetched anew, refused. */
#include "net/aws.h"

#include <stdlib.h>

#include "tap.h"

#define NOW 1764331200 /* 2025-11-28T12:00:00Z */

/* One request that is expected, and its reply. */
struct exchange {
    const char *asked; /* how "METHOD URL\nheaders\nbody" begins */
    const char *has;   /* what is in it too; NULL: nothing certain */
    long status;       /* 0: no connection */
    const char *body;
};

struct world {
    const char *const *variables; /* name, value .. NULL */
    const struct exchange *next;
    int asked;
    struct hc_http_port http;
    struct hc_secret_port files;
    struct hc_clock clock;
    int64_t now;
    struct hc_aws_options options;
    struct hc_aws *aws;
    /* what was held back */
    bool hold;
    hc_http_done *held;
    void *held_arg;
    /* what came of it */
    int done, failed;
    struct hc_aws_credentials got;
    struct hc_error error;
    char file[64]; /* the last one that was read; with "!" behind it if by its strict name */
};

static struct world world;

static const char *variable(const char *name)
{
    for (const char *const *at = world.variables; at != NULL && *at != NULL; at += 2) {
        if (strcmp(at[0], name) == 0) {
            return at[1];
        }
    }
    return NULL;
}

static void answer(hc_http_done *tell, void *arg)
{
    const struct exchange *x = world.next;
    struct hc_http_reply reply = {.status = x->status};
    struct hc_error err;

    world.next++;
    reply.body = (struct hc_bytes){(const unsigned char *)x->body, strlen(x->body)};
    hc_error_init(&err);
    hc_error_set(&err, HC_P_FETCH_FAILED, x->asked, "nobody is there");
    tell(arg, x->status != 0 ? &reply : NULL, x->status != 0 ? NULL : &err);
}

static int on_send(void *self HC_UNUSED, const struct hc_http_request *r, hc_http_done *tell,
                   void *arg, uint64_t *id, struct hc_error *err HC_UNUSED)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT"};
    char text[4096];
    int n = snprintf(text, sizeof(text), "%s %s\n", methods[r->method], r->url);

    for (size_t i = 0; r->headers != NULL && r->headers[i] != NULL; i++) {
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s\n", r->headers[i]);
    }
    if (r->login != NULL) {
        n += snprintf(text + n, sizeof(text) - (size_t)n, "by %s %s %s\n", r->login->user,
                      r->login->password, r->login->scope);
    }
    (void)snprintf(text + n, sizeof(text) - (size_t)n, "%.*s", (int)r->body.len,
                   r->body.data != NULL ? (const char *)r->body.data : "");
    world.asked++;
    *id = 7;
    if (world.next->asked == NULL) {
        ok(false, text);
        exit(1);
    }
    is_int(strncmp(text, world.next->asked, strlen(world.next->asked)), 0, world.next->asked);
    if (world.next->has != NULL) {
        ok(strstr(text, world.next->has) != NULL, world.next->has);
        printf("# %s\n", strstr(text, world.next->has) == NULL ? text : "");
    }
    if (world.hold) {
        world.held = tell;
        world.held_arg = arg;
    } else {
        answer(tell, arg); /* a port calls from the loop; to the search it is all the same */
    }
    return 0;
}

static void on_cancel(void *self HC_UNUSED, uint64_t id HC_UNUSED)
{
    world.held = NULL;
}

static void give(const char *path, const char *mark, hc_secret_done *tell, void *arg)
{
    static const char ini[] = "# of us\n[other]\naws_access_key_id = NO\n[default]\n"
                              "aws_access_key_id = FILEID\naws_secret_access_key=filesecret\n";
    const char *text = strcmp(path, "/keys") == 0 ? ini
                       : strcmp(path, "/bare") == 0
                           ? "AWS_ACCESS_KEY_ID=B\nAWS_SECRET_ACCESS_KEY = bare\n"
                       : strcmp(path, "/odd") == 0   ? "[default]\naws_access_key_id = X\n"
                       : strcmp(path, "/token") == 0 ? "t0ken\n"
                                                     : "";

    (void)snprintf(world.file, sizeof(world.file), "%s%s", path, mark);
    tell(arg, (struct hc_bytes){(const unsigned char *)text, strlen(text)}, NULL);
}

static void on_read(void *self HC_UNUSED, const char *path, hc_secret_done *tell, void *arg)
{
    give(path, "!", tell, arg);
}

static void on_read_given(void *self HC_UNUSED, const char *path, hc_secret_done *tell, void *arg)
{
    give(path, "", tell, arg);
}

static void on_forget(void *self HC_UNUSED, const void *arg HC_UNUSED)
{
}

static int64_t now(void *self HC_UNUSED)
{
    return world.now;
}

static void begin(const char *const *variables, const struct exchange *exchanges)
{
    static const struct exchange none[] = {{NULL, NULL, 0, NULL}};

    memset(&world, 0, sizeof(world));
    world.variables = variables;
    world.next = exchanges != NULL ? exchanges : none;
    world.now = NOW;
    world.http = (struct hc_http_port){NULL, on_send, on_cancel};
    world.files = (struct hc_secret_port){NULL, on_read, on_read_given, on_forget};
    world.clock = (struct hc_clock){NULL, now, now};
    world.options = (struct hc_aws_options){
        .clock = &world.clock, .http = &world.http, .files = &world.files, .variable = variable};
}

static void on_done(void *arg HC_UNUSED, const struct hc_aws_credentials *c,
                    const struct hc_error *err)
{
    world.done++;
    if (c != NULL) {
        world.got = *c;
    } else {
        world.failed++;
        world.error = *err;
    }
}

/* "id secret token", or why not. */
static const char *get(void)
{
    static char text[sizeof(world.got) + 8];
    int failed = world.failed;

    if (world.aws == NULL && hc_aws_new(&world.options, &world.aws, NULL) != 0) {
        abort();
    }
    hc_aws_get(world.aws, on_done, &world);
    (void)snprintf(text, sizeof(text), "%s %s %s", world.got.id, world.got.secret, world.got.token);
    return world.failed > failed ? world.error.detail : text;
}

static void end(void)
{
    ok(world.next->asked == NULL, "all was asked that was to be");
    hc_aws_free(world.aws);
}

#define STS_REPLY(id, until)                                                                       \
    "<R xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><S><Credentials><AccessKeyId>" id        \
    "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t/+=</SessionToken>"          \
    "<Expiration>" until "</Expiration></Credentials></S></R>"

static void a_file_goes_before_all_else(void)
{
    static const char *const variables[] = {"AWS_ACCESS_KEY_ID", "E", "AWS_SECRET_ACCESS_KEY", "e",
                                            NULL};

    begin(variables, NULL);
    world.options.credentials = "/keys";
    is_str(get(), "FILEID filesecret ", "its section [default]");
    is_str(world.file, "/keys!", "read as a secret");
    world.file[0] = '\0';
    is_str(get(), "FILEID filesecret ", "and again");
    is_str(world.file, "/keys!", "from the file, which may have changed");
    end();
    begin(NULL, NULL);
    world.options.credentials = "/bare";
    is_str(get(), "B bare ", "lines of no section");
    end();
    begin(variables, NULL);
    world.options.credentials = "/odd";
    is_str(get(), "it has no secret key", "what it lacks is said");
    ok(world.error.problem == HC_P_FETCH_CREDENTIALS && strcmp(world.error.subject, "/odd") == 0,
       "about the file; no other source is tried");
    end();
}

static void then_comes_the_environment(void)
{
    static const char *const variables[] = {"AWS_ACCESS_KEY_ID",
                                            "E",
                                            "AWS_SECRET_ACCESS_KEY",
                                            "e",
                                            "AWS_SESSION_TOKEN",
                                            "t",
                                            "AWS_ROLE_ARN",
                                            "arn:x",
                                            "AWS_WEB_IDENTITY_TOKEN_FILE",
                                            "/token",
                                            NULL};

    begin(variables, NULL);
    is_str(get(), "E e t", "the environment");
    end();
}

static void then_a_web_identity(void)
{
    static const char *const variables[] = {"AWS_ROLE_ARN",
                                            "arn:aws:iam::1:role/r",
                                            "AWS_WEB_IDENTITY_TOKEN_FILE",
                                            "/token",
                                            "AWS_REGION",
                                            "eu-west-1",
                                            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                            "/x",
                                            NULL};
    static const struct exchange exchanges[] = {
        {"POST https://sts.eu-west-1.amazonaws.com/\nVersion=2011-06-15&"
         "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&",
         "&WebIdentityToken=t0ken", 200, STS_REPLY("W", "2025-11-28T13:00:00Z")},
        {"POST https://sts.eu-west-1", NULL, 200, STS_REPLY("W2", "2025-11-28T14:00:00.123Z")},
        {"POST https://sts.eu-west-1", NULL, 0, ""},
        {"POST https://sts.eu-west-1", NULL, 403,
         "<ErrorResponse><Error><Code>ExpiredTokenException</Code><Message>Token is old</Message>"
         "</Error></ErrorResponse>"},
        {NULL, NULL, 0, NULL},
    };

    begin(variables, exchanges);
    is_str(get(), "W s t/+=", "a role by a web identity");
    is_str(world.file, "/token", "whose file the platform made");
    is_str(get(), "W s t/+=", "is kept");
    is_int(world.asked, 1, "and not asked for");
    world.now += 3600 - 299;
    is_str(get(), "W2 s t/+=", "until five minutes before it ends");
    world.now = NOW + 7000;
    is_str(get(), "W2 s t/+=", "what still holds is used when no other can be had");
    world.now = NOW + 7200;
    is_str(get(), "it answered with status 403, ExpiredTokenException: Token is old",
           "and no longer than it holds");
    is_str(world.error.subject, "https://sts.eu-west-1.amazonaws.com/", "who refused is said");
    end();
}

static void then_the_container(void)
{
    static const char *const ecs[] = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/creds", NULL};
    static const char *const eks[] = {"AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                      "http://169.254.170.23/v1/credentials",
                                      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                      "/token",
                                      "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                      "other",
                                      NULL};
    static const struct exchange from_ecs[] = {
        {"GET http://169.254.170.2/v2/creds\n", NULL, 200,
         "{\"AccessKeyId\":\"C\",\"SecretAccessKey\":\"c\",\"Token\":\"ct\","
         "\"Expiration\":\"2025-11-28T18:00:00Z\"}"},
        {NULL, NULL, 0, NULL},
    };
    static const struct exchange from_eks[] = {
        {"GET http://169.254.170.23/v1/credentials\nAuthorization: t0ken\n", NULL, 200,
         "{\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"k\"}"},
        {"GET http://169.254.170.23/v1/credentials\n", NULL, 200, "<html>"},
        {NULL, NULL, 0, NULL},
    };

    begin(ecs, from_ecs);
    is_str(get(), "C c ct", "of the container");
    ok(world.got.expires == NOW + 6 * 3600, "until then");
    end();
    begin(eks, from_eks);
    is_str(get(), "K k ", "of a pod; the token's file goes before the token");
    is_str(get(), "the reply is not JSON", "what is none of it");
    end();
}

static void and_last_the_machine(void)
{
    static const char *const off[] = {"AWS_EC2_METADATA_DISABLED", "true", NULL};
    static const char *const elsewhere[] = {"AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                            "http://[fd00:ec2::254]/", NULL};
    static const struct exchange exchanges[] = {
        {"PUT http://169.254.169.254/latest/api/token\n"
         "X-aws-ec2-metadata-token-ttl-seconds: 21600\n",
         NULL, 200, "imds=="},
        {"GET http://169.254.169.254/latest/meta-data/iam/security-credentials/\n"
         "X-aws-ec2-metadata-token: imds==\n",
         NULL, 200, "web-role\n"},
        {"GET http://169.254.169.254/latest/meta-data/iam/security-credentials/web-role\n"
         "X-aws-ec2-metadata-token: imds==\n",
         NULL, 200,
         "{\"Code\":\"Success\",\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"i\",\"Token\":\"it\","
         "\"Expiration\":\"2025-11-28T18:00:00Z\"}"},
        {NULL, NULL, 0, NULL},
    };
    static const struct exchange no_role[] = {
        {"PUT http://[fd00:ec2::254]/latest/api/token\n", NULL, 200, "x"},
        {"GET http://[fd00:ec2::254]/latest/meta-data/", NULL, 404, ""},
        {NULL, NULL, 0, NULL},
    };

    begin(NULL, exchanges);
    is_str(get(), "I i it", "of the instance, by a session of version 2");
    end();
    begin(elsewhere, no_role);
    is_str(get(), "it answered with status 404", "a machine without a role");
    end();
    begin(off, NULL);
    ok(strstr(get(), "AWS_EC2_METADATA_DISABLED") != NULL, "unless it is not to be asked");
    end();
}

static void a_role_is_taken_on(void)
{
    static const char *const variables[] = {"AWS_ENDPOINT_URL_STS", "http://127.0.0.1:5000/",
                                            "AWS_ENDPOINT_URL", "http://127.0.0.1:1/", NULL};
    static const struct exchange exchanges[] = {
        {"POST http://127.0.0.1:5000/\nby FILEID filesecret aws:amz:us-east-1:sts\n"
         "Version=2011-06-15&Action=AssumeRole&DurationSeconds=3600&RoleArn=arn%3Ar&"
         "RoleSessionName=hotcert",
         NULL, 200, STS_REPLY("R", "2025-11-28T13:00:00Z")},
        {"POST http://127.0.0.1:5000/", NULL, 200, STS_REPLY("R2", "2025-11-28T13:00:00Z")},
        {"POST http://127.0.0.1:5000/", NULL, 200, "<R/>"},
        {NULL, NULL, 0, NULL},
    };

    begin(variables, exchanges);
    world.options.credentials = "/keys";
    world.options.role_arn = "arn:r";
    is_str(get(), "R s t/+=", "the role's, by what the file has");
    hc_aws_reject(world.aws);
    is_str(get(), "R2 s t/+=", "once refused, others");
    hc_aws_reject(world.aws);
    is_str(get(), "it has no key id", "a reply without any");
    end();
}

static void all_who_ask_at_once_share_a_search(void)
{
    static const struct exchange exchanges[] = {
        {"PUT http://169.254.169.254/", NULL, 500, ""},
        {"PUT http://169.254.169.254/", NULL, 500, ""},
        {NULL, NULL, 0, NULL},
    };
    int other = 0;

    begin(NULL, exchanges);
    world.hold = true;
    (void)get();
    hc_aws_get(world.aws, on_done, &other);
    hc_aws_get(world.aws, on_done, &world);
    is_int(world.asked, 1, "one search");
    hc_aws_forget(world.aws, &other);
    answer(world.held, world.held_arg);
    is_int(world.failed, 2, "all are told, but who is gone");
    (void)get();
    hc_aws_free(world.aws);
    ok(world.held == NULL, "a request in flight ends with it");
    is_int(world.done, 2, "without a word");
}

int main(void)
{
    a_file_goes_before_all_else();
    then_comes_the_environment();
    then_a_web_identity();
    then_the_container();
    and_last_the_machine();
    a_role_is_taken_on();
    all_who_ask_at_once_share_a_search();
    return done();
}
