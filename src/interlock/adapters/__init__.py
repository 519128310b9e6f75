"""The outside world, one file (or folder) per way of having it; each wraps one library."""
