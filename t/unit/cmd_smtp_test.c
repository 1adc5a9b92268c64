/* SMTP before TLS: whole dialogues, by the byte. */
#include "cmd/smtp.h"
#include "tap.h"

static const struct {
    const char *name;
    const char *says;
    enum hc_smtp_step step; /* where it ends */
    bool refused;
} dialogues[] = {
    {"a plain one", "220 x\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n", HC_SMTP_READY, false},
    {"of many lines", "220-a\r\n220-b\r\n220 c\r\n250-x\r\n250-STARTTLS\r\n250 SIZE\r\n220\r\n",
     HC_SMTP_READY, false},
    {"with line feeds only, in lower case", "220 x\n250 starttls\n220 go\n", HC_SMTP_READY, false},
    {"still in its greeting", "220-x\r\n220", HC_SMTP_GREETING, false},
    {"that refuses", "554 no\r\n", HC_SMTP_GREETING, true},
    {"without STARTTLS", "220 x\r\n250 SIZE\r\n", HC_SMTP_EHLO, true},
    {"that changes its mind", "220 x\r\n250 STARTTLS\r\n454 not now\r\n", HC_SMTP_STARTTLS, true},
    {"that is none", "SSH-2.0-x\r\n", HC_SMTP_GREETING, true},
    {"with an empty line", "\r\n", HC_SMTP_GREETING, true},
    {"that goes on in plain text", "220 x\r\n250 STARTTLS\r\n220 go\r\n250 injected\r\n",
     HC_SMTP_READY, true},
};

int main(void)
{
    for (size_t i = 0; i < HC_COUNT(dialogues); i++) {
        struct hc_smtp smtp = {0};
        struct hc_error err = {0};
        const char *answer = NULL;
        int rc = 0;

        for (const char *p = dialogues[i].says; *p != '\0' && rc >= 0; p++) {
            rc = hc_smtp_take(&smtp, (unsigned char)*p, &answer, &err);
        }
        is_int(rc < 0, dialogues[i].refused, dialogues[i].name);
        is_int(smtp.step, dialogues[i].step, "it ends where it should");
        is_int(hc_error_is_set(&err), dialogues[i].refused, "an error says why");
    }
    return done();
}
