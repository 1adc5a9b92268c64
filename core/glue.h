/*
 * What both web servers decide and say in the same words. nginx and httpd differ in how a
 * configuration is read, a process started and a header sent; what hotcert does then stands here
 * once, so that an operator reads one sentence on both (in the server's spelling: base/spelling.h)
 * and a fault is fixed on both.
 *
 *   configure   glue/remark.h      remarks and refusals on the server's own directives
 *   start       glue/start.h       agent lines, control socket, size of the table
 *               glue/examine.h     would a start with this configuration be refused?
 *   serve       glue/serve.h       a bundle on a connection, a newer bundle from the table
 *               glue/session.h     which host a TLS session belongs to
 *               glue/challenge.h   the answer to a CA's request over HTTP
 *               glue/proof.h       the answer to a CA's handshake
 *               glue/hello.h       what a client says first
 *
 * Sees base, loop, conf, pki, live and keeper. Nothing else of core/ includes it.
 */
#ifndef HC_GLUE_H
#define HC_GLUE_H

#include "base/idn.h"
#include "glue/challenge.h"
#include "glue/examine.h"
#include "glue/hello.h"
#include "glue/proof.h"
#include "glue/remark.h"
#include "glue/serve.h"
#include "glue/session.h"
#include "glue/start.h"
#include "hotcert.h"

#endif
