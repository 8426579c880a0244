"""A study: what is asked, of which datasets, in which stages; checked, sent, received and followed.

Takes a study document from a researcher (or from another node) and leaves `Study`, `Request`, `Visit` and
`Follow` rows; it never runs anything.
"""
