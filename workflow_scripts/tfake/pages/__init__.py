"""HTML pages: templates, charts, images and wording."""
