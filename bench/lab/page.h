/*
 * index.html: for each experiment the question, its plots, the findings and the figures; and the
 * environment. It is one file beside its plots, and requests nothing from outside of its folder.
 */
#ifndef LAB_PAGE_H
#define LAB_PAGE_H

/*
 * Draws every plot and writes FOLDER/index.html from what is in the folder. Returns 0, or -errno after it
 * has printed why.
 */
int page_write(const char *folder);

#endif
