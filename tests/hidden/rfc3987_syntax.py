"""Found before the library of this name, which takes two seconds of processor time at each import and is not needed.

The tool for the bill of materials installs it; with it `jsonschema`, and so each gateway process of the tests with a
door for charging stations, builds a grammar of addresses with letters of all languages. No user's installation has it.
"""

raise ImportError("hidden from the tests")
