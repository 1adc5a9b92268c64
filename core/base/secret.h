/* The secret that a store is sealed under: what keeper, store and agent call so. */
#ifndef HC_BASE_SECRET_H
#define HC_BASE_SECRET_H

#define HC_SECRET_SIZE 32 /* bytes; wiped by whoever holds a copy */

#endif
