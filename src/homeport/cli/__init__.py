"""The command line: parses words, calls an operation, renders the model. Holds no logic of its own."""
