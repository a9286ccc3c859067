/*
 * index.html: of each experiment the question, its plots, the findings, the figures; and the
 * environment. One file beside its plots, which asks for nothing outside of its folder.
 */
#ifndef LAB_PAGE_H
#define LAB_PAGE_H

/* Draws every plot and writes FOLDER/index.html from what the folder holds. 0, or -errno after it said why. */
int page_write(const char *folder);

#endif
