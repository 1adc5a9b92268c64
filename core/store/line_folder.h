/* The folder of a line and the names in it. */
#ifndef HC_STORE_LINE_FOLDER_H
#define HC_STORE_LINE_FOLDER_H

#include "store/internal.h"

/* The numbers of the versions that are there, newest first; numbers is the caller's to free. */
struct hc_versions {
    uint64_t *numbers;
    size_t count;
};
int hc_versions_list(struct hc_store *store, int folder, const char *line, struct hc_versions *v,
                     struct hc_error *err) HC_MUST_USE;

/* "<number>.pair" */
void hc_version_name(uint64_t number, char name[40]);

/* Opens lines/<line>; what stands there and is no folder is set aside. *fd -1: there is none. */
int hc_line_open(struct hc_store *store, const char *line, bool make, int *fd,
                 struct hc_error *err) HC_MUST_USE;

/* Removes a line's emptied folder; what does not belong there goes with it to damaged/. */
int hc_line_remove_folder(struct hc_store *store, const char *line,
                          struct hc_error *err) HC_MUST_USE;

#endif
