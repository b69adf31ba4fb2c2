"""``python -m hsigeo``."""

from hsigeo.cli import main

if __name__ == "__main__":
    main()
