"""Images: decoding, folders, IDX, the cache."""
