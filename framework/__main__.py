"""`python -m framework` is the command `chamberlain`."""

from framework.cli import main

if __name__ == "__main__":
    main()
