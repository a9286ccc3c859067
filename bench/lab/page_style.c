/* The style of the page, which bench/run uses too. The assembler embeds it, as in src/status/asset.c. */
#include "page_style.h"

__asm__(".pushsection .rodata\n"
        ".global page_style_text\n.hidden page_style_text\n"
        "page_style_text: .incbin \"bench/page.css\"\n.byte 0\n"
        ".popsection\n");
