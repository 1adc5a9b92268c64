/* A client's first message, as servers look at it before OpenSSL does. */
#include "glue/hello.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hc_hello hello;

    if (!hc_hello_read((struct hc_bytes){data, size}, &hello) &&
        (hello.validates || hello.name_len > 0)) {
        __builtin_trap();
    }
    if (hello.name_len >= sizeof(hello.name) || hello.name[hello.name_len] != '\0') {
        __builtin_trap();
    }
    return 0;
}
