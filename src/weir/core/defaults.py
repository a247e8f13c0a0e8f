"""The request that is asked about where nobody says another.

Alone in a module, because commands print it in their help and load nothing for that.
"""

from typing import Final

DEFAULT_ISL: Final = 4096
DEFAULT_OSL: Final = 1536
