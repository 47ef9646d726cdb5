"""All SQL of the scheduler: verbs on a connection, so that whoever decides composes them into one transaction."""
