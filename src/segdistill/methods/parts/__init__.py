"""What methods are made of: adapters, distances, banks, curves, and the bases that several methods share."""
