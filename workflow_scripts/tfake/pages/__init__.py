"""What HTML pages share: templates, charts and images."""
