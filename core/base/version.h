/* The version of module and program; what each tells the other (conf/wire.h). */
#ifndef HC_BASE_VERSION_H
#define HC_BASE_VERSION_H

#define HC_VERSION "0.2.0-dev"

#endif
