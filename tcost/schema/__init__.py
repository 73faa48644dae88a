"""The shape of what tcost reads and writes, as types and as JSON Schemas."""
