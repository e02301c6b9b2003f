//! The best that any division of the load could do, known beforehand: what strategies are compared with.
