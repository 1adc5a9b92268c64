/*
 * Does what answers on port 80 look like a router, a modem or the like, instead of a web server?
 * Told by what such devices say of themselves: the Server header, the realm of their login, the
 * title of their page, a redirect to their own address. A guess, for remarks alone. Any thread.
 */
#ifndef HC_PREFLIGHT_DEVICE_H
#define HC_PREFLIGHT_DEVICE_H

#include "net/web.h"

#define HC_DEVICE_TEXT 512

/*
 * True if so; dst says by what it is known: "Server: micro_httpd, title: Login", where what came
 * is capped and escaped. The reply is that of the name's own address, to the first request.
 */
bool hc_device_looks_so(const struct hc_web_reply *reply, char dst[HC_DEVICE_TEXT]);

#endif
