-- Lets one more look who waits, after a read that may have left something.
wake(WAKE)
