/* The style of the page, shared with bench/run's: embedded by the assembler, as src/status/asset.c does. */
#include "page_style.h"

__asm__(".pushsection .rodata\n"
        ".global page_style_text\n.hidden page_style_text\n"
        "page_style_text: .incbin \"bench/page.css\"\n.byte 0\n"
        ".popsection\n");
