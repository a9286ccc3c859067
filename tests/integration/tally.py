"""What tests came to: each is counted in its group, and said when it fails or is skipped."""

import collections
import os
import time
import traceback
import types

from client import Failure, Skip


class Tally:
    """Counts, and prints what failed."""

    def __init__(self, verbose):
        self.verbose = verbose
        self.groups = collections.OrderedDict()

    def add(self, group, name, seconds, failure):
        counts = self.counts(group)
        counts.failed += 1 if failure else 0
        counts.passed += 0 if failure else 1
        counts.seconds += seconds
        if failure:
            print("FAILED %s: %s: %s" % (group, name, failure), flush=True)
        elif self.verbose:
            print("passed %s: %s (%.3f s)" % (group, name, seconds), flush=True)

    def counts(self, group):
        return self.groups.setdefault(group, types.SimpleNamespace(passed=0, failed=0, skipped=0, seconds=0.0))

    def skip(self, group, name, reason, count=1):
        self.counts(group).skipped += count
        print("skipped %s: %s: %s" % (group, name, reason), flush=True)

    def merge(self, groups):
        """Adds what another tally counted."""
        for group, theirs in groups.items():
            for name, value in vars(theirs).items():
                setattr(self.counts(group), name, getattr(self.counts(group), name) + value)

    def measure(self, group, name, function):
        """Runs a test, counts it, and gives what it gave, or None."""
        began, failure, result = time.monotonic(), None, None
        try:
            result = function()
        except Skip as reason:
            self.skip(group, name, reason)
            return None
        except Failure as error:
            failure = str(error)
        except (OSError, EOFError) as error:
            failure = "%s (%s)" % (error, where(error))
        except Exception:  # pylint: disable=broad-except
            failure = traceback.format_exc()
        self.add(group, name, time.monotonic() - began, failure)
        return result

    def finish(self):
        for group, counts in self.groups.items():
            print("%-24s %5d passed, %d failed%s  %8.3f s" % (
                group, counts.passed, counts.failed, skipped_text(counts.skipped), counts.seconds))
        passed, failed, skipped = (sum(getattr(counts, name) for counts in self.groups.values())
                                   for name in ("passed", "failed", "skipped"))
        print("%d passed, %d failed%s" % (passed, failed, skipped_text(skipped)))
        return 0 if failed == 0 and passed > 0 else 1


def skipped_text(count):
    return ", %d skipped" % count if count else ""


def where(error):
    frame = traceback.extract_tb(error.__traceback__)
    return ", ".join("%s:%d" % (os.path.basename(each.filename), each.lineno)
                     for each in frame[-3:])
