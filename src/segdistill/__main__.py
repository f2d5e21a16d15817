"""`python -m segdistill` is the command line."""

from segdistill.cli import main

if __name__ == "__main__":
    main()
