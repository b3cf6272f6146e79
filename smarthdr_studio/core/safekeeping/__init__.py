"""Nothing is lost: backups, a doctor that checks and repairs, and datasets that have moved."""
