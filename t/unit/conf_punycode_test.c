/* Punycode: the samples of RFC 3492 section 7.1 decode, everything that is none does not. */
#include "conf/punycode.h"

#include "tap.h"

int main(void)
{
    /* section 7.1, in lower case: (A) to (S) */
    static const char *const samples[] = {
        "egbpdaj6bu4bxfgehfvwxn",
        "ihqwcrb4cv8a8dqg056pqjye",
        "ihqwctvzc91f659drss3x8bo0yb",
        "proprostnemluvesky-uyb24dma41a",
        "4dbcagdahymbxekheh6e0a7fei0b",
        "i1baa7eci9glrd9b2ae1bj0hfcgg6iyaf8o0a1dig0cd",
        "n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa",
        "b1abfaaepdrnnbgefbadotcwatmq2g4l",
        "porqunopuedensimplementehablarenespaol-fmd56a",
        "tisaohkhngthchnitingvit-kjcr8268qyxafd2f1b9g",
        "3b-ww4c5e180e575a65lsy2b",
        "-with-super-monkeys-pc58ag80a8qai00g7n9n",
        "hello-another-way--fc4qua05auwb3674vfr0b",
        "2-u9tlzr9756bt3uc0v",
        "majikoi5-783gue6qz075azm5e",
        "de-jg4avhby1noc0d",
        "d9juau41awczczp",
        "bcher-kva",
    };
    static const char *const wrong[] = {
        "",      "-",        "abc-",           "-abc",   "0",        "zzzzzz",    "kva-",
        "b\xfc", "99999999", "99999999999999", "bcher_", "bcher-kv", "a-9999999", "BCHER-KVA",
    };

    for (size_t i = 0; i < HC_COUNT(samples); i++) {
        ok(hc_punycode_decodes(samples[i], strlen(samples[i])), samples[i]);
    }
    for (size_t i = 0; i < HC_COUNT(wrong); i++) {
        ok(!hc_punycode_decodes(wrong[i], strlen(wrong[i])), wrong[i]);
    }
    return done();
}
