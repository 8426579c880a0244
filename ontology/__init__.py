"""The shared ontology: Turtle files, the tables behind them, and the programs that make and check them."""
