"""What a researcher hands to others: a versioned folder a variant, with terms, card, metadata and provenance."""
