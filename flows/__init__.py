"""Order: which steps, for which books."""

from tasks.collector import share_heap

share_heap()  # here, for it binds only threads that are started later, and some imports start theirs
