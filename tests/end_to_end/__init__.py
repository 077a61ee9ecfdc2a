"""The whole gate, packaged and applied: a package, so that its stage ends with its last test."""
