"""What may be opened (P4-P6), and how an output reaches its recipient only."""
