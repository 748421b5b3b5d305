"""The commands, one file each. Every module has `add_to(app)` and is found by its presence in this folder.

A command states the section of `cityvitals --help` under which it is listed, one of `SECTIONS`.
"""

START = "Start"
BRING_IN = "Bring in data"
NODES = "Nodes and certificates"
VALUES = "Values and reports"
CITIES = "Many cities"
PLAN = "Plan"
RUN = "Run the programs"
OPERATE = "Operate"
# Of `cityvitals kpi`.
READ = "Read values"
REPORT = "Reported figures"
DRAW = "Documents and exports"
SECTIONS = (START, BRING_IN, NODES, VALUES, CITIES, PLAN, RUN, OPERATE, READ, REPORT, DRAW)
