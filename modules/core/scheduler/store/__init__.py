"""All SQL of the scheduler: verbs that take a connection, so that whoever decides composes them into one transaction."""
