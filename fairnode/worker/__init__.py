"""The worker: the loop that delivers messages and runs the steps that are due. It alone holds the engine."""
