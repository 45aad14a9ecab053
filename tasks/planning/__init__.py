"""SegmentedBook -> Scaffold, in parts: requests, windows, scenes, people, the story, and how answers become a plan."""
