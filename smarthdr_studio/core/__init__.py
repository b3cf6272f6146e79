"""What the studio knows without torch or Qt: data, trust, projects."""
