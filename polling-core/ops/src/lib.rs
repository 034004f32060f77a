//! What an operator needs of schedulers and workers. One feature per module; none is on unless it is asked for.
