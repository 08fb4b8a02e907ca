"""What a run hands over: report, publication, exports, comparison and forecast."""
