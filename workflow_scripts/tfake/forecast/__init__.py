"""What a run will cost in time and disk, from what jobs of this run or of others have cost."""
