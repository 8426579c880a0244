"""The door for other nodes: they fetch what waits for them, and leave what a hosted member has to say."""
