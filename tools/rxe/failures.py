# SPDX-License-Identifier: Apache-2.0
"""Why there was no exit status of a command."""


class Unavailable(Exception):
    """Something that this machine would have to have, or to get, is not there; the text says what. Tests are skipped then."""


class Failed(Exception):
    """All is there, and yet it did not work; the text says what."""
