"""Images as arrays: read from files, or drawn from numbers. Imports no torch, so that prediction need not."""
