"""The development environment of this addon: see ``make help``."""
