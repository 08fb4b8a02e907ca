"""The page that a person looks at: one self-contained HTML file."""
