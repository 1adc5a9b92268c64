/*
 * XML as clouds reply with it: elements and their texts, nothing else. A document type, and so an
 * entity of its own, is refused; depth, lengths and size are bounded. expat reads it.
 */
#ifndef HC_NET_XML_H
#define HC_NET_XML_H

#include "base/buf.h"
#include "base/error.h"

#define HC_XML_DEPTH_MAX 16
#define HC_XML_PATH_MAX  512
#define HC_XML_TEXT_MAX  ((size_t)64 << 10)

/*
 * An element has ended. path: "/ListHostedZonesResponse/HostedZones/HostedZone/Name"; text: what
 * stood between its tags, "" of one that has elements inside. -1 with err ends the reading.
 */
typedef int hc_xml_ended(void *arg, const char *path, const char *text, struct hc_error *err);

/* HC_P_FETCH_FAILED: it is no such XML. Any thread. */
int hc_xml_read(struct hc_bytes bytes, hc_xml_ended *ended, void *arg,
                struct hc_error *err) HC_MUST_USE;

/* True if the path ends in these elements: "HostedZone/Name". */
bool hc_xml_is(const char *path, const char *end);

/* Text as it stands in XML: "<", ">", "&" and quotes escaped; control characters are refused. */
int hc_xml_put(struct hc_buf *out, const char *text, struct hc_error *err) HC_MUST_USE;

#endif
