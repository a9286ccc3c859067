/* bench/page.css as a text. */
#ifndef LAB_PAGE_STYLE_H
#define LAB_PAGE_STYLE_H

extern const char page_style_text[] __attribute__((visibility("hidden")));

#endif
