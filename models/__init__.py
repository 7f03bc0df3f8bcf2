"""Tensors in, tensors out: the YOTO network, its weights, its training. Knows nothing of video files."""
