"""The torch job: a process of its own, told by run.json and answering by result.json."""
