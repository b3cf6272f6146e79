"""What the studio knows without torch or Qt: pictures, trust, projects, training runs."""
