"""Files of other tools, turned into OpenSLO: a plan of what becomes of each, and the files as they would be written."""

from tocsin.config.imports.drafts import Imported, Options
from tocsin.config.imports.pyrra import from_pyrra
from tocsin.config.imports.sloth import from_sloth

__all__ = ["Imported", "Options", "from_pyrra", "from_sloth"]
