"""Statistical disclosure control: a recounted table in, a verdict out. Pure: no file, no clock, no chance."""
