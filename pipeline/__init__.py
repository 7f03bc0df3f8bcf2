"""One video, one ladder: find, decode, sample, align, score, pool, store. Knows nothing of Ray or of pages."""
