"""`micropython -m firmware FOLDER` runs a node whose file system is FOLDER."""

import asyncio
import sys

from .app import Node
from .hal import Board


def main():
    """Run the node in the folder named on the command line."""
    asyncio.run(Node(Board(sys.argv[1])).run())


main()
