"""What every command and every function takes where nothing else is said."""

CONVENTION = "exact"
"""The counting convention: the operations that an efficient implementation executes, whatever the model."""
