"""The attacks that a data visiting system must withstand, each with what came of it here."""
