"""The `guestlist` command."""

import signal
import sys

from ._guestlist import command


def main() -> int:
    """Does what the arguments of the program say."""
    # It ends at once, as any program does that does not say otherwise.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return command(sys.argv)
