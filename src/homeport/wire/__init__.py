"""Bytes and text of the kernel and of files, turned into the model. Nothing here opens anything."""
