/* What a DNS server sends: the reader, CNAMEs, records in presentation form, the CAA among them. */
#include <string.h>

#include "dns/caa.h"
#include "dns/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *domains[] = {(char[]){"ca.test"}};
static const struct hc_list domain_list = {domains, 1, 1};

static void use_record(const struct hc_dns_record *r)
{
    struct hc_caa_record caa = {r->data, r->len};
    struct hc_caa_asker who = {.domains = &domain_list, .wildcard = (r->ttl & 1) != 0};
    struct hc_caa_decision decision;
    struct hc_dname target;
    char text[HC_DNS_RECORD_TEXT];
    char line[512];

    if (strlen(hc_dns_record_format(r, text)) >= sizeof(text) || strpbrk(text, "\r\n\t") != NULL) {
        __builtin_trap();
    }
    if (hc_dns_record_target(r, &target) == 0 && target.len == 0) {
        __builtin_trap();
    }
    hc_caa_decide(&caa, 1, &who, &decision);
    hc_caa_suggest(&caa, &decision, &who, "example.net.", line, sizeof(line));
}

static void use_reply(const struct hc_dns_reply *reply, const struct hc_dns_question *question)
{
    struct hc_dns_reply copy;
    struct hc_dname end;
    struct hc_error err = {0};
    unsigned links = 0;
    size_t at = 0;

    if (reply->owner_count > HC_DNS_OWNERS) {
        __builtin_trap();
    }
    for (size_t i = 0; i < reply->answers + reply->authorities; i++) {
        use_record(&reply->records[i]);
    }
    if (hc_dns_reply_follow(reply, &question->name, &end, &links, &err) == 0) {
        while (hc_dns_reply_next(reply, &end, question->type, &at) != NULL) {
        }
    } else if (!hc_error_is_set(&err)) {
        __builtin_trap();
    }
    (void)hc_dns_reply_soa(reply, &question->name);
    (void)hc_dns_reply_is_lame(reply, question);
    if (hc_dns_reply_copy(reply, &copy, &err) == 0) {
        hc_dns_reply_dispose(&copy);
    }
}

static void read_message(const uint8_t *data, size_t size, const struct hc_dns_question *question)
{
    struct hc_dns_reply reply;
    struct hc_error err = {0};

    if (hc_dns_reply_read(data, size, question, 7, &reply, &err) == HC_DNS_READ_REPLY) {
        use_reply(&reply, question);
        hc_dns_reply_dispose(&reply);
    }
}

/* The first octet chooses the type; the rest is a message, or what follows the right question. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum hc_dns_type types[] = {HC_DNS_A, HC_DNS_CAA, HC_DNS_NS, HC_DNS_SOA};
    static const uint8_t tail[] = {7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3, 'n', 'e', 't', 0};
    struct hc_dns_question question = {.recurse = true};
    uint8_t message[4096];
    size_t len = 12 + sizeof(tail) + 4;

    if (size < 13 || size > 2048 || hc_dname_from_host("example.net", &question.name, NULL) != 0) {
        return 0;
    }
    question.type = types[data[0] & 3];
    read_message(data + 1, size - 1, &question);
    memcpy(message, data + 1, 12);
    message[0] = 0;
    message[1] = 7;
    message[2] = (uint8_t)((message[2] & 0x87) | 0x80);
    message[4] = 0;
    message[5] = 1;
    memcpy(message + 12, tail, sizeof(tail));
    message[12 + sizeof(tail)] = (uint8_t)((unsigned)question.type >> 8);
    message[13 + sizeof(tail)] = (uint8_t)question.type;
    message[14 + sizeof(tail)] = 0;
    message[15 + sizeof(tail)] = 1;
    memcpy(message + len, data + 13, size - 13);
    read_message(message, len + size - 13, &question);
    return 0;
}
