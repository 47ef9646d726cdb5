"""How things read on the command line: rows of tables, facts, sentences."""
