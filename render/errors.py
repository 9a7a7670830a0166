"""The one error that a person who runs the build is meant to read."""


class BookError(Exception):
    """The book cannot be built; the message says where, what was found and what to do."""

    @classmethod
    def listing(cls, heading: str, faults: list[str]) -> "BookError":
        """One error for all `faults` of a kind, each on a line of its own."""
        return cls("\n".join([f"{heading} ({len(faults)}):", *(f"  {fault}" for fault in faults)]))
