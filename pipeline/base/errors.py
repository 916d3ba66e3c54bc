"""The one exception that stands for a mistake of the user."""


class UserError(Exception):
    """Something the user can mend. Its text is one line: what is wrong, where, what to do."""


class EngineDown(UserError):
    """A server that a search needs does not answer."""
