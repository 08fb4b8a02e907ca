"""Where faces come from: archives read in place, paired sets, and the procedural renderer."""
