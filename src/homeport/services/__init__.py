"""The rack of services: one file per thing, and the tuples that hold them (`speakers`, `sites`)."""
