"""Students of the two polyp projects, with and without distillation, beside the published numbers."""
