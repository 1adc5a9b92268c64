/*
 * hotcert for the glue: with glue.h everything that ngx_module/ and apache_module/ may see of the
 * core. The modules link base, loop, conf, live, pki, keeper and glue; nothing here loads libcurl
 * or ldns into a server.
 *
 *   configure   conf/directive.h  the one table of directives
 *               conf/conf.h       the validated configuration, hosts, identities
 *   start       keeper/spawn.h    folders, keeper, loader, agent
 *   serve       live/table.h      the live table: bundles by identity, answers to challenges
 *               live/view.h       what a worker read of it
 *               pki/pair.h        pairs, bundles, the bootstrap pair
 */
#ifndef HC_HOTCERT_H
#define HC_HOTCERT_H

#include "base/error.h"
#include "base/finding.h"
#include "base/io.h"
#include "base/log.h"
#include "base/time.h"
#include "base/version.h"
#include "conf/block.h"
#include "conf/build.h"
#include "conf/conf.h"
#include "conf/digest.h"
#include "conf/directive.h"
#include "conf/listener.h"
#include "conf/settings.h"
#include "keeper/keeper.h"
#include "keeper/private.h"
#include "keeper/spawn.h"
#include "live/table.h"
#include "live/view.h"
#include "pki/openssl.h"
#include "pki/pair.h"

#endif
