"""Torture: processes are killed, frozen, starved and lied to while they work; then a checker reads what is left."""
