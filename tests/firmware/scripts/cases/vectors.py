"""Decodes the vectors of a case folder and prints the results as JSON. Runs on any interpreter.

    vectors.py FOLDER [VECTORS.json]

A case is `{"say": what it is, "hex" or "text": input, "expect": result}`. The module's own `values` decodes it, or else
`decode` of the folder's `decode.py`, or the function there that the case names by "decode".
"""

import json
import os
import sys
from binascii import unhexlify

from case_folder import own, tested


def main(folder: str, path: str) -> None:
    """Print one list with a result per case."""
    special = own(folder, "decode") if "decode.py" in os.listdir(folder) else None  # noqa: PTH208

    def decoded(case: dict) -> object:
        function = getattr(special, case.get("decode", "decode"), None)
        if function:
            return function(case)
        assert "decode" not in case, case["say"]
        return tested(folder).values(unhexlify(case["hex"]) if "hex" in case else case["text"].encode())

    with open(path) as f:  # noqa: PTH123
        print(json.dumps([decoded(case) for case in json.load(f)]))


main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else sys.argv[1] + "/vectors.json")
