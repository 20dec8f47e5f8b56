"""The rack of steps that a check takes, from the name down to the service."""
