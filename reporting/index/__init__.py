"""The index workbench: never an official index. What is chosen is stated; what the choice changes is shown."""
