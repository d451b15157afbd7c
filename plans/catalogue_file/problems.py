"""Why a catalogue file cannot be applied."""

from collections.abc import Sequence

from kernel.errors import Conflict, InvalidInput


class CatalogueFileInvalid(InvalidInput):
    """The file says something that means nothing. `faults` lists everything found, each with its place."""

    code = "catalogue_file_invalid"
    title = "The catalogue file is not valid"

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults), faults=list(faults))
        self.faults = list(faults)


class CatalogueRefused(Conflict):
    """The file is valid, but what it asks for cannot be done to this database. Nothing was changed."""

    code = "catalogue_refused"
    title = "The catalogue file cannot be applied"

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults), faults=list(faults))
        self.faults = list(faults)
