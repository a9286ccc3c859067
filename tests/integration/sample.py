"""Which of the generated exchanges are sent. There are more than each test run has time for, so most runs send a
sample of them:

    FAMILIES=1     the sample of this seed (the default is 1)
    FAMILIES=all   all of them (make families)

The same seed always gives the same sample.
"""

import os
import random

CHOICE = os.environ.get("FAMILIES") or "1"
IS_ALL = CHOICE == "all"
MARKS = b'\0\t\n\r "#%,/:;=?\x7f\xff'  # bytes that a grammar treats in a way of their own
OTHERS = 8   # bytes beside them, in each place
ONE_OF = 10  # of combinations, one of so many is sent


def bytes_at(place):
    """The bytes that are tried in a place: all of them, or MARKS and some others."""
    if IS_ALL:
        return range(256)
    return sorted({*MARKS, *random.Random("%s %s" % (CHOICE, place)).sample(range(256), OTHERS)})


def some(name, items):
    """All of the items, or one of ONE_OF."""
    if IS_ALL:
        return items
    chance = random.Random("%s %s" % (CHOICE, name))
    return (each for each in items if chance.randrange(ONE_OF) == 0)


def told():
    return "all exchanges" if IS_ALL else "sample %s; FAMILIES=all sends all exchanges" % CHOICE
